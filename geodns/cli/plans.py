"""What a change would do, in lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodns.cli import complain
from geodns.cli.output import Output, cell, reason_text, warn, write_data, write_lines

SIGNS = {"add": "+", "change": "~", "remove": "-"}


def show_plan(planned: Mapping[str, Any], output: Output) -> None:
    """Print a plan: every change with its fields, then the notes and the brakes."""
    if output is not Output.TABLE:
        write_data(planned, output)
        return
    lines: list[str] = []
    counts = {kind: 0 for kind in SIGNS}
    for change in planned["changes"]:
        sign = SIGNS.get(change["kind"], "?")
        lines.append(f"{sign} {change['pointer']}")
        lines += differences(change["before"], change["after"])
        counts[change["kind"]] = counts.get(change["kind"], 0) + 1
    told = ", ".join(f"{number} to {kind}" for kind, number in counts.items() if number)
    write_lines([*lines, told or "nothing to change"])
    warn(planned["warnings"])
    complain(*(f"brake: {reason_text(brake)}" for brake in planned["brakes"]))


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    """The fields that differ, one a line; none of what is removed."""
    if after is None:
        return []
    old = before or {}
    names = [name for name in {**old, **after} if old.get(name) != after.get(name)]
    if before is None:
        return [f"    {name}: {cell(after[name])}" for name in names]
    return [f"    {name}: {_shown(before, name)} → {_shown(after, name)}" for name in names]


def _shown(body: Mapping[str, Any], name: str) -> str:
    return cell(body[name]) if name in body else "(default)"

"""What commands print: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TextIO

from geodns.cli import BROKEN_PIPE, complain

NOTES_MAX = 20
"""Source: no reference; a screen, below which the outcome still stands."""


FOLDED_MAX = 200
"""Rows that rich may fold; more would take seconds. Source: measured, 0.5 ms for each row."""

CODES = {"up": 32, "down": 31, "unknown": 33}
"""Colours of states. Source: ECMA-48 section 8.3.117, "Select Graphic Rendition"."""


class Output(StrEnum):
    """The form of what is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def write(text: str) -> None:
    """Print text; end quietly if nobody reads it any more."""
    try:
        sys.stdout.write(encodable(text, sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        # Else the interpreter flushes once more at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(BROKEN_PIPE) from None


def encodable(text: str, stream: TextIO) -> str:
    """The text with escapes for what the stream's encoding lacks: an old locale is no error."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def is_smart(stream: object) -> bool:
    """Whether a stream is a terminal that can move its cursor."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def write_lines(lines: Sequence[str]) -> None:
    """Print lines that may hold what came from elsewhere."""
    write("".join(f"{plain(line)}\n" for line in lines))


def write_data(data: object, output: Output) -> None:
    """Print data for programs."""
    if output is Output.JSON:
        write(json.dumps(data, indent=2, ensure_ascii=not _is_unicode()) + "\n")
    else:
        write(to_yaml(data))


def write_table(fields: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under the names of their fields: folded to a terminal, in full to a pipe."""
    heads = [plain(field).upper().replace("_", " ") for field in fields]
    shown = [[plain(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *shown, strict=True)]
    is_terminal = sys.stdout.isatty()
    if is_terminal and len(rows) <= FOLDED_MAX and not _is_simple(shown, widths):
        from geodns.cli.terminal import write_on_terminal

        write_on_terminal(heads, shown)
        return
    has_style = is_terminal and is_smart(sys.stdout) and not os.environ.get("NO_COLOR")
    lines = [_line(row, widths, has_style) for row in shown]
    head = "  ".join(f"{text:{width}}" for text, width in zip(heads, widths, strict=True)).rstrip()
    write("\n".join([f"\x1b[1m{head}\x1b[0m" if has_style else head, *lines, ""]))


def _is_simple(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> bool:
    """Whether a table fits the terminal, and each character takes one column of it."""
    fits = sum(widths) + 2 * len(widths) - 2 <= shutil.get_terminal_size().columns
    return fits and all(text.isascii() for row in rows for text in row)


def _line(row: Sequence[str], widths: Sequence[int], has_style: bool) -> str:
    if not has_style:
        return "  ".join(
            f"{text:{width}}" for text, width in zip(row, widths, strict=True)
        ).rstrip()
    cells = [
        f"\x1b[{CODES[text]}m{text:{width}}\x1b[0m" if text in CODES else f"{text:{width}}"
        for text, width in zip(row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def write_fields(fields: Mapping[str, Any]) -> None:
    """Print an object, one field a line."""
    cells = {name: cell(value) for name, value in fields.items()}
    width = max(map(len, cells), default=0)
    write_lines([f"{name:{width}}  {text}".rstrip() for name, text in cells.items()])


def write_object(fields: Mapping[str, Any]) -> None:
    """Print an object: what is one value first, then each list of objects as a table."""
    tables = {name: each for name, each in _flat(fields).items() if _is_table(each)}
    write_fields({name: each for name, each in _flat(fields).items() if name not in tables})
    for name, rows in tables.items():
        heads = list(dict.fromkeys(head for row in rows for head in row))
        write(f"\n{plain(name)}:\n")
        write_table(heads, [[cell(_telling(row.get(head))) for head in heads] for row in rows])


def warn(reasons: Sequence[Mapping[str, Any]]) -> None:
    """Pass on what the server thinks one should know."""
    complain(*(f"note: {reason_text(reason)}" for reason in reasons[:NOTES_MAX]))
    if len(reasons) > NOTES_MAX:
        complain(f"note: {len(reasons) - NOTES_MAX} more like these; --output json has all.")


def reason_text(reason: Mapping[str, Any]) -> str:
    """A reason as the API sends it, in one line."""
    where = f"{reason['pointer']}: " if reason.get("pointer") else ""
    return f"{where}{reason.get('detail', '')} {reason.get('hint') or ''}".rstrip()


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    if isinstance(value, Mapping):
        if value.keys() == {"lat", "lon"}:
            return f"{value['lat']},{value['lon']}"
        if value.keys() == {"name", "addresses"}:
            return f"{value['name']} ({cell(value['addresses'])})"
        return " ".join(f"{name}={cell(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return str(value)


def plain(text: str) -> str:
    """The text with whatever could steer a terminal made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def to_yaml(data: object) -> str:
    """Data as YAML that this program and YAML 1.1 readers take for the same."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """Quotes what only YAML 1.2 takes for a number, such as 1e3."""

    Dumper.add_representer(str, _represent_text)
    Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
    # What holds nothing but values goes into one line, except for the whole.
    whole = list(data.values()) if isinstance(data, Mapping) else []
    flow = None if any(isinstance(part, Mapping | list) for part in whole) else False
    return str(
        yaml.dump(
            data,
            Dumper=Dumper,
            sort_keys=False,
            allow_unicode=_is_unicode(),
            width=100,
            default_flow_style=flow,
        )
    )


def _represent_text(dumper: Any, text: str) -> Any:
    numeric = text[:1] in "+-.0123456789" and text != "" and not _is_text(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if numeric else None)


def _is_unicode() -> bool:
    """Whether what is printed may hold every character there is."""
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _is_text(text: str) -> bool:
    from geodns.document.reader import read_yaml
    from geodns.errors import ConfigError

    try:
        return read_yaml(text) == text
    except ConfigError:
        return False


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Objects within as ``outer.inner``, so that the lists in them can be tables."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping) and any(map(_is_table, value.values())):
            flat |= {f"{name}.{key}": each for key, each in value.items()}
        else:
            flat[name] = value
    return flat


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _telling(value: Any) -> Any:
    """Without the zeros, if it is a set of counters."""
    if isinstance(value, Mapping) and all(type(each) is int for each in value.values()):
        return {name: count for name, count in value.items() if count}
    return value

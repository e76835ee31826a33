"""``status --watch``: the server's state, drawn anew every second."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from geodns.cli.output import Output, cell, plain, write_data, write_object
from geodns.cli.resources import path_of
from geodns.errors import Unavailable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from geodns.net import Client

INTERVAL_S = 1.0
"""Source: no reference; monitors run every few seconds, one a second at the most."""

COLUMNS = (
    "state",
    "nodes",
    "address",
    "monitor",
    "lasted_s",
    "uptime",
    "next_check_in_s",
    "reason",
)

SEVERITY = ("down", "unknown", "up")
"""Who is down stands where it is seen."""

Answer = Mapping[str, Any] | Unavailable


def watch(client: Client, output: Output) -> NoReturn:
    """Show the state until Ctrl-C; while nobody answers, say that. Errors: as the first look."""
    answers = _answers(client)
    if output is Output.TABLE:
        from geodns.cli.live import is_live, watched

        if is_live():
            watched(screen(answer) for answer in answers)
    for answer in answers:
        view = {"error": str(answer)} if isinstance(answer, Unavailable) else answer
        write_object(view) if output is Output.TABLE else write_data(view, output)
    raise AssertionError("the answers have no end")


def _answers(client: Client) -> Iterator[Answer]:
    yield client.request("GET", path_of("status")).body
    while True:
        time.sleep(INTERVAL_S)
        try:
            yield client.request("GET", path_of("status")).body
        except Unavailable as error:  # it restarts; who watches wants to see it come back
            yield error


def screen(answer: Answer) -> RenderableType:
    """One look, as it is drawn."""
    from rich.console import Group
    from rich.text import Text

    from geodns.cli.terminal import console, styled, table

    if isinstance(answer, Unavailable):
        return Text(plain(str(answer)), style="bold red")
    targets = sorted(answer.get("targets", []), key=_place)
    states = Counter(str(each["state"]) for each in targets)
    counts = ", ".join(f"{states[each]} {each}" for each in SEVERITY if states[each])
    head = [
        f"generation {answer.get('generation', '-')}, revision {answer.get('revision', '-')}, "
        f"{answer.get('engine', '-')} engine, {'ready' if answer.get('ready') else 'not ready'}",
        *(_worker(each) for each in answer.get("workers", [])),
        f"targets: {counts or 'none'}",
        "",
    ]
    columns = [each for each in COLUMNS if any(target.get(each) for target in targets)]
    heads = [each.upper().replace("_", " ") for each in columns]
    terminal = console()
    seen = targets[: terminal.height]  # of ten thousand the rest would not be seen, but take time
    rows = [[plain(_shown(target, each)) for each in columns] for target in seen]
    body = [table(heads, rows, terminal.width)] if targets else []
    return Group(*map(styled, head), *body)


def _place(target: Mapping[str, Any]) -> tuple[int, str]:
    state = str(target["state"])
    place = SEVERITY.index(state) if state in SEVERITY else len(SEVERITY)
    return place, ",".join(target.get("nodes", []))


def _worker(worker: Mapping[str, Any]) -> str:
    if "pid" not in worker:  # it is absent
        return f"worker {worker['number']}: {worker.get('state')} {worker.get('reason', '')}"
    counted = {name: count for name, count in worker.get("counters", {}).items() if count}
    return f"worker {worker['number']}, process {worker['pid']}: {cell(counted) or 'no query yet'}"


def _shown(target: Mapping[str, Any], column: str) -> str:
    value = target.get(column)
    if column == "state" and target.get("override"):
        return f"{value} ({cell(target['override'])})"
    if column == "uptime" and isinstance(value, Mapping):
        return " ".join(f"{share:.2%}/{span}" for span, share in list(value.items())[:2])
    if column in ("lasted_s", "next_check_in_s") and isinstance(value, int | float):
        return f"{value:.0f}"
    return cell(value)

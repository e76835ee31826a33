"""``top``: what is asked and answered at this moment, counted from the server's own metrics."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli.options import DataDirOption, OutputOption
from geodns.cli.output import Output, write_data, write_lines, write_table
from geodns.cli.resources import api, path_of

if TYPE_CHECKING:
    from geodns.net import Client

Labels = tuple[tuple[str, str], ...]

INTERVAL_S = 2.0
"""Source: no reference; long enough for a quiet server to answer something."""

ROWS_MAX = 10
"""Source: no reference; several lists fit a screen."""

PREFIX = "geodns_dns_"
SUFFIX = "_total"
"""The metrics that count queries and answers."""

FIRST = ("requests", "responses", "answers")
"""The lists that come first, and by what name."""

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """All counters at one moment. Units: seconds of a clock that never steps back."""

    at_s: float
    counters: Mapping[tuple[str, Labels], float]


def top(
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.2, max=3600,
                            help="How long each look takes.")
    ] = INTERVAL_S,
    once: Annotated[
        bool, typer.Option("--once", help="One look; also where the output is no terminal.")
    ] = False,
    output: OutputOption = Output.TABLE,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Show queries a second by what the server counts, live."""
    from geodns.cli.live import is_live, watched

    with api(data_dir) as client:
        if output is Output.TABLE and is_live() and not once:
            watched(_screens(client, interval))
            return
        for view in _views(client, interval):
            if output is Output.TABLE:
                write_lines(lines(view))
                write_lists(view)
            else:
                write_data(view, output)
            if once or output is Output.TABLE:
                return


def _views(client: Client, interval_s: float) -> Iterator[dict[str, Any]]:
    before = take(client)
    while True:
        time.sleep(interval_s)
        after = take(client)
        yield view_of(client.request("GET", path_of("status")).body, before, after)
        before = after


def take(client: Client) -> Sample:
    """Read the counters."""
    text = client.request("GET", "/metrics").body
    return Sample(time.monotonic(), counters(str(text)))


def counters(text: str) -> dict[tuple[str, Labels], float]:
    """What DNS counters say, by name and labels. Source: Prometheus' text format."""
    found: dict[tuple[str, Labels], float] = {}
    for line in text.splitlines():
        sample = _SAMPLE.match(line)
        if sample and sample[1].startswith(PREFIX) and sample[1].endswith(SUFFIX):
            name = sample[1].removeprefix(PREFIX).removesuffix(SUFFIX)
            labels = tuple(_LABEL.findall(sample[2] or ""))
            found[name, labels] = float(sample[3])
    return found


def view_of(status: Mapping[str, Any], before: Sample, after: Sample) -> dict[str, Any]:
    """Rates between two looks. A counter that fell began anew with its worker."""
    elapsed_s = max(after.at_s - before.at_s, 1e-3)
    rates = {
        key: (count - was if count >= (was := before.counters.get(key, 0.0)) else count) / elapsed_s
        for key, count in after.counters.items()
    }
    total = sum(rate for (name, _), rate in rates.items() if name == "requests")
    states = Counter(str(target["state"]) for target in status.get("targets", []))
    return {
        "generation": status.get("generation"),
        "engine": status.get("engine"),
        "ready": status.get("ready"),
        "workers": len(status.get("workers", [])),
        "targets": dict(sorted(states.items())),
        "seconds": round(elapsed_s, 3),
        "queries_per_second": round(total, 1),
        "rates": _lists(rates),
    }


def _lists(rates: Mapping[tuple[str, Labels], float]) -> dict[str, list[dict[str, Any]]]:
    """For each metric and each of its labels, who has most; what has none stands for itself."""
    sums: dict[str, Counter[str]] = {}
    for (name, labels), rate in rates.items():
        for label, value in labels or (("", name),):
            title = f"{name} by {label}" if label else "other"
            sums.setdefault(title, Counter())[value] += rate  # type: ignore[assignment]
    order = sorted(sums, key=lambda title: (_place(title), title))
    return {
        title: [
            {"name": value, "per_second": round(rate, 1)}
            for value, rate in sums[title].most_common(ROWS_MAX)
            if round(rate, 1) > 0 or len(sums[title]) <= 4
        ]
        for title in order
    }


def _place(title: str) -> int:
    word = title.partition(" ")[0]
    return FIRST.index(word) if word in FIRST else len(FIRST)


def lines(view: Mapping[str, Any]) -> list[str]:
    """The head of a look."""
    ready = "ready" if view["ready"] else "not ready"
    targets = ", ".join(f"{count} {state}" for state, count in view["targets"].items())
    return [
        f"{view['queries_per_second']:g} queries/s over {view['seconds']:g} s",
        f"generation {view['generation']}, {view['engine']} engine, {view['workers']} workers, "
        f"{ready}; targets: {targets or 'none'}",
    ]


def write_lists(view: Mapping[str, Any]) -> None:
    """Print the lists one below the other."""
    for title, rows in view["rates"].items():
        if rows:
            write_lines([""])
            write_table((title, "per_second"), _cells(rows))


def _cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return [[str(row["name"]), f"{row['per_second']:g}"] for row in rows]


def _screens(client: Client, interval_s: float) -> Iterator[Any]:
    from rich.columns import Columns
    from rich.console import Group
    from rich.table import Table

    from geodns.cli.terminal import styled

    yield styled(f"counting for {interval_s:g} s")
    for view in _views(client, interval_s):
        tables = []
        for title, rows in view["rates"].items():
            found = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
            found.add_column(title.upper())
            found.add_column("/S", justify="right")
            for row in _cells(rows):
                found.add_row(*map(styled, row))
            if rows:
                tables.append(found)
        head = [styled(line) for line in (*lines(view), "")]
        yield Group(*head, Columns(tables, padding=(0, 2)))

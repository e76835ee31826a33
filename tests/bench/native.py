"""Row native: CPU per query of the native engine at saturation, beside gdnsd, Knot and PowerDNS.

All servers stand ready on core 0 and only the one that is asked works; everything else is on
core 1. Windows alternate: each round asks every server for every workload, and each round's
cost is divided by gdnsd's of the same round, so that slow drifts of the machine cancel. Every
other round goes backwards.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import peers
from tests.bench.blast import (
    ECHOED,
    NXDOMAIN,
    STATIC,
    STEERED,
    STEERED6,
    Load,
    Target,
    Window,
    blast,
    circumstances,
    echo_server,
    pinned,
)
from tests.bench.figures import Figure
from tests.bench.fleet import random_fleet
from tests.bench.processes import SERVER_CORE
from tests.bench.workshop import CITY, Workshop

PAIRS = 15
SLOW_PAIRS = 5
"""Rounds in which those take part that nothing is promised about."""

WINDOW_S = 0.6
PROMISED = {"steered": 1.0, "static": 1.05, "NXDOMAIN": 1.05}
"""Of gdnsd's cost."""

WORKLOADS: dict[str, Load] = {
    "steered": STEERED,
    "static": STATIC,
    "NXDOMAIN": NXDOMAIN,
    "steered, IPv6 /48": STEERED6,
}
OURS, THEIRS, FLOOR = "native", "gdnsd", "echo"

Cell = tuple[str, str]
"""A server and a workload."""


def run(workshop: Workshop) -> list[Figure]:
    """Ratios to gdnsd, and what they are made of."""
    with ExitStack() as stack:
        servers = {
            FLOOR: stack.enter_context(echo_server(workshop)),
            OURS: stack.enter_context(pinned(workshop, CITY, OURS)),
        }
        for name in peers.installed():
            servers[name] = stack.enter_context(_peer(workshop, name))
        windows = _rounds(workshop, servers)
    return [*_ratios(workshop, windows), *_costs(windows)]


def _peer(workshop: Workshop, name: str) -> peers.PeerContext:
    directory = workshop.directory / f"peer-{name.lower()}"
    database = workshop.city_db or workshop.bundled_db
    return peers.peer(name, directory, database, random_fleet(), SERVER_CORE)


def _rounds(workshop: Workshop, servers: dict[str, Target]) -> dict[Cell, list[Window]]:
    cells = [(server, workload) for workload in WORKLOADS for server in servers]
    found: dict[Cell, list[Window]] = {cell: [] for cell in cells}
    for number in range(PAIRS):
        for server, workload in cells if number % 2 else reversed(cells):
            if number >= SLOW_PAIRS and server not in (FLOOR, OURS, THEIRS):
                continue
            load = ECHOED if server == FLOOR else WORKLOADS[workload]
            window = blast(workshop, servers[server], load, WINDOW_S)
            found[server, workload].append(window)
    return found


def _ratios(workshop: Workshop, windows: dict[Cell, list[Window]]) -> list[Figure]:
    figures = []
    for workload in WORKLOADS:
        ours, theirs = (_cost(windows.get((name, workload), [])) for name in (OURS, THEIRS))
        if theirs:
            values = [mine / other for mine, other in zip(ours, theirs, strict=True)]
            promise = PROMISED.get(workload)
            what = f"{workload} ÷ {THEIRS}"
            note = workshop.city_note
            figures.append(Figure("native", what, "×", values, promise, note=note))
    return figures


def _costs(windows: dict[Cell, list[Window]]) -> list[Figure]:
    return [
        Figure("native", f"{server}, {workload}", "µs", _cost(made), note=circumstances(made))
        for (server, workload), made in windows.items()
        if made
    ]


def _cost(windows: list[Window]) -> list[float]:
    return [window["us_per_query"] for window in windows]

"""Row engine: CPU per query of a worker at saturation, in pairs with the echo server.

The server's worker and the echo sit on core 0, everything else on core 1. Windows alternate:
echo, workload, echo, workload; each workload is divided by the mean of the two echo windows
around it, so that slow drifts of the machine cancel.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from tests.bench.blast import (
    ECHOED,
    NXDOMAIN,
    STATIC,
    STEERED,
    Load,
    Window,
    circumstances,
    echo_server,
    pinned,
    quiet_window,
)
from tests.bench.figures import Figure
from tests.bench.fleet import ZONE
from tests.bench.workshop import CITY, RULED, SHARED, Workshop

PAIRS = 5

WORKLOADS: dict[str, tuple[str, Load]] = {
    "steered, random /24": (CITY, STEERED),
    "static name": (CITY, STATIC),
    "NXDOMAIN": (CITY, NXDOMAIN),
    "steered, new cookie each": (CITY, ("geo+cookie", f"www.{ZONE}", 0)),
    "static, new cookie each": (CITY, ("static+cookie", f"static.{ZONE}", 0)),
    "NXDOMAIN, new cookie each": (CITY, ("nx+cookie", ZONE, 3)),
    "steered, shared intervals": (SHARED, STEERED),
    "steered, rules + split + sticky": (RULED, STEERED),
}
PROMISED_ECHOES = {"steered": 5.0, "static": 4.0, "NXDOMAIN": 4.0}
"""By the first word of a workload's name."""


def run(workshop: Workshop) -> list[Figure]:
    """Ratios to the echo, and what they are made of."""
    windows: dict[str, list[Window]] = {"echo": [], **{name: [] for name in WORKLOADS}}
    ratios: dict[str, list[float]] = {name: [] for name in WORKLOADS}
    with ExitStack() as running:
        sizes = dict.fromkeys(size for size, _ in WORKLOADS.values())
        servers = {size: running.enter_context(pinned(workshop, size)) for size in sizes}
        echo = running.enter_context(echo_server(workshop))
        windows["echo"].append(quiet_window(workshop, echo, ECHOED))
        for _ in range(PAIRS):
            for name, (size, load) in WORKLOADS.items():
                windows[name].append(quiet_window(workshop, servers[size], load))
                windows["echo"].append(quiet_window(workshop, echo, ECHOED))
                around = [window["us_per_query"] for window in windows["echo"][-2:]]
                cost = windows[name][-1]["us_per_query"]
                ratios[name].append(cost / statistics.mean(around))
    return [*_ratios(workshop, ratios), *_costs(windows)]


def _ratios(workshop: Workshop, ratios: dict[str, list[float]]) -> list[Figure]:
    return [
        Figure(
            "engine",
            f"{name} ÷ echo",
            "×",
            values,
            PROMISED_ECHOES[name.replace(",", " ").split()[0]],
            note=workshop.city_note,
        )
        for name, values in ratios.items()
    ]


def _costs(windows: dict[str, list[Window]]) -> list[Figure]:
    return [
        Figure(
            "engine",
            f"CPU a query, {name}",
            "µs",
            [window["us_per_query"] for window in made],
            note=circumstances(made),
        )
        for name, made in windows.items()
    ]

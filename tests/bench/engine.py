"""Row engine: CPU per query of a worker at saturation, in pairs with the echo server.

The server's worker and the echo sit on core 0, everything else on core 1. Windows alternate:
echo, workload, echo, workload; each workload is divided by the mean of the two echo windows
around it, so that slow drifts of the machine cancel.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.bench.figures import Figure
from tests.bench.fleet import ZONE
from tests.bench.processes import pin
from tests.bench.server import free_port
from tests.bench.workshop import CITY, RULED, SHARED, Workshop

PAIRS = 5
WINDOW_S = 1.5
QUIET_CORES, TRIES = 0.25, 2
"""A window in which others took more than so many cores is tried again, so often at most."""

SERVER_CORE, OTHER_CORE = 0, 1

Load = tuple[str, str, int]
"""What udpblast is told: mode, name, rcode of every reply."""

STEERED: Load = ("geo", f"www.{ZONE}", 0)
ECHOED: Load = ("geo", f"www.{ZONE}", -1)
WORKLOADS: dict[str, tuple[str, Load]] = {
    "steered, random /24": (CITY, STEERED),
    "static name": (CITY, ("static", f"static.{ZONE}", 0)),
    "NXDOMAIN": (CITY, ("nx", ZONE, 3)),
    "steered, new cookie each": (CITY, ("geo+cookie", f"www.{ZONE}", 0)),
    "static, new cookie each": (CITY, ("static+cookie", f"static.{ZONE}", 0)),
    "NXDOMAIN, new cookie each": (CITY, ("nx+cookie", ZONE, 3)),
    "steered, shared intervals": (SHARED, STEERED),
    "steered, rules + split + sticky": (RULED, STEERED),
}
PROMISED_ECHOES = {"steered": 5.0, "static": 4.0, "NXDOMAIN": 4.0}
"""By the first word of a workload's name."""

Window = dict[str, Any]


def run(workshop: Workshop) -> list[Figure]:
    """Ratios to the echo, and what they are made of."""
    windows: dict[str, list[Window]] = {"echo": [], **{name: [] for name in WORKLOADS}}
    ratios: dict[str, list[float]] = {name: [] for name in WORKLOADS}
    with ExitStack() as running:
        sizes = dict.fromkeys(size for size, _ in WORKLOADS.values())
        servers = {size: running.enter_context(_pinned(workshop, size)) for size in sizes}
        echo = running.enter_context(_echo(workshop))
        windows["echo"].append(_quiet_window(workshop, echo, ECHOED))
        for _ in range(PAIRS):
            for name, (size, load) in WORKLOADS.items():
                windows[name].append(_quiet_window(workshop, servers[size], load))
                windows["echo"].append(_quiet_window(workshop, echo, ECHOED))
                around = [window["us_per_query"] for window in windows["echo"][-2:]]
                cost = windows[name][-1]["us_per_query"]
                ratios[name].append(cost / statistics.mean(around))
    return [*_ratios(workshop, ratios), *_costs(windows)]


Target = tuple[int, int]
"""A port, and the process that answers there."""


@contextmanager
def _pinned(workshop: Workshop, size: str) -> Iterator[Target]:
    """A server on a prepared snapshot: its worker on one core, its other processes on another."""
    data_dir = workshop.prepared(size)
    with workshop.server(data_dir, size) as server:
        server.until_ready()
        pids = server.pids
        pin([pid for role, pid in pids.items() if role != "worker"], OTHER_CORE)
        pin([pids["worker"]], SERVER_CORE)
        yield server.dns[1], pids["worker"]


@contextmanager
def _echo(workshop: Workshop) -> Iterator[Target]:
    port = free_port()
    process = subprocess.Popen([workshop.tool("udpecho"), str(port)])
    try:
        pin([process.pid], SERVER_CORE)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _quiet_window(workshop: Workshop, target: Target, load: Load) -> Window:
    """The quietest of a few windows."""
    windows = []
    for _ in range(TRIES):
        windows.append(blast(workshop, target, load, WINDOW_S))
        if windows[-1]["others_cores"] <= QUIET_CORES:
            break
    return min(windows, key=lambda window: float(window["others_cores"]))


def blast(workshop: Workshop, target: Target, load: Load, seconds: float) -> Window:
    """One window of load. Errors: RuntimeError when replies were wrong."""
    words = [str(word) for word in (workshop.tool("udpblast"), *target, *load, seconds)]
    done = subprocess.run(
        ["taskset", "-c", str(OTHER_CORE), *words], stdout=subprocess.PIPE, check=True
    )
    window: Window = json.loads(done.stdout)
    if window["wrong"] or not window["replies"]:
        raise RuntimeError(f"wrong replies to {load}: {window}")
    return window


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
            note=_circumstances(made),
        )
        for name, made in windows.items()
    ]


def _circumstances(windows: list[Window]) -> str:
    def middle(key: str) -> float:
        return statistics.median(float(window[key]) for window in windows)

    words = [f"server {middle('server_cores'):.2f}", f"others {middle('others_cores'):.2f} cores"]
    words.append(f"{middle('qps'):,.0f} q/s, p99 {middle('p99_us'):,.0f} µs")
    answers, lost = max(w["answers"] for w in windows), sum(w["lost"] for w in windows)
    words += [f"{answers} answers"] * (answers > 0) + [f"{lost} lost"] * (lost > 0)
    return ", ".join(words)

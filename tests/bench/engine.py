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
from contextlib import contextmanager
from typing import Any

from tests.bench.figures import Figure
from tests.bench.fleet import ZONE
from tests.bench.processes import pin
from tests.bench.server import free_port
from tests.bench.workshop import CITY, Workshop

PAIRS = 5
WINDOW_S = 1.5
QUIET_CORES, TRIES = 0.25, 2
"""A window in which others took more than so many cores is tried again, so often at most."""

PROMISED_ECHOES = 5.0
SERVER_CORE, OTHER_CORE = 0, 1
WORKLOADS = {
    "steered, random /24": ("geo", f"www.{ZONE}", 0),
    "static name": ("static", f"static.{ZONE}", 0),
    "NXDOMAIN": ("nx", ZONE, 3),
}

Window = dict[str, Any]


def run(workshop: Workshop) -> list[Figure]:
    """Ratios to the echo, and what they are made of."""
    windows: dict[str, list[Window]] = {"echo": [], **{name: [] for name in WORKLOADS}}
    ratios: dict[str, list[float]] = {name: [] for name in WORKLOADS}
    data_dir = workshop.prepared(CITY)
    with workshop.server(data_dir, CITY) as server, _echo(workshop) as (echo_port, echo_pid):
        server.until_ready()
        pids = server.pids
        pin([pid for role, pid in pids.items() if role != "worker"], OTHER_CORE)
        pin([pids["worker"]], SERVER_CORE)

        def echo() -> float:
            blast = _quiet_window(workshop, echo_port, echo_pid, ("geo", f"www.{ZONE}", -1))
            windows["echo"].append(blast)
            return float(blast["us_per_query"])

        before = echo()
        for _ in range(PAIRS):
            for name, workload in WORKLOADS.items():
                blast = _quiet_window(workshop, server.dns[1], pids["worker"], workload)
                after = echo()
                windows[name].append(blast)
                ratios[name].append(blast["us_per_query"] / ((before + after) / 2))
                before = after
    return [*_ratios(workshop, ratios), *_costs(windows)]


@contextmanager
def _echo(workshop: Workshop) -> Iterator[tuple[int, int]]:
    port = free_port()
    process = subprocess.Popen([workshop.tool("udpecho"), str(port)])
    try:
        pin([process.pid], SERVER_CORE)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _quiet_window(
    workshop: Workshop, port: int, pid: int, workload: tuple[str, str, int]
) -> Window:
    """The quietest of a few windows."""
    windows = []
    for _ in range(TRIES):
        windows.append(blast(workshop, port, pid, workload, WINDOW_S))
        if windows[-1]["others_cores"] <= QUIET_CORES:
            break
    return min(windows, key=lambda window: float(window["others_cores"]))


def blast(
    workshop: Workshop, port: int, pid: int, workload: tuple[str, str, int], seconds: float
) -> Window:
    """One window of load. Errors: RuntimeError when replies were wrong."""
    mode, name, rcode = workload
    words = [port, pid, mode, name, rcode, seconds]
    done = subprocess.run(
        ["taskset", "-c", str(OTHER_CORE), workshop.tool("udpblast"), *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    window: Window = json.loads(done.stdout)
    if window["wrong"] or not window["replies"]:
        raise RuntimeError(f"wrong replies to {workload}: {window}")
    return window


def _ratios(workshop: Workshop, ratios: dict[str, list[float]]) -> list[Figure]:
    return [
        Figure(
            "engine",
            f"{name} ÷ echo",
            "×",
            values,
            PROMISED_ECHOES if WORKLOADS[name][0] == "geo" else None,
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

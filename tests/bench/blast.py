"""Load and who bears it: windows of udpblast against a server that is kept on one core."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.fleet import ZONE
from tests.bench.processes import OTHER_CORE, SERVER_CORE, pin
from tests.bench.server import free_port
from tests.bench.workshop import Workshop

WINDOW_S = 1.5
QUIET_CORES, TRIES = 0.25, 2
"""A window in which others took more than so many cores is tried again, so often at most."""

Load = tuple[str, str, int]
"""What udpblast is told: mode, name, rcode of every reply."""

STEERED: Load = ("geo", f"www.{ZONE}", 0)
STEERED6: Load = ("geo6", f"www.{ZONE}", 0)
STATIC: Load = ("static", f"static.{ZONE}", 0)
NXDOMAIN: Load = ("nx", ZONE, 3)
ECHOED: Load = ("geo", f"www.{ZONE}", -1)

Target = tuple[int, int]
"""A port, and the process that answers there."""

Window = dict[str, Any]
"""What udpblast found."""


@contextmanager
def pinned(workshop: Workshop, size: str, engine: str = "python") -> Iterator[Target]:
    """A server on a prepared snapshot: its worker on one core, its other processes on another."""
    data_dir = workshop.prepared(size)
    with workshop.server(data_dir, size, engine=engine) as server:
        server.until_ready()
        pids = server.pids
        pin([pid for role, pid in pids.items() if role != "worker"], OTHER_CORE)
        pin([pids["worker"]], SERVER_CORE)
        yield server.dns[1], pids["worker"]


@contextmanager
def echo_server(workshop: Workshop) -> Iterator[Target]:
    """The floor: a server that does no work at all."""
    port = free_port()
    process = subprocess.Popen([workshop.tool("udpecho"), str(port)])
    try:
        pin([process.pid], SERVER_CORE)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def quiet_window(
    workshop: Workshop, target: Target, load: Load, seconds: float = WINDOW_S
) -> Window:
    """The quietest of a few windows at saturation."""
    windows = []
    for _ in range(TRIES):
        windows.append(blast(workshop, target, load, seconds))
        if windows[-1]["others_cores"] <= QUIET_CORES:
            break
    return min(windows, key=lambda window: float(window["others_cores"]))


def blast(
    workshop: Workshop,
    target: tuple[int, int | str],
    load: Load,
    seconds: float,
    rate: float = 0,
) -> Window:
    """One window of load, as much as is answered or at most ``rate`` queries a second.

    Errors: RuntimeError when replies were wrong.
    """
    words = [str(word) for word in (workshop.tool("udpblast"), *target, *load, seconds, rate)]
    done = subprocess.run(
        ["taskset", "-c", str(OTHER_CORE), *words], stdout=subprocess.PIPE, check=True
    )
    window: Window = json.loads(done.stdout)
    if window["wrong"] or not window["replies"]:
        raise RuntimeError(f"wrong replies to {load}: {window}")
    return window


def circumstances(windows: list[Window]) -> str:
    """What else is to be known of windows, in words."""

    def middle(key: str) -> float:
        return statistics.median(float(window[key]) for window in windows)

    words = [f"server {middle('server_cores'):.2f}", f"others {middle('others_cores'):.2f} cores"]
    words.append(f"{middle('qps'):,.0f} q/s, p99 {middle('p99_us'):,.0f} µs")
    answers, lost = max(w["answers"] for w in windows), sum(w["lost"] for w in windows)
    words += [f"{answers} answers"] * (answers > 0) + [f"{lost} lost"] * (lost > 0)
    return ", ".join(words)

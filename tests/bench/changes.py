"""Row changes: status flips and generation swaps under half of the load that saturates.

The native engine is alone in a process that also flips the words and loads the generations.
Windows with and without changes alternate; the p99 of each is held against the mean of the two
quiet windows around it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.bench.blast import STEERED, Window, blast
from tests.bench.figures import Figure
from tests.bench.processes import pin_serving
from tests.bench.server import free_port
from tests.bench.workshop import CITY, Workshop

ROUNDS = 7
WINDOW_S = 1.0
CHANGES = {"1,000 flips a second": (1000, 0), "10 swaps a second": (0, 10)}
PROMISED_MS = 1.0
QUIET = (0, 0)


def run(workshop: Workshop) -> list[Figure]:
    """What is lost, and how far p99 moves."""
    moved: dict[str, list[float]] = {name: [] for name in CHANGES}
    lost: dict[str, list[float]] = {name: [] for name in CHANGES}
    with native_alone(workshop.prepared(CITY)) as (port, process, orders):
        target = (port, process)
        half = blast(workshop, target, STEERED, WINDOW_S)["qps"] / 2

        def window(flips: int, swaps: int) -> Window:
            orders.write(f"{flips} {swaps}\n")
            orders.flush()
            return blast(workshop, target, STEERED, WINDOW_S, half)

        before = window(*QUIET)
        for _ in range(ROUNDS):
            for name, change in CHANGES.items():
                during, after = window(*change), window(*QUIET)
                around = statistics.mean(each["p99_us"] for each in (before, after))
                moved[name].append((during["p99_us"] - around) / 1000)
                lost[name].append(during["lost"])
                before = after
    note = "; ".join(filter(None, [f"at {half:,.0f} q/s", workshop.city_note]))
    return [
        *(Figure("changes", f"{name}: lost", "", lost[name], 0, "max", note) for name in CHANGES),
        *(
            Figure("changes", f"{name}: p99 moves", "ms", moved[name], PROMISED_MS, note=note)
            for name in CHANGES
        ),
    ]


@contextmanager
def native_alone(data_dir: Path, under: Sequence[str] = ()) -> Iterator[tuple[int, int, IO[str]]]:
    """Port, process and the pipe that takes orders; the serving threads are on a core."""
    port = free_port()
    words = ["-m", "tests.bench.native_child", str(data_dir), str(port)]
    command = [*under, sys.executable, *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "serving\n":
            raise RuntimeError("the native engine does not serve")
        pin_serving(process.pid)
        yield port, process.pid, process.stdin
    finally:
        process.stdin.close()
        process.wait(10)

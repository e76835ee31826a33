"""What rows about crowds at the API share: a server on one core, and DNS asked meanwhile."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.blast import STEERED, Window, blast
from tests.bench.fleet import random_fleet
from tests.bench.processes import OTHER_CORE, PRECEDENCE, SERVER_CORE, pin
from tests.bench.server import Server
from tests.bench.workshop import DEFAULT, Workshop

RATE = 5_000
WINDOW_S = 2.0
PROMISED_MS = 1.0


@dataclass
class Noticed:
    """What DNS noticed of each window of the crowd: p99 against the quiet ones around it."""

    moved_ms: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    quiet: list[Window] = field(default_factory=list)
    loud: list[Window] = field(default_factory=list)

    @property
    def note(self) -> str:
        """The rates and times behind it, in words."""
        quiet, loud = (
            statistics.median(float(each["p99_us"]) for each in windows)
            for windows in (self.quiet, self.loud)
        )
        return f"at {RATE:,} q/s; p99 {quiet:,.0f} µs quiet, {loud:,.0f} µs meanwhile"


@contextmanager
def one_core_server(workshop: Workshop, name: str) -> Iterator[Server]:
    """A server whose processes share one core: the API can only take what DNS leaves."""
    with workshop.server(workshop.fresh(name), DEFAULT, engine="native") as server:
        server.put("document", random_fleet())
        server.until_ready()
        pin(server.pids.values(), SERVER_CORE)
        pin(server.workers, SERVER_CORE)
        yield server


class Crowd:
    """A child that is at work from one nod to the next."""

    def __init__(self, module: str, *words: object) -> None:
        command = ["-m", f"tests.bench.{module}", *map(str, words)]
        self._process = subprocess.Popen(
            ["taskset", "-c", str(OTHER_CORE), sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_step_back,
        )

    def heard(self) -> str:
        """Its next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def nod(self) -> None:
        """Begin, or pause."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """What it has done."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        told: dict[str, Any] = json.loads(self.heard())
        self._process.wait(10)
        return told


def _step_back() -> None:
    """Crowds are elsewhere: they must not take the core from whoever asks DNS."""
    os.nice(-PRECEDENCE if os.nice(0) == PRECEDENCE else 0)


def notice(workshop: Workshop, server: Server, nod: Callable[[], None], rounds: int) -> Noticed:
    """Ask DNS with the crowd at rest and at work in turn."""
    noticed = Noticed()
    target = (server.dns[1], ",".join(map(str, server.workers)))

    def window() -> Window:
        return blast(workshop, target, STEERED, WINDOW_S, RATE)

    before = window()
    noticed.quiet.append(before)
    for _ in range(rounds):
        nod()
        during = window()
        nod()
        after = window()
        around = statistics.mean(each["p99_us"] for each in (before, after))
        noticed.moved_ms.append((during["p99_us"] - around) / 1000)
        noticed.lost.append(during["lost"])
        noticed.loud.append(during)
        noticed.quiet.append(after)
        before = after
    return noticed


def in_words(counts: dict[str, int], names: Sequence[str] = ()) -> str:
    """How often what was done."""
    return ", ".join(f"{counts[name]:,} {name}" for name in names or sorted(counts))

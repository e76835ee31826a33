"""The health process's watcher at work: ``python -m tests.bench.checks_child DIRECTORY MONITOR N``.

Watches N targets by one monitor (JSON) with the real scheduler, probes and status table, for a
round to warm up and then for ROUNDS intervals. Prints what that took as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
import time
from pathlib import Path

from geodns.health import garbage
from geodns.health.board import Board
from geodns.health.monitor import Watcher
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.health.schedule import Ticker
from geodns.health.targets import Target, Watchlist
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict, create_table

ROUNDS = 2
IN_FLIGHT_MAX = 4000


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def targets(count: int) -> tuple[Target, ...]:
    """Each on a loopback address of its own."""
    return tuple(
        Target(
            slot=number,
            tag=number + 1,
            address=f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}",
            monitor="web",
            nodes=(f"n{number}",),
        )
        for number in range(count)
    )


async def measure(directory: Path, monitor: Monitor, count: int) -> dict[str, object]:
    create_table(directory / "status", 2 * count)
    board = Board(directory / "status", writable=True)
    local = Local()
    watcher = Watcher(
        board,
        {},
        probe=ProbeMaker(local),
        in_flight_max=IN_FLIGHT_MAX,
        behind=local.turns.behind,
    )
    ticker = Ticker(watcher.sweep)
    ticker.start()
    watched = targets(count)
    garbage.spare(watcher.load(Watchlist(1, watched, {"web": monitor})))
    await watcher.first_round.wait()
    await asyncio.sleep(monitor.interval_s)
    watcher.dispatcher.lateness_s.clear()
    started_s, used_s = time.monotonic(), cpu_s()
    checks = 0
    end_s = started_s + ROUNDS * monitor.interval_s
    lateness_ms: list[float] = []
    while time.monotonic() < end_s:
        await asyncio.sleep(0.5)
        lateness_ms += [1000 * late_s for late_s in watcher.dispatcher.lateness_s]
        watcher.dispatcher.lateness_s.clear()
    elapsed_s, used_s = time.monotonic() - started_s, cpu_s() - used_s
    checks = len(lateness_ms)
    up = sum(board.word(t.slot, t.tag).verdict is Verdict.UP for t in watched)
    ticker.stop()
    watcher.close()
    return {
        "core_percent": 100 * used_s / elapsed_s,
        "ms_each": 1000 * used_s / max(1, checks),
        "checks_per_s": checks / elapsed_s,
        "lateness_ms": lateness_ms,
        "up": up,
    }


def main() -> None:
    logging.getLogger("geodns").setLevel(logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, IN_FLIGHT_MAX + 64)), hard))
    directory, monitor, count = sys.argv[1:]
    rules = Monitor.model_validate_json(monitor)
    found = asyncio.run(measure(Path(directory), rules, int(count)))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

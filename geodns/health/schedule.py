"""When to check: due times on the monotonic clock, and the tick that looks at them.

The door to APScheduler.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

TICK_S = 0.05
"""How often due checks are looked for: a re-check is at most this late. Source: measured,
1.1 % of a core with nothing due; twice as often would cost twice that."""

STALL_S = 4 * TICK_S
"""Without a tick for so long the scheduler has lost its place. Source: no reference; short
against the default re-check spacing, long against a busy loop."""

JITTER = 0.05
"""Share of the interval by which checks are moved off their grid, so that they never march
in step with what the node does periodically. Source: Consul and gdnsd use the like."""


class Agenda:
    """What is due when: one time per key, earliest first. Changing a key is O(log n)."""

    def __init__(self) -> None:
        self._due_s: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def set(self, key: int, due_s: float) -> None:
        """Make ``key`` due at a time, instead of any earlier one."""
        self._due_s[key] = due_s
        heapq.heappush(self._heap, (due_s, key))

    def remove(self, key: int) -> None:
        """Make ``key`` due never."""
        self._due_s.pop(key, None)

    def pop(self, now_s: float) -> int | None:
        """Take out the key that has been due longest; None when nothing is due."""
        while self._heap and self._heap[0][0] <= now_s:
            due_s, key = heapq.heappop(self._heap)
            if self._due_s.get(key) == due_s:  # else it was set anew, or removed
                del self._due_s[key]
                return key
        return None


def fraction(name: str) -> float:
    """A number in [0, 1) that belongs to a name, the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big") / 2**48


def next_check_s(name: str, interval_s: float, now_s: float) -> float:
    """When a target's next regular check is due: its own phase of the interval, jittered.

    Shape: later than now by at most 1 + JITTER intervals; on average one check an interval.
    """
    phase_s = fraction(name) * interval_s
    number = math.floor((now_s - phase_s) / interval_s) + 1
    while True:
        early_s = fraction(f"{name}#{number}") * JITTER * interval_s
        due_s = phase_s + number * interval_s - early_s
        if due_s > now_s:
            return due_s
        number += 1


class Ticker:
    """Calls ``sweep`` every TICK_S, whatever the wall clock does."""

    def __init__(self, sweep: Callable[[], None]) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._sweep = sweep
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._job = self._scheduler.add_job(
            self._tick, _Always(), misfire_grace_time=None, coalesce=True, max_instances=8
        )
        self._ticked_s = time.monotonic()
        self._watchdog: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start on the running loop."""
        self._scheduler.start()
        self._watch()

    def stop(self) -> None:
        """Stop for good."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._scheduler.shutdown(wait=False)

    async def _tick(self) -> None:  # a coroutine function, else it would run in a thread
        self._ticked_s = time.monotonic()
        self._sweep()

    def _watch(self) -> None:
        """Set the job due if the wall clock stepped back and left it in the future."""
        if time.monotonic() - self._ticked_s > STALL_S:
            self._job.modify(next_run_time=datetime.fromtimestamp(0, UTC))
        self._watchdog = asyncio.get_running_loop().call_later(STALL_S, self._watch)


class _Always(BaseTrigger):  # type: ignore[misc]  # apscheduler is untyped
    """One tick from now. APScheduler's interval trigger counts from the last run instead,
    and after a step of the wall clock would go through every run it has missed."""

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + timedelta(seconds=TICK_S)

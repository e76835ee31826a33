"""When to check: due times on the monotonic clock, and the tick that looks at them.

The door to APScheduler.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import math
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Generic, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

K = TypeVar("K", bound=Hashable)

TICK_S = 0.05
"""How often due checks are looked for: a re-check is at most this late. Source: measured,
1.1 % of a core with nothing due; twice as often would cost twice that."""

STALL_S = 4 * TICK_S
"""Without a tick for so long the scheduler has lost its place. Source: no reference; short
against the default re-check spacing, long against a busy loop."""

JITTER = 0.05
"""Share of the interval by which checks are moved off their grid, so that they never march
in step with what the node does periodically. Source: Consul and gdnsd use the like."""


DEAD_INTERVALS, DEAD_S = 60, 300.0
"""Down for so many intervals, and so long, a target is checked less often. Source: no reference;
most restarts and reboots are over by then."""

BACK_OFF_MAX, BACK_OFF_MAX_S = 6, 60.0
"""How much longer its interval becomes at most. Source: no reference; a node that is repaired
after a day is back within a minute and a half."""


class Agenda(Generic[K]):
    """What is due when: one time per key, earliest first. Changing a key is O(log n)."""

    def __init__(self) -> None:
        self._due_s: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._number = itertools.count()

    def set(self, key: K, due_s: float) -> None:
        """Make ``key`` due at a time, instead of any other."""
        if self._due_s.get(key) != due_s:
            self._due_s[key] = due_s
            heapq.heappush(self._heap, (due_s, next(self._number), key))

    def remove(self, key: K) -> None:
        """Make ``key`` due never."""
        self._due_s.pop(key, None)

    def due_s(self, key: K) -> float | None:
        """When ``key`` is due; None if never."""
        return self._due_s.get(key)

    def pop(self, now_s: float) -> tuple[float, K] | None:
        """Take out what has been due longest, and when it was; None when nothing is due."""
        while self._heap and self._heap[0][0] <= now_s:
            due_s, _, key = heapq.heappop(self._heap)
            if self._due_s.get(key) == due_s:  # else it was set anew, or removed
                del self._due_s[key]
                return due_s, key
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


def back_off_s(interval_s: float, down_s: float) -> float:
    """The interval for a target that has been down so long: twice as long each time that doubles.

    Shape: within BACK_OFF_MAX intervals and BACK_OFF_MAX_S, and never below ``interval_s``.
    """
    dead_s = max(DEAD_S, DEAD_INTERVALS * interval_s)
    longest_s = max(interval_s, min(BACK_OFF_MAX * interval_s, BACK_OFF_MAX_S))
    if down_s < dead_s:
        return interval_s
    return min(longest_s, interval_s * math.exp2(1 + math.floor(math.log2(down_s / dead_s))))


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

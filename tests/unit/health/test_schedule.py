"""Due times, and a tick that no wall clock can stop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

import pytest
from apscheduler.schedulers import base

from geodns.health.schedule import JITTER, STALL_S, TICK_S, Agenda, Ticker, next_check_s


def test_the_longest_due_comes_first_and_nothing_comes_early() -> None:
    agenda: Agenda[int] = Agenda()
    for key, due_s in ((1, 3.0), (2, 1.0), (3, 2.0)):
        agenda.set(key, due_s)
    assert [agenda.pop(2.5) for _ in range(3)] == [(1.0, 2), (2.0, 3), None]
    assert agenda.pop(3.0) == (3.0, 1)


def test_a_key_is_due_once_at_its_latest_setting() -> None:
    agenda: Agenda[int] = Agenda()
    agenda.set(1, 1.0)
    agenda.set(1, 5.0)
    agenda.set(1, 5.0)
    assert agenda.pop(4.9) is None
    assert [agenda.pop(5.0), agenda.pop(9.0)] == [(5.0, 1), None]


def test_a_removed_key_is_never_due() -> None:
    agenda: Agenda[int] = Agenda()
    agenda.set(1, 1.0)
    agenda.remove(1)
    assert agenda.pop(9.0) is None


@pytest.mark.parametrize("interval_s", [0.2, 1.0, 5.0, 3600.0])
def test_checks_keep_their_interval_within_the_jitter(interval_s: float) -> None:
    due_s, gaps = 1000.0, []
    for _ in range(200):
        after_s = next_check_s("192.0.2.10 web", interval_s, due_s)
        gaps.append((after_s - due_s) / interval_s)
        due_s = after_s
    assert all(1 - JITTER <= gap <= 1 + JITTER for gap in gaps[1:])
    assert sum(gaps[1:]) / len(gaps[1:]) == pytest.approx(1, abs=0.001)
    assert len(set(gaps)) > 100


def test_many_targets_spread_over_the_interval() -> None:
    dues = [next_check_s(f"10.0.{n >> 8}.{n & 255} web", 10.0, 5000.0) for n in range(10_000)]
    per_second = Counter(int(due_s) for due_s in dues if 5000 <= due_s < 5009)
    assert max(per_second.values()) <= 1.5 * 1000


class SteppingWall(datetime):
    """A wall clock that can be set."""

    step = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.step


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365, 24 * 365])
def test_ticks_go_on_when_the_wall_clock_steps(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setattr(base, "datetime", SteppingWall)
    monkeypatch.setattr(SteppingWall, "step", timedelta())

    async def longest_gap_s() -> float:
        ticks: list[float] = []
        ticker = Ticker(lambda: ticks.append(time.monotonic()))
        ticker.start()
        await ticks_beyond(ticks, 2)
        SteppingWall.step = timedelta(hours=hours)
        await ticks_beyond(ticks, len(ticks) + 4)
        ticker.stop()
        return max(after - before for before, after in pairwise(ticks))

    assert asyncio.run(longest_gap_s()) < 5 * STALL_S


async def ticks_beyond(ticks: list[float], count: int) -> None:
    async with asyncio.timeout(5):
        while len(ticks) <= count:  # noqa: ASYNC110  # the tick is what is tested
            await asyncio.sleep(TICK_S / 2)

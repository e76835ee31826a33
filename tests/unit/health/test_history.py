"""The past of one target, bounded."""

from __future__ import annotations

import random

import pytest

from geodns.health.history import TRANSITIONS_MAX, WINDOWS, History, Transition
from geodns.snapshot.status import Verdict

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def change(history: History, after: Verdict, now_s: float) -> None:
    history.add(Transition(int(now_s), UNKNOWN, after, "", None, 0.0), now_s)


def test_unknown_time_counts_neither_way() -> None:
    history = History(1000.0)
    assert set(history.uptime(5000).values()) == {None}
    change(history, UP, 5000)
    assert history.uptime(5100)["1h"] == 1


def test_a_quarter_of_an_hour_down_is_a_quarter_of_its_hour() -> None:
    history = History(0.0, UP)
    change(history, DOWN, 7200)
    change(history, UP, 8100)
    shares = history.uptime(10_799)
    assert shares["1h"] == pytest.approx(0.75, abs=0.001)
    assert shares["24h"] == pytest.approx(1 - 900 / 10_799, abs=0.001)
    assert history.uptime(20_000)["1h"] == 1


def test_only_the_last_hundred_changes_are_kept() -> None:
    history = History(0.0)
    for number in range(500):
        change(history, UP if number % 2 else DOWN, number)
    assert len(history.transitions) == TRANSITIONS_MAX
    assert history.transitions[-1].at_ms == 499


@pytest.mark.parametrize("seed", range(20))
def test_uptime_is_what_adding_up_seconds_gives(seed: int) -> None:
    dice = random.Random(seed)
    history, now_s, seconds, verdict = History(0.0), 0, [], UNKNOWN
    for _ in range(40):
        lasted_s = dice.choice([1, 50, 299, 300, 4000, 90_000])
        seconds += [verdict] * lasted_s
        now_s += lasted_s
        verdict = dice.choice([UP, DOWN, UNKNOWN])
        change(history, verdict, now_s)
        if dice.random() < 0.3:
            history.uptime(now_s)
    for name, (width_s, buckets) in WINDOWS.items():
        first_s = max(0, int((now_s // width_s - buckets + 1) * width_s))
        window = seconds[first_s:]
        known = window.count(UP) + window.count(DOWN)
        share = history.uptime(now_s)[name]
        assert share == (pytest.approx(window.count(UP) / known, abs=1e-4) if known else None)

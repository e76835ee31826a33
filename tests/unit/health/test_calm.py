"""Simulated time: fast enough for real deaths, calm about everything else."""

from __future__ import annotations

import random
from importlib.resources import files

import pytest
from support.simulated import changed_hours, lived

from geodns.document.load import read_yaml
from geodns.snapshot.status import Verdict

HOURS = 1000
"""`python -m tests.soak.health` takes twenty times as many."""


def test_one_check_in_ten_failing_changes_at_most_one_target_hour_in_a_hundred() -> None:
    changed = changed_hours(seed=6, hours=HOURS, failing=0.1)
    assert 0 < changed <= HOURS / 100


@pytest.mark.parametrize("interval_s", [1, 5, 10])
@pytest.mark.parametrize("seed", range(50))
def test_an_isolated_death_of_30_seconds_goes_and_comes_back_once(
    interval_s: int, seed: int
) -> None:
    died_s = random.Random(seed).uniform(600, 700)
    life = lived(
        lambda now_s: not died_s <= now_s < died_s + 30,
        3600,
        name=f"node {seed}",
        interval_s=interval_s,
    )
    assert life.named() == ["down", "up"]
    (fell_s, _), (rose_s, _) = life.changes
    assert fell_s - died_s <= 1.05 * interval_s + 1
    assert rose_s - died_s - 30 <= 2 * 1.05 * interval_s


@pytest.mark.parametrize("interval_s", [1, 5, 10])
@pytest.mark.parametrize(
    "period_s", [1, 1.7, 2, 3, 4, 6, 7, 8, 11, 12, 20, 30, 45, 60, 75, 90, 100, 119, 120]
)
def test_a_target_that_flaps_stays_down_after_its_second_fall(
    interval_s: int, period_s: float
) -> None:
    phase_s = random.Random(f"{interval_s} {period_s}").uniform(0, period_s)
    life = lived(
        lambda now_s: (now_s + phase_s) % period_s < period_s / 2,
        2 * 3600,
        name=f"node {period_s}",
        interval_s=interval_s,
    )
    assert life.named() == ["down", "up", "down"][: len(life.changes)]
    if len(life.changes) == 3:
        assert life.changes[2][0] - life.changes[0][0] <= 600


def test_without_damping_every_fall_and_return_is_seen() -> None:
    life = lived(lambda now_s: now_s % 60 < 30, 3600 + 40, interval_s=5, damping=False)
    assert life.named() == ["down", "up"] * 60 + ["down"]


def test_a_node_of_the_demo_comes_back_as_often_as_it_is_stopped() -> None:
    demo = read_yaml((files("geodns.data") / "demo.yaml").read_text())
    times = {key: demo["monitors"]["web"][key] for key in ("interval_s", "damping")}
    life = lived(lambda now_s: now_s % 20 < 15, 200, **times)
    assert life.named() == ["down", "up"] * 9 + ["down"]
    returns_s = [at_s % 20 for at_s, verdict in life.changes if verdict is Verdict.UP]
    assert max(returns_s) < 2 * 1.05 + 0.1


@pytest.mark.parametrize("period_s", [30, 60, 90, 120])
def test_slow_flaps_are_all_found(period_s: float) -> None:
    life = lived(lambda now_s: now_s % period_s < period_s / 2, 3600, interval_s=5)
    assert life.named() == ["down", "up", "down"]


def test_a_flapping_target_that_has_been_steady_comes_back() -> None:
    life = lived(lambda now_s: now_s > 600 or now_s % 60 < 30, 3600, interval_s=5)
    assert life.named() == ["down", "up", "down", "up"]
    assert 120 <= life.changes[-1][0] - 600 <= 510


def test_deaths_an_hour_apart_are_not_held_against_a_target() -> None:
    life = lived(lambda now_s: now_s % 3600 < 3570, 5 * 3600 - 60, interval_s=5)
    assert life.named() == ["down", "up"] * 4
    assert all(
        rose_s - fell_s < 40
        for (fell_s, _), (rose_s, _) in zip(life.changes[::2], life.changes[1::2], strict=True)
    )

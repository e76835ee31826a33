"""Perhaps it is me: who falls when much fails at once, and who never does."""

from __future__ import annotations

import logging
import random

import pytest
from support.stage import FAIL, PASS, Play, Stage, target, web

from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

NODES = 10
CANARY = Monitor(type="http", host="canary.example", canary=True, interval_s=1.0)


def load(stage: Stage, nodes: int = NODES, sites: int = NODES, *, canary: bool = False) -> None:
    targets = [target(slot, tag=7, nodes=[f"site{slot % sites}"]) for slot in range(nodes)]
    monitors = {"web": web()} | ({"net": CANARY} if canary else {})
    stage.load(*targets, **monitors)


def fail(stage: Stage, slots: range) -> None:
    stage.results |= {f"192.0.2.{slot}": FAIL for slot in slots}


def down(stage: Stage, nodes: int = NODES) -> set[int]:
    return {slot for slot in range(nodes) if stage.word(slot).verdict is Verdict.DOWN}


async def never_down(stage: Stage, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        await stage.run(0.05)
        assert down(stage) == set()


@pytest.mark.parametrize("canary", [False, True])
@pytest.mark.parametrize("lost_after_s", [0.0, 2.0])
def test_a_cut_network_marks_nothing_and_raises_one_alarm(
    play: Play, caplog: pytest.LogCaptureFixture, canary: bool, lost_after_s: float
) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, canary=canary)
        await stage.run(3)
        stage.cut, stage.lost_after_s = True, lost_after_s
        await never_down(stage, 20)
        assert not any(stage.word(slot).unsettled for slot in range(NODES))
        stage.cut = False
        await never_down(stage, 10)

    play(scene)
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert ["perhaps it is me: 10 of 10 targets in 10 sites" in r.getMessage() for r in told] == [
        True
    ]
    assert ("canaries" in told[0].getMessage()) is canary
    assert "something answers again" in caplog.text


@pytest.mark.parametrize("canary", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_cut_of_any_length_marks_nothing(play: Play, canary: bool, seed: int) -> None:
    dice = random.Random(seed)

    async def scene(stage: Stage) -> None:
        load(stage, canary=canary)
        await stage.run(3)
        for _ in range(4):
            await stage.run(dice.uniform(0, 1))
            stage.cut, stage.lost_after_s = True, dice.choice([0.0, 0.5, 2.0])
            await never_down(stage, dice.uniform(0.1, 6))
            stage.cut = False
            await never_down(stage, 4)

    play(scene)


@pytest.mark.parametrize("canary", [False, True])
def test_a_dead_node_falls_in_time_while_others_answer(play: Play, canary: bool) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, canary=canary)
        await stage.run(3)
        fail(stage, range(1))
        await stage.run(1.05 + 0.8 + 0.15)
        assert down(stage) == {0}

    play(scene)


def test_when_all_but_one_fail_they_fall(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        load(stage)
        await stage.run(3)
        fail(stage, range(NODES - 1))
        await stage.run(6)
        assert down(stage) == set(range(NODES - 1))

    play(scene)


def test_when_all_fail_but_a_canary_answers_they_fall(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, canary=True)
        await stage.run(3)
        fail(stage, range(NODES))
        await stage.run(2.2)
        assert down(stage) == set(range(NODES))

    play(scene)


@pytest.mark.parametrize(("failing", "falls"), [(1, True), (5, True), (6, False)])
def test_with_dead_canaries_up_to_half_of_all_may_fall(
    play: Play, failing: int, falls: bool
) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, canary=True)
        await stage.run(3)
        stage.results["canary.example"] = FAIL
        fail(stage, range(failing))
        await stage.run(12)
        assert down(stage) == (set(range(failing)) if falls else set())

    play(scene)


def test_with_dead_canaries_a_fleet_that_recovers_is_judged_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, canary=True)
        await stage.run(3)
        stage.results["canary.example"] = FAIL
        fail(stage, range(NODES))
        await stage.run(10)
        stage.results = {"canary.example": FAIL, "192.0.2.3": FAIL}
        await stage.run(10)
        assert down(stage) == {3}

    play(scene)


@pytest.mark.parametrize(("nodes", "sites"), [(4, 4), (10, 2), (1, 1)])
def test_too_few_targets_or_sites_fail_by_themselves(play: Play, nodes: int, sites: int) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, nodes, sites)
        await stage.run(3)
        stage.cut = True
        await stage.run(2.2)
        assert down(stage, nodes) == set(range(nodes))

    play(scene)


def test_a_canary_is_asked_within_the_burst(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        slow = CANARY.model_copy(update={"interval_s": 3600.0})
        targets = [target(slot, nodes=[f"site{slot}"]) for slot in range(NODES)]
        stage.load(*targets, web=web(), net=slow)
        await stage.run(3)
        stage.started.clear()
        fail(stage, range(1))
        await stage.run(3)
        last = stage.starts("192.0.2.0")
        assert down(stage) == {0}
        assert [at_s for at_s in stage.starts("canary.example") if at_s in last]

    play(scene)


def test_a_node_that_really_died_in_a_cut_falls_after_it(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        load(stage)
        await stage.run(3)
        stage.cut = True
        await never_down(stage, 10)
        fail(stage, range(2))
        stage.cut = False
        await stage.run(4)
        assert down(stage) == {0, 1}
        stage.results = {"192.0.2.0": PASS, "192.0.2.1": PASS}
        await stage.run(4)
        assert down(stage) == set()

    play(scene)


def test_ready_does_not_wait_for_a_cut_network(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.cut = True
        load(stage)
        await never_down(stage, 6)
        assert stage.watcher.first_round.is_set()

    play(scene)


@pytest.mark.parametrize(("nodes", "timeout_s"), [(1, 2.0), (NODES, 2.0), (NODES, 0.5)])
@pytest.mark.parametrize("seed", range(5))
def test_a_black_hole_is_out_within_interval_and_two_timeouts(
    play: Play, nodes: int, timeout_s: float, seed: int
) -> None:
    async def scene(stage: Stage) -> None:
        load(stage, nodes)
        await stage.run(3 + random.Random(seed).random())
        stage.lost, stage.lost_after_s = {"192.0.2.0"}, timeout_s
        await stage.run(1.05 + 2 * timeout_s + 1)
        assert down(stage, nodes) == {0}

    play(scene)

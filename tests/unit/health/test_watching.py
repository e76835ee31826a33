"""The watcher at large: shared checks, limits, pace, slow start, derived verdicts, the past."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from support.stage import FAIL, Play, Stage, target, web

from geodns.health import dispatch
from geodns.health.board import Board
from geodns.health.derived import Push
from geodns.health.journal import What, open_journal
from geodns.health.observation import unable
from geodns.health.schedule import back_off_s
from geodns.model.monitor import Monitor
from geodns.snapshot.status import FULL_WEIGHT, Verdict, Word, create_table


def test_checks_that_send_the_same_are_one(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        same = {"monitor": "copy", "probe_address": "10.0.0.1"}
        stage.load(
            target(0, probe_address="10.0.0.1"),
            target(1, probe_address="10.0.0.1"),
            target(2, **same),
            web=web(),
            copy=web(rise=5, interval_s=2.0),
        )
        await stage.run(10)
        assert 9 <= len(stage.starts("10.0.0.1")) <= 12
        stage.results["10.0.0.1"] = FAIL
        await stage.run(2.2)
        assert [stage.word(slot).verdict for slot in range(3)] == [Verdict.DOWN] * 3
        stage.results.clear()
        await stage.run(2.2)
        assert [stage.word(slot).verdict for slot in range(3)] == [
            Verdict.UP,
            Verdict.UP,
            Verdict.DOWN,
        ]

    play(scene)


def test_one_failing_address_of_a_node_drops_that_address_only(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(0, nodes=["fra1"]), target(1, nodes=["fra1"]))
        stage.results["192.0.2.0"] = FAIL
        await stage.run(3)
        assert [stage.word(slot).verdict for slot in (0, 1)] == [Verdict.DOWN, Verdict.UP]

    play(scene)


def test_one_address_is_never_probed_by_too_many_at_once(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "HOST_IN_FLIGHT_MAX", 3)

    async def scene(stage: Stage) -> None:
        stage.hanging = {"10.0.0.1"}
        monitors = {f"m{n}": web(port=1000 + n) for n in range(10)}
        stage.load(
            *(target(n, monitor=f"m{n}", probe_address="10.0.0.1") for n in range(10)),
            target(20),
            **monitors,
            web=web(),
        )
        await stage.run(2)
        assert len(stage.starts("10.0.0.1")) == 3
        assert len(stage.starts("192.0.2.20")) >= 2
        stage.hanging.clear()
        await stage.run(1.5)
        assert [stage.word(n).verdict for n in range(10)] == [Verdict.UP] * 10

    play(scene)


def many(tmp_path: Path, count: int) -> Stage:
    create_table(tmp_path / "many", count)
    return Stage(Board(tmp_path / "many", writable=True))


def hosts(count: int) -> list[str]:
    return [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(count)]


def test_ten_thousand_checks_are_spread_and_start_in_time(tmp_path: Path) -> None:
    """All due at once at the start, then by their phases, then again all at once after the
    checker itself was held up for two intervals."""

    async def scene() -> None:
        stage = many(tmp_path, 10_000)
        slots = enumerate(hosts(10_000))
        stage.load(*(target(n, address=a) for n, a in slots), web=web(interval_s=10.0))
        await stage.run(10.5)
        assert len({who for _, who in stage.started}) == 10_000
        assert peak(stage.started) <= 1.5
        late_s = sorted(stage.watcher.dispatcher.lateness_s)
        assert len(late_s) >= 8000
        assert late_s[int(len(late_s) * 0.99)] <= 0.25
        stage.now_s += 20
        stage.started.clear()
        await stage.run(8)
        assert peak(stage.started) <= 1.5
        stage.watcher.close()

    asyncio.run(scene())


def test_a_checker_that_is_often_held_up_does_not_fall_behind(tmp_path: Path) -> None:
    """For a second in each one and a half it is given no core."""

    async def scene() -> None:
        stage = many(tmp_path, 2000)
        slots = enumerate(hosts(2000))
        stage.load(*(target(n, address=a) for n, a in slots), web=web(interval_s=2.0))
        await stage.run(3)
        stage.watcher.dispatcher.lateness_s.clear()
        stage.started.clear()
        for _ in range(20):
            await stage.run(0.5)
            await stage.run(1, tick_s=1)
        assert len(stage.started) >= 0.95 * 20 * 1.5 * 1000
        assert max(stage.watcher.dispatcher.lateness_s) <= 1.5
        stage.watcher.close()

    asyncio.run(scene())


def peak(started: list[tuple[float, str]]) -> float:
    """The busiest fifth of a second against the mean of 1,000 checks a second."""
    fifths = Counter(int(at_s * 5) for at_s, _ in started)
    return max(fifths.values()) / 200


@pytest.mark.parametrize(
    ("interval_s", "down_s", "wanted_s"),
    [(5, 0, 5), (5, 299, 5), (5, 300, 10), (5, 600, 20), (5, 9e9, 30), (1, 9e9, 6), (60, 9e9, 60)],
)
def test_the_long_dead_are_asked_less_often(
    interval_s: float, down_s: float, wanted_s: float
) -> None:
    assert back_off_s(interval_s, down_s) == wanted_s


def test_a_long_dead_target_that_answers_is_asked_as_before(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.load(target())
        await stage.run(1300, tick_s=0.2)
        stage.started.clear()
        await stage.run(60)
        assert 9 <= len(stage.starts("192.0.2.0")) <= 12
        stage.results.clear()
        await stage.run(6.4 + 1.2)
        assert stage.word().verdict is Verdict.UP

    play(scene)


def test_a_target_that_comes_back_starts_slowly(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(slow_start_s=20))
        await stage.run(3)
        assert stage.word().weight_factor == FULL_WEIGHT
        stage.results["192.0.2.0"] = FAIL
        await stage.run(3)
        stage.results.clear()
        while stage.word().verdict is Verdict.DOWN:
            await stage.run(0.05)
        weights = []
        for _ in range(22):
            weights.append(stage.word().weight_factor)
            await stage.run(1)
        assert weights[0] == 25
        assert weights == sorted(weights)
        assert abs(weights[10] - 0.55 * 255) < 15
        assert stage.word().weight_factor == FULL_WEIGHT

    play(scene)


def test_what_cannot_be_probed_is_not_judged(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        await stage.run(2)
        stage.results["192.0.2.0"] = unable("no descriptors are left")
        await stage.run(5)
        assert stage.word() == Word(7, Verdict.UP)
        assert stage.board.note(0).reason == "no descriptors are left"

    play(scene)


def test_what_can_never_be_probed_does_not_hold_up_the_first_round(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = unable("scripts are off here")
        stage.load(target())
        await stage.run(0.2)
        assert stage.watcher.first_round.is_set()
        assert stage.word().verdict is Verdict.UNKNOWN

    play(scene)


def test_combined_monitors_follow_their_parts(play: Play) -> None:
    both = Monitor(type="all", of=("web", "other"))
    neither = Monitor(type="not", of=("both",))

    async def scene(stage: Stage) -> None:
        stage.load(
            target(0, monitor="both"),
            target(1, monitor="neither", address="192.0.2.0"),
            web=web(),
            other=web(port=81),
            both=both,
            neither=neither,
        )
        assert stage.word(0).verdict is Verdict.UNKNOWN
        await stage.run(1.2)
        assert [stage.word(n).verdict for n in (0, 1)] == [Verdict.UP, Verdict.DOWN]
        assert stage.board.note(0).reason == "all: web up, other up"
        stage.results["192.0.2.0"] = FAIL
        await stage.run(2.2)
        assert [stage.word(n).verdict for n in (0, 1)] == [Verdict.DOWN, Verdict.UP]

    play(scene)


def push(verdict: Verdict, lease_s: float = 5.0) -> Push:
    return Push("agent", "fra1", verdict, lease_s, reason="disk full")


def test_a_pushed_verdict_holds_for_its_lease_and_lapses_to_down(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        agent = Monitor(type="push", lease_s=10)
        stage.load(target(monitor="agent"), agent=agent)
        await stage.run(20)
        assert stage.word().verdict is Verdict.UNKNOWN
        assert stage.watcher.push(push(Verdict.DOWN)) == 1
        assert (stage.word().verdict, stage.board.note(0).reason) == (Verdict.DOWN, "disk full")
        stage.watcher.push(push(Verdict.UP))
        await stage.run(4.9)
        assert stage.word().verdict is Verdict.UP
        await stage.run(0.3)
        assert stage.word().verdict is Verdict.DOWN
        assert stage.board.note(0).reason == "nothing pushed for 5 s, lease 5 s"

    play(scene)


def test_leases_stand_still_while_nobody_can_push(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(monitor="agent"), agent=Monitor(type="push", lease_s=10))
        stage.watcher.push(push(Verdict.UP))
        stage.watcher.pushable(False)
        await stage.run(60)
        stage.watcher.pushable(True)
        await stage.run(4.8)
        assert stage.word().verdict is Verdict.UP
        await stage.run(0.4)
        assert stage.word().verdict is Verdict.DOWN

    play(scene)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_of_the_wall_clock_marks_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(*(target(n) for n in range(4)), agent=Monitor(type="push", lease_s=60))
        stage.results["192.0.2.3"] = FAIL
        await stage.run(5)
        before = [stage.word(n).verdict for n in range(4)]
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + hours * 3600 * 10**9)
        for _ in range(100):
            await stage.run(0.1)
            assert [stage.word(n).verdict for n in range(4)] == before

    play(scene)


def test_changes_are_written_down_and_told(tmp_path: Path, board: Board) -> None:
    async def scene() -> None:
        journal = open_journal(tmp_path / "journal", records=16)
        stage = Stage(board, journal=journal)
        stage.load(target(address="192.0.2.0"))
        await stage.run(3)
        stage.results["192.0.2.0"] = FAIL
        await stage.run(3)
        first, second = journal.since(0)
        assert (first.before, first.after) == (Verdict.UNKNOWN, Verdict.UP)
        assert (second.what, second.after, second.reason) == (
            What.TRANSITION,
            Verdict.DOWN,
            "connection refused",
        )
        assert (second.address, second.monitor, second.slot, second.tag) == (
            "192.0.2.0",
            "web",
            0,
            7,
        )
        assert 2000 < second.lasted_ms < 5000
        (told,) = stage.watcher.told([("192.0.2.0", "web"), ("192.0.2.9", "web")])
        assert [each["after"] for each in told["transitions"]] == ["up", "down"]
        assert told["last"]["reason"] == "connection refused"
        assert 0 < told["next_check_in_s"] <= 1.1
        assert 0.3 < told["uptime"]["1h"] < 0.9
        stage.watcher.close()

    asyncio.run(scene())

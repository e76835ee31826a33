"""The watcher: which checks start when, and what stands in the status table."""

from __future__ import annotations

import asyncio
import logging
import time
from itertools import count
from pathlib import Path

import pytest
from support.stage import FAIL, PASS, SLOTS, Play, Stage, target, web

from geodns.health.board import Board
from geodns.health.journal import open_journal
from geodns.health.observation import Observation
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict, Word


def test_a_new_target_is_checked_at_once_and_shown_up(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        assert stage.word() == Word(7)
        await stage.run(0.1)
        assert stage.word() == Word(7, Verdict.UP)
        note = stage.board.note(0)
        assert (note.reason, note.elapsed_us) == ("HTTP 200", 1500)
        assert note.since_ms == note.checked_ms
        assert abs(note.checked_ms / 1000 - time.time()) < 5

    play(scene)


def test_one_moment_stands_in_all_that_comes_of_an_observation(
    tmp_path: Path, board: Board
) -> None:
    async def scene() -> None:
        looks_ms = count(1_700_000_000_000)
        journal = open_journal(tmp_path / "journal", records=16)
        stage = Stage(board, wall_ms=lambda: next(looks_ms), journal=journal)
        both = Monitor(type="all", of=("web", "again"))
        combined = target(1, address="192.0.2.0", monitor="both")
        stage.load(target(), combined, web=web(), again=web(), both=both)
        await stage.run(0.1)
        notes = [board.note(slot) for slot in (0, 1)]
        told_ms = [record.at_ms for record in journal.since(0)]
        assert len(told_ms) == 2
        assert len({*told_ms, *(ms for n in notes for ms in (n.since_ms, n.checked_ms))}) == 1
        stage.watcher.close()

    asyncio.run(scene())


def test_a_refused_target_is_out_within_interval_and_rechecks(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        await stage.run(3)
        stage.results["192.0.2.0"] = FAIL
        waited_s = 0.0
        while stage.word().verdict is not Verdict.DOWN:
            await stage.run(0.05)
            waited_s += 0.05
        assert waited_s <= 1.05 + 4 * 0.2 + 2 * 0.05
        assert stage.word().unsettled
        assert stage.board.note(0).reason == "connection refused"

    play(scene)


def test_hanging_rechecks_run_side_by_side(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        await stage.run(1)
        stage.results["192.0.2.0"] = FAIL
        while not stage.word().unsettled:
            await stage.run(0.05)
        stage.hanging.add("192.0.2.0")
        stage.started.clear()
        await stage.run(2)
        starts = stage.starts("192.0.2.0")
        assert len(starts) == 4
        assert starts[-1] - starts[0] == pytest.approx(0.6, abs=0.06)
        assert stage.word().verdict is Verdict.UP
        stage.hanging.clear()
        await stage.run(0.05)
        assert stage.word().verdict is Verdict.DOWN

    play(scene)


def test_a_decided_burst_leaves_no_probe_hanging(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.stuck = {2, 3}
        stage.load(target())
        await stage.run(0.5)
        assert (len(stage.started), stage.watcher.dispatcher.in_flight) == (3, 2)
        stage.results["192.0.2.0"] = PASS
        await stage.run(0.2)
        assert stage.word().verdict is Verdict.UP
        assert (stage.cancelled, stage.watcher.dispatcher.in_flight) == (2, 0)

    play(scene)


def test_a_slow_target_has_one_regular_check_under_way(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        stage.hanging.add("192.0.2.0")
        await stage.run(5)
        assert len(stage.started) == 1

    play(scene)


def test_a_target_comes_back_after_its_rise(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.load(target())
        await stage.run(2)
        assert stage.word().verdict is Verdict.DOWN
        stage.results.clear()
        await stage.run(1)
        assert stage.word().verdict is Verdict.DOWN
        await stage.run(1.2)
        assert stage.word().verdict is Verdict.UP
        await stage.run(4.2)
        assert not stage.word().unsettled

    play(scene)


def test_unchanged_words_leave_the_epoch_alone_and_renew_the_note(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target())
        await stage.run(0.1)
        epoch = stage.board.epoch
        stage.results["192.0.2.0"] = Observation(True, "HTTP 204", 2.0)
        await stage.run(3)
        assert stage.board.epoch == epoch
        assert stage.board.note(0).reason == "HTTP 204"

    play(scene)


def test_a_target_without_monitor_is_never_probed(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(monitor=None))
        await stage.run(3)
        assert stage.started == []
        assert stage.board.words[0] == Word(7).pack()
        assert stage.watcher.first_round.is_set()

    play(scene)


def test_a_probe_address_is_probed_instead(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(probe_address="10.0.0.1"))
        await stage.run(0.1)
        assert [who for _, who in stage.started] == ["10.0.0.1"]

    play(scene)


def test_a_new_generation_leaves_unchanged_targets_alone(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.load(target(), target(1))
        await stage.run(2.2)
        epoch, checks = stage.board.epoch, stage.starts("192.0.2.0")
        stage.load(target(nodes=["fra1", "fra2"]), target(1), generation=2)
        assert stage.board.epoch == epoch
        await stage.run(0.1)
        assert len(stage.starts("192.0.2.0")) <= len(checks) + 1
        assert stage.word().verdict is Verdict.DOWN

    play(scene)


def test_changed_settings_keep_the_verdict_and_ask_again_soon(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.load(target(), web=web(interval_s=1.0))
        await stage.run(2)
        assert stage.word().verdict is Verdict.DOWN
        stage.started.clear()
        stage.load(target(), generation=2, web=web(interval_s=3600.0, path="/new"))
        assert stage.word().verdict is Verdict.DOWN
        await stage.run(0.1)
        assert len(stage.started) == 1

    play(scene)


def test_a_removed_target_is_probed_no_more(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(), target(1))
        await stage.run(0.1)
        stage.hanging.add("192.0.2.0")
        await stage.run(1.2)
        stage.started.clear()
        stage.load(target(1), generation=2)
        await stage.run(3)
        assert stage.starts("192.0.2.0") == []
        assert stage.cancelled == 1

    play(scene)


def test_a_slot_dealt_anew_starts_unknown_under_its_new_tag(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = FAIL
        stage.load(target())
        await stage.run(2)
        stage.hanging.add("198.51.100.9")
        stage.load(target(tag=99, address="198.51.100.9"), generation=2)
        assert stage.board.words[0] == Word(99).pack()
        await stage.run(0.1)
        assert stage.started[-1][1] == "198.51.100.9"

    play(scene)


def test_the_first_round_ends_when_every_target_is_decided(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.1"] = FAIL
        stage.load(target(), target(1))
        await stage.run(0.3)
        assert stage.word(0).verdict is Verdict.UP
        assert not stage.watcher.first_round.is_set()
        await stage.run(0.7)
        assert stage.watcher.first_round.is_set()

    play(scene)


def test_dead_targets_hold_up_nobody_within_the_limit(board: Board) -> None:
    async def scene() -> None:
        stage = Stage(board, in_flight_max=20)
        stage.hanging = {f"192.0.2.{slot}" for slot in range(19)}
        stage.load(*(target(slot) for slot in range(20)))
        await stage.run(5)
        assert stage.watcher.dispatcher.in_flight == 19
        assert 4 <= len(stage.starts("192.0.2.19")) <= 6
        stage.watcher.close()

    asyncio.run(scene())


def test_no_more_probes_run_than_the_limit_allows(board: Board) -> None:
    async def scene() -> None:
        stage = Stage(board, in_flight_max=5)
        stage.hanging = {f"192.0.2.{slot}" for slot in range(20)}
        stage.load(*(target(slot) for slot in range(20)))
        await stage.run(2)
        assert len(stage.started) == 5
        stage.hanging.clear()
        await stage.run(1)
        assert {who for _, who in stage.started} == {f"192.0.2.{slot}" for slot in range(20)}
        stage.watcher.close()

    asyncio.run(scene())


def test_a_bug_in_a_probe_is_a_failed_check_and_a_log_line(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        stage.results["192.0.2.0"] = Observation(True, "raise", None)
        stage.load(target())
        await stage.run(2)
        assert stage.word().verdict is Verdict.DOWN
        assert stage.board.note(0).reason == "probe failed: ZeroDivisionError: a bug"

    play(scene)
    assert "probe failed in itself" in caplog.text


def test_transitions_are_told_in_one_line(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "geodns.health")

    async def scene(stage: Stage) -> None:
        stage.load(target(monitor="web", address="192.0.2.10", nodes=["fra1", "fra2"]))
        await stage.run(30)
        stage.results["192.0.2.10"] = Observation(False, "HTTP 503, wanted 200-299", 3.0)
        await stage.run(2)

    play(scene)
    first, second = [text for text in caplog.messages if "->" in text]
    assert first == "web 192.0.2.10 (fra1, fra2): unknown -> up: HTTP 200"
    assert second.startswith("web 192.0.2.10 (fra1, fra2): up -> down after 3")
    assert second.endswith(" s: HTTP 503, wanted 200-299")


def test_a_slot_beyond_the_table_is_refused_alone(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        stage.load(target(SLOTS), target(1))
        await stage.run(0.1)
        assert stage.word(1).verdict is Verdict.UP

    play(scene)
    assert f"no slot {SLOTS} in the status table" in caplog.text

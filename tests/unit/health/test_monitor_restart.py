"""The watcher after a restart: what the file and the table still know."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from support.stage import FAIL, PASS, Stage, target, web

from geodns.health.board import Board
from geodns.health.memory import Memory, Remembered, recall, remember
from geodns.snapshot.status import Note, Verdict, Word


def remembered(verdict: str, age_s: float) -> Memory:
    checked_ms = int((time.time() - age_s) * 1000)
    item = Remembered.model_validate(
        {
            "address": "192.0.2.0",
            "monitor": "web",
            "verdict": verdict,
            "since_ms": checked_ms - 60_000,
            "checked_ms": checked_ms,
        }
    )
    return {("192.0.2.0", "web"): item}


@pytest.mark.parametrize(
    ("age_s", "verdict"),
    [(8, Verdict.DOWN), (12, Verdict.UNKNOWN), (-8, Verdict.DOWN), (-3600, Verdict.UNKNOWN)],
)
def test_a_young_verdict_outlives_the_process(board: Board, age_s: float, verdict: Verdict) -> None:
    async def scene() -> None:
        stage = Stage(board, remembered("down", age_s))
        stage.load(target())
        assert stage.word() == Word(7, verdict)
        stage.watcher.close()

    asyncio.run(scene())


def test_the_table_knows_better_than_an_older_file(board: Board) -> None:
    async def scene() -> None:
        now_ms = int(time.time() * 1000)
        board.write(0, Word(7, Verdict.DOWN), Note(now_ms - 5000, now_ms - 1000, 0, "refused"))
        stage = Stage(board, remembered("up", 3))
        stage.load(target())
        assert stage.word().verdict is Verdict.DOWN
        assert not stage.watcher.first_round.is_set()
        stage.watcher.close()

    asyncio.run(scene())


def test_what_was_remembered_is_given_to_the_first_generation_alone(board: Board) -> None:
    async def scene() -> None:
        stage = Stage(board, remembered("down", 1))
        stage.load(target(1))
        stage.load(target(0), generation=2)
        assert stage.word().verdict is Verdict.UNKNOWN
        stage.watcher.close()

    asyncio.run(scene())


async def flapped(board: Board, directory: Path) -> None:
    """A life in which a target is held down, and which is remembered."""
    stage = Stage(board)
    stage.load(target())
    for result in (FAIL, PASS, FAIL, PASS):
        stage.results["192.0.2.0"] = result
        await stage.run(6)
    assert stage.word().verdict is Verdict.DOWN
    remember(directory, stage.watcher.verdicts())
    stage.watcher.close()


def test_a_flapping_target_is_still_held_down_after_a_restart(board: Board, tmp_path: Path) -> None:
    async def scene() -> None:
        await flapped(board, tmp_path)
        after = Stage(board, recall(tmp_path))
        after.load(target())
        await after.run(100)
        assert after.word().verdict is Verdict.DOWN
        assert after.board.note(0).reason.startswith("flaps, held down for")
        await after.run(400)
        assert after.word().verdict is Verdict.UP
        after.watcher.close()

    asyncio.run(scene())


def test_what_was_held_before_the_restart_is_free_without_damping(
    board: Board, tmp_path: Path
) -> None:
    async def scene() -> None:
        await flapped(board, tmp_path)
        after = Stage(board, recall(tmp_path))
        after.load(target(), web=web(damping=False))
        await after.run(1.5)
        assert after.word().verdict is Verdict.UP
        after.watcher.close()

    asyncio.run(scene())

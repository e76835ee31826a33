"""A store that is replaced is the old one or the new one, wherever the replacing ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geodns.store.backup import restore
from geodns.store.base import Write
from geodns.store.file import DAMAGED, replace
from geodns.store.sqlite import SqliteStore

STEPS = ("geodns.store.file.os.rename", "pathlib.Path.rename", "pathlib.Path.hardlink_to")


class Killed(BaseException):
    """No code that mends after errors runs when a process is killed."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that was killed: some of what it holds is in its log alone."""
    live, path = tmp_path / "live.db", tmp_path / "store.db"
    store = fill(live, 1)
    store.commit([Write("node", ("logged",), {})], base=1, actor="a")
    for side in ("", "-wal"):
        shutil.copyfile(f"{live}{side}", f"{path}{side}")
    store.close()
    return path


def fill(path: Path, weight: int) -> SqliteStore:
    store = SqliteStore(path)
    store.commit([Write("node", ("a",), {"weight": weight})], base=0, actor="a")
    return store


def content(path: Path) -> Any:
    store = SqliteStore(path)
    try:
        return store.read()
    finally:
        store.close()


def interrupted(monkeypatch: pytest.MonkeyPatch, at: int, do: Callable[[], object]) -> bool:
    """Do it, and end at the step before which so many were made; whether there was one."""
    made = 0

    def step(target: str, real: Callable[..., Any]) -> None:
        def counted(*arguments: Any) -> Any:
            nonlocal made
            if made == at:
                raise Killed
            made += 1
            return real(*arguments)

        patch.setattr(target, counted)

    with monkeypatch.context() as patch:
        import os

        reals = (os.rename, Path.rename, Path.hardlink_to)
        for target, real in zip(STEPS, reals, strict=True):
            step(target, real)
        try:
            do()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("at", range(9))
def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new_one(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    copy = tmp_path / "copy"
    fill(copy, 7).close()
    for side in ("", "-wal"):
        shutil.copyfile(f"{path}{side}", tmp_path / f"same{side}")
    old, new = content(tmp_path / "same"), content(copy)
    assert old != new
    ended = not interrupted(monkeypatch, at, lambda: restore(copy, path))
    found = content(path)
    assert found == new if ended else found in (old, new)
    restore(copy, path)
    assert content(path) == new


@pytest.mark.parametrize("at", range(9))
def test_a_file_that_takes_the_place_of_a_damaged_one_never_meets_its_log(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    draft = tmp_path / "store.db.draft"
    fill(draft, 7).close()
    new = content(draft)
    started = interrupted(monkeypatch, at, lambda: replace(path, draft, DAMAGED))
    moved = not draft.exists()
    assert content(path) == new if moved else started
    if moved:
        assert content(tmp_path / "store.db.damaged")[0] == 2


def test_all_steps_are_tried(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "copy", 7).close()
    assert not interrupted(monkeypatch, 8, lambda: restore(tmp_path / "copy", path))
    assert content(tmp_path / "store.db.replaced")[0] == 2

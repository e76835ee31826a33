"""What becomes of a store's files while it is in use: removed, replaced, spoilt, grown, copied."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.store import prune
from geodns.store.backup import backup
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore

from .test_damage import TOKEN, content_of, fill, numbers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.mark.parametrize("side", ["-wal", "-shm"])
def test_a_log_that_is_removed_while_in_use_loses_nothing(
    path: Path, side: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(path)
    store.commit([Write("node", ("a",), {})], base=0, actor="a")
    Path(f"{path}{side}").unlink()
    with caplog.at_level(logging.ERROR, "geodns.store"):
        assert store.commit([Write("node", ("b",), {})], base=1, actor="a") == 2
    assert "nothing is lost" in caplog.text
    killed = path.with_name("killed.db")
    for each in ("", "-wal"):
        shutil.copyfile(f"{path}{each}", f"{killed}{each}")
    assert [*content_of(killed)[1]] == [("node", ("a",)), ("node", ("b",))]
    assert store.commit([Write("node", ("c",), {})], base=2, actor="a") == 3
    store.put_token(TOKEN)
    assert store.tokens_since(-1).tokens == {"ci": TOKEN}
    store.close()


def test_a_file_of_another_in_its_place_takes_no_change_and_is_left_alone(path: Path) -> None:
    other = path.with_name("other.db")
    fill(other)
    before = other.read_bytes()
    store = SqliteStore(path)
    store.commit([Write("node", ("a",), {})], base=0, actor="a")
    aside = path.with_name("aside")
    path.rename(aside)
    other.rename(path)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"not the file that was opened.*Restart"):
            store.commit([Write("node", ("b",), {})], base=1, actor="a")
    assert path.read_bytes() == before
    path.unlink()
    aside.rename(path)
    assert store.commit([Write("node", ("b",), {})], base=1, actor="a") == 2
    store.close()


def test_when_nobody_writes_the_log_is_empty_and_its_damage_hurts_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodns.store.connections.TIDY_AFTER_S", 0.01)
    store = SqliteStore(path)
    store.commit([Write("node", ("a",), {})], base=0, actor="a")
    log = path.with_name("store.db-wal")
    deadline_s = time.monotonic() + 10
    while log.stat().st_size and time.monotonic() < deadline_s:
        time.sleep(0.01)
    log.write_bytes(b"\xa5" * 9000)
    killed = path.with_name("killed.db")
    for each in ("", "-wal"):
        shutil.copyfile(f"{path}{each}", f"{killed}{each}")
    assert content_of(killed)[0] == 1
    store.close()


@pytest.mark.parametrize("spoil", ["cut", "flip"])
def test_of_a_damaged_log_all_before_the_damage_is_kept_and_sound(path: Path, spoil: str) -> None:
    store = SqliteStore(path)
    for base in range(9):
        store.commit([Write("node", ("a",), {"weight": base})], base=base, actor="a")
    whole, killed = path.with_name("store.db-wal").read_bytes(), path.with_name("killed.db")
    seen = set()
    for at in range(0, len(whole), 1500):
        flipped = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        killed.write_bytes(path.read_bytes())
        Path(f"{killed}-wal").write_bytes(whole[:at] if spoil == "cut" else flipped)
        try:
            revision, records = content_of(killed)
        except Unavailable:
            continue
        assert [each.body for each in records.values()] == [{"weight": revision - 1}][:revision]
        seen.add(revision)
    assert len(seen) > 5
    store.close()


def test_a_long_log_shrinks_and_a_copy_is_made_amid_writes_however_large(path: Path) -> None:
    store = SqliteStore(path)
    large = {"labels": {f"l{i}": "x" * 60 for i in range(100)}}
    store.commit([Write("node", (f"n{i}",), large) for i in range(1500)], base=0, actor="a")
    log = path.with_name("store.db-wal")
    assert log.stat().st_size > 8 * 2**20
    ended = threading.Event()

    def write() -> None:
        revision = 1
        while not ended.is_set():
            revision = store.commit(
                [Write("node", ("n1",), {"weight": revision})], base=revision, actor="a"
            )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert backup(path, path.with_name("copy")).revision >= 1
    finally:
        ended.set()
        writer.join()
    assert log.stat().st_size < 6 * 2**20
    store.close()


def test_the_disk_gets_back_what_forgotten_history_took(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodns.store.sqlite.PRUNE_EVERY", 2)
    store = SqliteStore(path)
    large = {"labels": {f"l{i}": "x" * 60 for i in range(100)}}
    store.commit([Write("node", (f"n{i}",), large) for i in range(300)], base=0, actor="a")
    (before,) = numbers(path, "PRAGMA page_count")
    monkeypatch.setattr(prune, "KEPT_CHANGES", 0)
    for base in range(1, 4):
        store.commit([Write("node", ("n1",), {"weight": base})], base=base, actor="a")
    (after,) = numbers(path, "PRAGMA page_count")
    (free,) = numbers(path, "PRAGMA freelist_count")
    assert after < before * 0.7
    assert free < 10
    store.close()


def test_a_commit_stands_when_history_cannot_be_forgotten_after_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("geodns.store.sqlite.PRUNE_EVERY", 1)
    monkeypatch.setattr("geodns.store.sqlite.prune", full)
    store = SqliteStore(path)
    assert store.commit([Write("node", ("a",), {})], base=0, actor="a") == 1
    assert "history is not pruned" in caplog.text
    assert store.read()[0] == 1
    store.close()

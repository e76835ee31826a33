"""Damage to the store's file is found, told, and undone where history can; never believed."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geodns.errors import Unavailable
from geodns.store import prune
from geodns.store.backup import backup
from geodns.store.base import Commit, Record, Token, Write
from geodns.store.keyring import Keyring
from geodns.store.sqlite import SqliteStore

FLIPS = 60

TOKEN = Token(
    "ci", "reader", b"\x01" * 32, datetime(2026, 11, 1, tzinfo=UTC), nodes=("fra*",), zones=("a.b",)
)

CHANGES = [
    "body = '{\"weight\":9}'",
    "revision = 1",
    "key = '[\"n9\"]'",
    "kind = 'pool'",
    "hash = x'00'",
    "made_by = 'stage'",
    "made_by = NULL",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def fill(path: Path, count: int = 3) -> object:
    """So many nodes, each changed once; what the store then holds."""
    store = SqliteStore(path)
    for base in range(count):
        commit = Commit([Write("node", (f"n{base}",), {"weight": base})], "a", document="prod")
        store.commit_all([commit], base=base)
    store.commit([Write("node", ("n0",), {"weight": 7})], base=count, actor="b")
    store.put_token(TOKEN)
    content = store.read()
    store.close()
    return content


def do(path: Path, *statements: str) -> None:
    """Change the file behind the store's back."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def content_of(path: Path) -> tuple[int, dict[Any, Record]]:
    store = SqliteStore(path)
    try:
        return store.read()
    finally:
        store.close()


@pytest.mark.parametrize("change", [f"UPDATE document SET {each}" for each in CHANGES])
def test_a_record_that_was_changed_from_outside_is_healed_from_history(
    path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = fill(path)
    do(path, f"{change} WHERE key = '[\"n2\"]'")
    with caplog.at_level(logging.ERROR, "geodns.store"):
        assert content_of(path) == before
    assert "healed from history" in caplog.text
    caplog.clear()
    assert content_of(path) == before
    assert not caplog.text


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM document WHERE key = '[\"n2\"]'",
        "INSERT INTO document VALUES ('pool', '[\"p\"]', 1, NULL, '{}', x'00')",
    ],
)
def test_records_that_were_removed_or_added_from_outside_are_put_right(
    path: Path, change: str
) -> None:
    before = fill(path)
    do(path, change)
    assert content_of(path) == before


@pytest.mark.parametrize("change", CHANGES[:4])
def test_what_history_cannot_heal_either_is_refused(path: Path, change: str) -> None:
    fill(path)
    do(
        path,
        f"UPDATE document SET {change} WHERE key = '[\"n2\"]'",
        "UPDATE change SET after = '{\"weight\":1000}' WHERE key = '[\"n2\"]'",
    )
    store = SqliteStore(path)
    with pytest.raises(Unavailable, match=r"damaged.*restore a backup"):
        store.read()
    store.close()


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE audit SET actor = 'mallory' WHERE number = 2", 2),
        ("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE number = 3", 3),
        ("UPDATE change SET before = '{}' WHERE number = 4", 4),
        ("DELETE FROM audit WHERE number = 2", 3),
        ("UPDATE audit SET number = 9 WHERE number = 5", 9),
    ],
)
def test_an_audit_that_was_changed_from_outside_is_told(
    path: Path, change: str, number: int
) -> None:
    fill(path)
    do(path, "PRAGMA foreign_keys = ON", "PRAGMA defer_foreign_keys = ON")
    do(path, change)
    store = SqliteStore(path)
    with pytest.raises(Unavailable, match=f"entry {number} of the audit"):
        store.verify()
    store.close()


def test_a_page_that_cannot_be_read_is_rebuilt_from_history(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = fill(path, 200)
    (root,) = _rows(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'document'")
    octets = bytearray(path.read_bytes())
    octets[(root - 1) * 4096 : root * 4096] = bytes(4096)
    path.write_bytes(octets)
    with caplog.at_level(logging.ERROR, "geodns.store"):
        assert content_of(path) == before
    assert "rebuilt from its history" in caplog.text
    assert path.with_name("store.db.damaged").read_bytes() == octets
    store = SqliteStore(path)
    verified = store.verify()
    store.close()
    assert verified is not None
    assert verified.last == 202


def _rows(path: Path, statement: str) -> list[int]:
    db = sqlite3.connect(path)
    found = [row[0] for row in db.execute(statement)]
    db.close()
    return found


def test_flipped_bits_are_healed_or_refused_and_never_believed(path: Path) -> None:
    before = fill(path, 60)
    sound = path.read_bytes()
    chance = random.Random(7)
    whole = 0
    for _ in range(FLIPS):
        octets = bytearray(sound)
        for _ in range(chance.choice((1, 1, 1, 8))):
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(octets)
        try:
            assert content_of(path) == before
        except Unavailable:
            continue
        whole += 1
    assert whole > FLIPS * 0.7


def test_a_file_that_has_lost_its_name_takes_no_more_changes(path: Path) -> None:
    """What SQLite would acknowledge there would be gone with the process."""
    content = fill(path)
    store = SqliteStore(path)
    path.rename(path.with_name("aside"))
    with pytest.raises(Unavailable, match="No such file"):
        store.commit([Write("node", ("n1",), {"weight": 1})], base=4, actor="a")
    path.write_bytes(b"")
    with pytest.raises(Unavailable, match="not the file that was opened"):
        store.commit([Write("node", ("n1",), {"weight": 1})], base=4, actor="a")
    assert store.read() == content
    path.with_name("aside").replace(path)
    assert store.commit([Write("node", ("n1",), {"weight": 8})], base=4, actor="a") == 5
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        "role = 'admin'",
        "nodes = '[]'",
        "zones = '[\"*\"]'",
        "hash = x'02'",
        "id = 'cj'",
        "expires_at = '2999-01-01T00:00:00+00:00'",
        "old_hash = x'02', old_until = '2999-01-01T00:00:00+00:00'",
        "created = 'x'",
        "digest = x'02'",
    ],
)
def test_a_token_that_was_changed_from_outside_is_none(
    path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill(path)
    do(path, f"UPDATE token SET {change}")
    store = SqliteStore(path)
    assert store.tokens() == []
    assert store.tokens_since(-1).tokens == {}
    (spoilt,) = store.damaged_tokens()
    with caplog.at_level(logging.ERROR, "geodns.store"):
        assert Keyring(store).owner("x") is None
    assert f"token {spoilt} is damaged" in caplog.text
    assert store.drop_token(spoilt)
    assert store.damaged_tokens() == []
    store.put_token(TOKEN)
    assert store.token("ci") == TOKEN
    store.close()


def test_a_store_rebuilt_from_a_damaged_file_has_its_sound_tokens(path: Path) -> None:
    fill(path, 200)
    do(path, "INSERT INTO token SELECT 'cj', 'admin', x'02', created, NULL, '[]', '[]', NULL, "
             "NULL, digest FROM token")  # fmt: skip
    (root,) = _rows(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'document'")
    octets = bytearray(path.read_bytes())
    octets[(root - 1) * 4096 : root * 4096] = bytes(4096)
    path.write_bytes(octets)
    store = SqliteStore(path)
    assert store.tokens() == [TOKEN]
    store.close()


def test_history_that_was_changed_from_outside_is_neither_shown_nor_restored(path: Path) -> None:
    fill(path)
    do(path, "UPDATE change SET before = '{\"weight\":9}' WHERE number = 4")
    store = SqliteStore(path)
    for look in (
        lambda: store.audit(before=None, limit=9),
        lambda: store.revision(4),
        lambda: store.as_of(1),
    ):
        with pytest.raises(Unavailable, match="entry 4 of the audit"):
            look()
    assert store.revision(3) is not None
    assert store.as_of(4) is not None
    store.close()


def test_flipped_bits_give_nobody_a_wider_right(path: Path) -> None:
    fill(path, 1)
    sound = path.read_bytes()
    at = sound.index(b"cireader") - 20
    for bit in range(8 * 100):
        octets = bytearray(sound)
        octets[at + bit // 8] ^= 1 << bit % 8
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(octets)
        try:
            store = SqliteStore(path)
        except Unavailable:
            continue
        assert store.tokens() in ([], [TOKEN])
        store.close()


# --- Files that go away or change while in use ---


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
    (before,) = _rows(path, "PRAGMA page_count")
    monkeypatch.setattr(prune, "KEPT_CHANGES", 0)
    for base in range(1, 4):
        store.commit([Write("node", ("n1",), {"weight": base})], base=base, actor="a")
    (after,) = _rows(path, "PRAGMA page_count")
    (free,) = _rows(path, "PRAGMA freelist_count")
    assert after < before * 0.7
    assert free < 10
    store.close()

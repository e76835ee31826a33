"""Damage to the store's file is found, told, and undone where history can; never believed."""

from __future__ import annotations

import logging
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geodns.errors import Unavailable
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
    (root,) = numbers(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'document'")
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


def numbers(path: Path, statement: str) -> list[int]:
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
    (root,) = numbers(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'document'")
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

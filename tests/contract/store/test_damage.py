"""Damage to the store's file is found, told, and undone where history can; never believed."""

from __future__ import annotations

import logging
import random
import sqlite3
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.store.base import Commit, Write
from geodns.store.sqlite import SqliteStore

FLIPS = 60

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
    content = store.read()
    store.close()
    return content


def do(path: Path, *statements: str) -> None:
    """Change the file behind the store's back."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def content_of(path: Path) -> object:
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
        ("UPDATE audit SET number = 9 WHERE number = 4", 9),
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
    assert verified.last == 201


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

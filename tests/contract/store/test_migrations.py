"""A file of every version that was released opens as what it was, with its history."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.store.base import Record
from geodns.store.schema import MIGRATIONS
from geodns.store.sqlite import SqliteStore

TABLES_1 = """
CREATE TABLE document (kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,
    body TEXT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
CREATE TABLE revision (number INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL,
    note TEXT NOT NULL) STRICT;
CREATE TABLE change (number INTEGER NOT NULL REFERENCES revision, kind TEXT NOT NULL,
    key TEXT NOT NULL, before TEXT, after TEXT, PRIMARY KEY (number, kind, key))
    STRICT, WITHOUT ROWID;
CREATE TABLE token (id TEXT PRIMARY KEY, role TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
    created TEXT NOT NULL, expires_at TEXT) STRICT, WITHOUT ROWID;
PRAGMA application_id = 0x67646E73;
PRAGMA user_version = 1;
"""
"""As version 1 made them, byte for byte its own words but for spaces."""

TABLES_2 = """
ALTER TABLE token ADD COLUMN nodes TEXT NOT NULL DEFAULT '[]';
PRAGMA user_version = 2;
"""
"""What version 2 made of version 1."""

A, B = '["a"]', '["b"]'
REVISIONS = [
    ("document prod", [(A, None, '{"weight":1}'), (B, None, '{"weight":1}')]),
    ("\nforced: site closed", [(A, '{"weight":1}', '{"weight":2}')]),
    ("", [(B, '{"weight":1}', None)]),
    ("document prod\nforced: all of it", [(B, None, '{"weight":3}')]),
]


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A store as version 1 left it."""
    path = tmp_path / "store.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(TABLES_1)
    for number, (note, changes) in enumerate(REVISIONS, 1):
        at = f"2026-11-0{number}T00:00:00+00:00"
        db.execute("INSERT INTO revision VALUES (?, ?, 'anna', ?)", (number, at, note))
        for change in changes:
            db.execute("INSERT INTO change VALUES (?, 'node', ?, ?, ?)", (number, *change))
    for key, revision, body in ((A, 2, '{"weight":2}'), (B, 4, '{"weight":3}')):
        text = json.dumps(("node", key, revision, body)).encode()
        digest = hashlib.blake2b(text, digest_size=16).digest()
        row = ("node", key, revision, body, digest)
        db.execute("INSERT INTO document VALUES (?, ?, ?, ?, ?)", row)
    db.execute("INSERT INTO token VALUES ('admin', 'admin', x'01', '2026-11-01', NULL)")
    db.close()
    return path


def test_a_store_of_version_1_keeps_records_history_and_tokens(first: Path) -> None:
    store = SqliteStore(first)
    assert store.read() == (
        4,
        {
            ("node", ("a",)): Record("node", ("a",), 2, {"weight": 2}, "prod"),
            ("node", ("b",)): Record("node", ("b",), 4, {"weight": 3}, "prod"),
        },
    )
    entries = store.audit(before=None, limit=9)[::-1]
    assert [(each.revision, each.reason, each.document) for each in entries] == [
        (1, "", "prod"),
        (2, "site closed", None),
        (3, "", None),
        (4, "all of it", "prod"),
    ]
    assert store.as_of(2) == {("node", ("a",)): {"weight": 2}, ("node", ("b",)): {"weight": 1}}
    assert [(token.id, token.zones) for token in store.tokens()] == [("admin", ())]
    assert store.damaged_tokens() == []
    verified = store.verify()
    assert verified is not None
    assert verified.last == 4
    store.close()


def test_a_store_of_version_1_whose_history_tells_otherwise_stays_as_it_is(first: Path) -> None:
    db = sqlite3.connect(first, isolation_level=None)
    db.execute("UPDATE document SET body = '{\"weight\":9}' WHERE revision = 2")
    with pytest.raises(Unavailable, match="history"):
        SqliteStore(first)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_store_of_version_2_keeps_the_nodes_of_its_tokens(first: Path) -> None:
    db = sqlite3.connect(first, isolation_level=None)
    db.executescript(TABLES_2)
    token = ("fra", "agent", b"\2", "2026-11-01", None, '["fra*"]')
    db.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?)", token)
    db.close()
    store = SqliteStore(first)
    assert [(each.id, each.nodes) for each in store.tokens()] == [("admin", ()), ("fra", ("fra*",))]
    assert store.read()[0] == 4
    store.close()


OPENER = """
import sys
from pathlib import Path
from geodns.store import schema
from geodns.store.sqlite import SqliteStore

run = schema._run
def slowly(db, statements):
    print("step", flush=True)
    run(db, statements)
schema._run = slowly
SqliteStore(Path(sys.argv[1])).close()
print("end", flush=True)
"""


@pytest.mark.parametrize("step", range(1, 6))
def test_a_migration_that_is_killed_is_whole_or_has_not_begun(first: Path, step: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OPENER, first], stdout=subprocess.PIPE, text=True
    ) as opener:
        assert opener.stdout is not None
        for _ in range(step):
            if "end" in opener.stdout.readline():
                break
        opener.kill()
    db = sqlite3.connect(first)
    assert db.execute("PRAGMA user_version").fetchone()[0] in (1, len(MIGRATIONS))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    store = SqliteStore(first)
    assert store.read()[0] == 4
    assert store.verify() is not None
    assert [token.id for token in store.tokens()] == ["admin"]
    store.close()


def test_every_step_has_a_test_of_its_own() -> None:
    assert len(MIGRATIONS) == 3, "a new version needs a file of the one before, here"

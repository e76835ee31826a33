"""The tables of the SQLite store, and how a file of an older version gets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from geodns.errors import Unavailable
from geodns.store.rows import NOTHING, AuditRow, ChangeRow, DocumentRow, digest_of, moved
from geodns.store.tables import insert_documents, insert_entry
from geodns.store.token_rows import TokenRow, insert_token

APPLICATION_ID = 0x67646E73
"""Marks our files to `file` and to us: "gdns" (sqlite.org/pragma.html#pragma_application_id)."""

_RECORDS = """
CREATE TABLE document (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE revision (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE TABLE change (
    number INTEGER NOT NULL REFERENCES revision,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (number, kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created TEXT NOT NULL,
    expires_at TEXT
) STRICT, WITHOUT ROWID;
"""

_AUDIT = """
ALTER TABLE document RENAME TO old_document;
ALTER TABLE change RENAME TO old_change;
CREATE TABLE document (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    made_by TEXT,
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    revision INTEGER UNIQUE,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    request_id TEXT NOT NULL,
    document TEXT,
    digest BLOB NOT NULL,
    state BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE change (
    number INTEGER NOT NULL REFERENCES audit ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (number, kind, key)
) STRICT, WITHOUT ROWID;
ALTER TABLE token RENAME TO old_token;
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created TEXT NOT NULL,
    expires_at TEXT,
    nodes TEXT NOT NULL,
    zones TEXT NOT NULL,
    old_hash BLOB,
    old_until TEXT,
    digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_use (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


def _records(db: sqlite3.Connection) -> None:
    _run(db, _RECORDS)


def _token_nodes(db: sqlite3.Connection) -> None:
    _run(db, "ALTER TABLE token ADD COLUMN nodes TEXT NOT NULL DEFAULT '[]'")


def _audit(db: sqlite3.Connection) -> None:
    """Revisions become entries of the audit, chained; rows learn which document made them, and
    tokens get a digest."""
    _run(db, _AUDIT)
    tokens = "SELECT id, role, hash, created, expires_at, nodes, '[]', NULL, NULL FROM old_token"
    for row in db.execute(tokens).fetchall():
        insert_token(db, TokenRow(*row))
    rows: dict[tuple[str, str], DocumentRow] = {}
    previous = state = NOTHING
    for number, at, actor, note in db.execute("SELECT * FROM revision ORDER BY number").fetchall():
        document, reason = _read_note(note)
        statement = "SELECT kind, key, before, after FROM old_change WHERE number = ?"
        changes = [ChangeRow(*row) for row in db.execute(statement, (number,))]
        gone, come = _follow(rows, number, document, changes)
        state = moved(state, (row.hash for row in gone), (row.hash for row in come))
        digest = digest_of(changes)
        entry = AuditRow(
            number, number, at, actor, reason, "", document, digest, state, previous
        )  # fmt: skip
        previous = entry.hash
        insert_entry(db, entry, changes)
    kept = db.execute("SELECT kind, key, revision, body FROM old_document").fetchall()
    if {(row.kind, row.key, row.revision, row.body) for row in rows.values()} != set(kept):
        raise Unavailable("What is stored is not what its history tells. Restore a backup.")
    insert_documents(db, rows.values())
    _run(
        db,
        "DROP TABLE old_change; DROP TABLE old_document; DROP TABLE revision; DROP TABLE old_token",
    )


def _follow(
    rows: dict[tuple[str, str], DocumentRow],
    number: int,
    document: str | None,
    changes: list[ChangeRow],
) -> tuple[list[DocumentRow], list[DocumentRow]]:
    """Make the changes of one revision; the rows that went and that came."""
    gone, come = [], []
    for kind, key, _, after in changes:
        old = rows.pop((kind, key), None)
        if old is not None:
            gone.append(old)
        if after is not None:
            made_by = document if old is None else old.made_by
            rows[kind, key] = DocumentRow(kind, key, number, made_by, after)
            come.append(rows[kind, key])
    return gone, come


def _read_note(note: str) -> tuple[str | None, str]:
    """The document and the reason that a note of version 1 held."""
    first, *rest = note.split("\n")
    document = first.removeprefix("document ") if first.startswith("document ") else None
    return document, "\n".join(rest).removeprefix("forced: ")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_records, _token_nodes, _audit)
"""Step n brings a file from user_version n to n + 1. Never edit one that was released."""


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file is ours, whole and of this version.

    Errors: Unavailable for another program's file, a newer version's or a damaged one;
            sqlite3.Error.
    """
    db.execute("PRAGMA foreign_keys = ON")
    version = _version(db, path)
    if version == 0:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # an empty file takes it
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    if version < len(MIGRATIONS):
        _migrate(db)


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The file's version; reads only, so that a foreign file stays as it is."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise Unavailable(f"{path} belongs to another program. Choose another data directory.")
    if version > len(MIGRATIONS):
        raise Unavailable(
            f"{path} has format {version}; this geodns knows up to {len(MIGRATIONS)}. "
            "Use the newer geodns that wrote it, or restore a backup."
        )
    return int(version)


def _migrate(db: sqlite3.Connection) -> None:
    """All missing steps in one transaction: another process may have the same idea."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for step in MIGRATIONS[version:]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _run(db: sqlite3.Connection, statements: str) -> None:
    # Not executescript, which would end the transaction first.
    for statement in filter(str.strip, statements.split(";")):
        db.execute(statement)

"""The tables of the SQLite store, and how a file of an older version gets them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from geodns.errors import Unavailable

APPLICATION_ID = 0x67646E73
"""Marks our files to `file` and to us: "gdns" (sqlite.org/pragma.html#pragma_application_id)."""

MIGRATIONS = (
    """
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
    """,
    "ALTER TABLE token ADD COLUMN nodes TEXT NOT NULL DEFAULT '[]'",
)
"""Step n brings a file from user_version n to n + 1. Never edit one that was released."""


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file is ours, whole and of this version.

    Errors: Unavailable for another program's file, a newer version's or a damaged one;
            sqlite3.Error.
    """
    db.execute("PRAGMA foreign_keys = ON")
    version = _version(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if version < len(MIGRATIONS):
        _migrate(db)
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Unavailable(f"{path} is damaged: {found}. Move it away and restore a backup.")


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
            for statement in filter(str.strip, step.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")

"""Replies that are kept for who asks again, in a file of their own: losing it loses nothing else.

Backups leave it out, and a damaged file is begun anew.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from geodns.store.file import create_private, explained, is_damage, remove

log = logging.getLogger("geodns.store")

KEEP_S = 86_400.0
"""How long a reply is kept. Source: Stripe, "Idempotent requests": at least 24 hours."""

OWNER_MAX = 1000
TOTAL_MAX = 10_000
"""Replies kept for one token and for all; the oldest go first. Source: no reference; of some 1 kB
each, and a program that asks again does so within minutes."""

BODY_MAX_BYTES = 2**20
"""Largest reply kept. Source: no reference; only plans of whole documents are larger."""

_TABLE = """
CREATE TABLE IF NOT EXISTS reply (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB,
    at REAL NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply and the digest of the request it was given to. ``body`` is None if it held a
    secret, which is not kept."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes | None


class Replies:
    """Replies by owner and key. Its methods block; any thread may call them.

    Shape: without a path, in memory.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._open: sqlite3.Connection | None = None

    def find(self, owner: str, key: str) -> Kept | None:
        """The reply kept under a key, unless it is too old. Errors: Unavailable."""
        statement = "SELECT request, status, headers, body FROM reply " \
                    "WHERE owner = ? AND key = ? AND at > ?"  # fmt: skip
        with self._lock, explained(self._shown):
            oldest = self._clock() - KEEP_S
            row = self._db().execute(statement, (owner, key, oldest)).fetchone()
        return None if row is None else Kept(row[0], row[1], json.loads(row[2]), row[3])

    def keep(self, owner: str, key: str, kept: Kept) -> None:
        """Keep a reply; durable when this returns. Errors: Unavailable."""
        row = (owner, key, kept.request, kept.status, json.dumps(kept.headers), kept.body)
        with self._lock, explained(self._shown):
            db = self._db()
            db.execute("BEGIN IMMEDIATE")
            try:
                now = self._clock()
                db.execute("INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, now))
                _forget(db, owner, now - KEEP_S)
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    @property
    def _shown(self) -> Path:
        return self._path or Path("memory")

    def _db(self) -> sqlite3.Connection:
        """The file, opened when it is first wanted: many servers never keep a reply."""
        if self._open is None:
            try:
                self._open = self._opened()
            except sqlite3.DatabaseError as error:
                if self._path is None or not is_damage(error):
                    raise
                log.error("%s is damaged and begun anew: %s", self._path, error)
                remove(self._path)
                self._open = self._opened()
        return self._open

    def _opened(self) -> sqlite3.Connection:
        if self._path is not None:
            create_private(self._path)
        db = sqlite3.connect(
            self._path or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(_TABLE)
            db.execute("SELECT count(*) FROM reply").fetchone()
        except BaseException:
            with suppress(sqlite3.Error):
                db.close()
            raise
        return db


def _forget(db: sqlite3.Connection, owner: str, oldest: float) -> None:
    db.execute("DELETE FROM reply WHERE at <= ?", (oldest,))
    for where, values, most in (("WHERE owner = ?", (owner,), OWNER_MAX), ("", (), TOTAL_MAX)):
        db.execute(
            f"DELETE FROM reply WHERE rowid IN (SELECT rowid FROM reply {where} "
            "ORDER BY at DESC LIMIT -1 OFFSET ?)",
            (*values, most),
        )

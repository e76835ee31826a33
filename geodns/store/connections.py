"""The connections to one SQLite file: one that writes, one that reads, one that keeps watch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock

from geodns.errors import Unavailable
from geodns.store import tables
from geodns.store.base import Commit
from geodns.store.file import connect, explained, mend
from geodns.store.rows import AuditRow, ChangeRow, DocumentRow, digest_of


class Connections:
    """What every part of the SQLite store works with: transactions, and the audit's end.

    Shape: SQLite has one writer and, in WAL, readers whom it does not keep waiting. Who keeps
           watch has a connection alone: a reader may be long at it.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], *, heal: bool) -> None:
        self._path = path
        self._clock = clock
        self._lock, self._read_lock, self._watch_lock = Lock(), Lock(), Lock()
        self._db = mend(path, heal=heal)
        self._file = _identity(path)
        self._reader = connect(path)
        self._watcher = connect(path, timeout_s=0.0)

    def close(self) -> None:
        with self._lock, self._read_lock, self._watch_lock:
            self._watcher.close()
            self._reader.close()
            self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, self._transaction(self._reader, "BEGIN"):
            yield self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._transaction(self._db, "BEGIN IMMEDIATE"):
            yield self._db
            self._check_place()

    @contextmanager
    def _watching(self) -> Iterator[sqlite3.Connection]:
        with self._watch_lock, explained(self._path):
            yield self._watcher

    @contextmanager
    def _transaction(self, db: sqlite3.Connection, begin: str) -> Iterator[None]:
        with explained(self._path):
            db.execute(begin)
            try:
                yield
                db.execute("COMMIT")
            finally:
                # After an error of its own accord SQLite may have rolled back already.
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def _check_place(self) -> None:
        """See that the file still has its name: SQLite goes on with one that was deleted, and what
        it acknowledges is gone with the process."""
        if _identity(self._path) != self._file:
            what = "is not the file that was opened. Nothing was changed. Restart geodns to use it."
            raise Unavailable(f"{self._path} {what}")

    def _append(
        self,
        db: sqlite3.Connection,
        revision: int | None,
        commit: Commit,
        changes: Sequence[ChangeRow],
        gone: Sequence[DocumentRow] = (),
        come: Sequence[DocumentRow] = (),
    ) -> None:
        """Append an entry with its changes, and make them."""
        at = self._clock().isoformat()
        who = (commit.actor, commit.reason, commit.request_id, commit.document)
        entry = AuditRow(0, revision, at, *who, digest_of(changes), b"", b"")
        tables.append(db, entry, changes, gone, come)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino

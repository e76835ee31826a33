"""The connections to one SQLite file: one that writes, one that reads, one that keeps watch."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock, Timer

from geodns.errors import Unavailable
from geodns.store import tables
from geodns.store.base import Commit
from geodns.store.file import BUSY_TIMEOUT_S, SIDES, connect, explained, mend
from geodns.store.rows import AuditRow, ChangeRow, DocumentRow, digest_of

TIDY_AFTER_S = 1.0
"""How long nobody has written when the log is emptied. Source: no reference; it takes some
milliseconds, which nobody waits for then."""

LOG_MAX_BYTES = 4 * 2**20
"""What the log shrinks to after a large document. Source: SQLite's own bound for emptying it, 1,000
pages of 4 kB."""

log = logging.getLogger("geodns.store")


class Connections:
    """What every part of the SQLite store works with: transactions, and the audit's end.

    Shape: SQLite has one writer and, in WAL, readers whom it does not keep waiting. Who keeps
           watch has a connection alone: a reader may be long at it.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], *, heal: bool) -> None:
        self._path = path
        self._clock = clock
        self._may_heal = heal
        self._lock, self._read_lock, self._watch_lock = Lock(), Lock(), Lock()
        self._written_s = 0.0
        self._tidying: Timer | None = None
        self._open()

    def _open(self) -> None:
        self._db = mend(self._path, heal=self._may_heal)
        self._reader = connect(self._path)
        self._watcher = connect(self._path, timeout_s=0.0)
        self._watched: tuple[int, int] | None = None
        with explained(self._path):
            self._db.execute(f"PRAGMA journal_size_limit = {LOG_MAX_BYTES}")
            self._files = _identities(self._path)

    def close(self) -> None:
        with self._lock, self._read_lock, self._watch_lock:
            if self._tidying is not None:
                self._tidying.cancel()
            self._close()

    def _close(self) -> None:
        self._watcher.close()
        self._reader.close()
        self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, self._transaction(self._reader, "BEGIN"):
            yield self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._do_without_log()
            with self._transaction(self._db, "BEGIN IMMEDIATE"):
                yield self._db
                self._check_place()
            self._tidy_later()

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
        """See that the files still have their names: SQLite goes on with those that were deleted,
        and what it acknowledges is gone with the process."""
        now = _identities(self._path)
        if now[0] != self._files[0]:
            what = "is not the file that was opened. Nothing was changed. Restart geodns to use it."
            raise Unavailable(f"{self._path} {what}")
        if now != self._files:
            what = "was removed while in use. Nothing was changed. Try again."
            raise Unavailable(f"What SQLite keeps beside {self._path} {what}")

    def _do_without_log(self) -> None:
        """If the log has lost its name, bring what only it holds into the file, and begin anew."""
        with explained(self._path):
            now = _identities(self._path)
        if now == self._files or now[0] != self._files[0]:
            return
        with self._read_lock, self._watch_lock, explained(self._path):
            if not self._checkpointed():
                raise Unavailable(f"{self._path} is read by others. Try again.")
            self._close()
            for side in SIDES:
                Path(f"{self._path}{side}").unlink(missing_ok=True)
            self._open()
        log.error("the log of %s was removed while in use; nothing is lost", self._path)

    # --- Tidying ---

    def _tidy_later(self) -> None:
        self._written_s = time.monotonic()
        if self._tidying is None:
            self._begin_waiting(TIDY_AFTER_S)

    def _begin_waiting(self, wait_s: float) -> None:
        self._tidying = Timer(wait_s, self._tidy)
        self._tidying.daemon = True
        self._tidying.start()

    def _tidy(self) -> None:
        """When nobody has written for a while, empty the log: rows can be healed, a log cannot."""
        with self._lock:
            left_s = self._written_s + TIDY_AFTER_S - time.monotonic()
            if left_s > 0:
                self._begin_waiting(left_s)
                return
            self._tidying = None
            # Closed, or a disk that takes nothing: the next write will tell.
            with suppress(sqlite3.Error):
                self._checkpointed()

    def _checkpointed(self) -> bool:
        """Bring all of the log into the file and empty it, unless somebody reads from it."""
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        return not busy

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


def _identities(path: Path) -> list[tuple[int, int] | None]:
    """Which files stand under the names that SQLite uses. Errors: OSError without the first."""
    return [_identity(path.stat()), *(_found(Path(f"{path}{side}")) for side in SIDES)]


def _found(path: Path) -> tuple[int, int] | None:
    try:
        return _identity(path.stat())
    except FileNotFoundError:
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino

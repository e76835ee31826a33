"""The store in one file of the data directory: SQLite, documents beside their history.

Source: of WAL and synchronous=FULL: 0.4 ms a commit measured, and unlike NORMAL no
acknowledged write is lost when the power goes (sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from threading import Lock

from geodns.errors import Stale, Unavailable
from geodns.store.base import Body, Changed, Entry, Key, Record, Token, Write, last_writes
from geodns.store.schema import prepare

BUSY_TIMEOUT_S = 5.0
"""How long to wait for another process that writes. Source: no reference; a backup of a few
megabytes takes well under a second, and an API client waits longer than this."""


class SqliteStore:
    """A `Store` in one SQLite file, mode 0600, made if it does not exist."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._path = path
        self._clock = clock
        self._lock = Lock()  # One connection for all threads: SQLite has one writer anyway.
        with self._explained():
            _create_private(path)
            self._db = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                prepare(self._db, path)
        except BaseException:
            self._db.close()
            raise

    def read(self) -> tuple[int, dict[tuple[str, Key], Record]]:
        with self._transaction("BEGIN"):
            revision = self._revision()
            rows = self._db.execute("SELECT kind, key, revision, body, hash FROM document")
            records = [self._record(*row) for row in rows]
        return revision, {(record.kind, record.key): record for record in records}

    def commit(self, writes: Sequence[Write], *, base: int, actor: str, note: str = "") -> int:
        wanted = [(kind, key, _dump(body)) for (kind, key), body in last_writes(writes).items()]
        with self._transaction("BEGIN IMMEDIATE"):
            current = self._revision()
            if base != current:
                raise Stale(f"Revision {base} was read, but the current one is {current}.")
            changes = [
                (kind, json.dumps(key), before, after)
                for kind, key, after in wanted
                if (before := self._body(kind, key)) != after
            ]
            if changes:
                current += 1
                self._write(current, changes, actor, note)
        return current

    def history(self, since: int, limit: int) -> list[Entry]:
        with self._transaction("BEGIN"):
            rows = self._db.execute(
                "SELECT number, at, actor, note, kind, key, before, after FROM revision"
                " JOIN change USING (number) WHERE number IN"
                " (SELECT number FROM revision WHERE number > ? ORDER BY number LIMIT ?)"
                " ORDER BY number, kind, key",
                (since, limit),
            ).fetchall()
        return [
            Entry(number, datetime.fromisoformat(at), actor, note, tuple(map(_changed, group)))
            for (number, at, actor, note), group in groupby(rows, lambda row: row[:4])
        ]

    def put_token(self, token: Token) -> None:
        expires = token.expires_at.isoformat() if token.expires_at else None
        created, nodes = token.created.isoformat(), json.dumps(token.nodes)
        row = (token.id, token.role, token.hash, created, expires, nodes)
        with self._transaction("BEGIN IMMEDIATE"):
            self._db.execute("INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, ?)", row)

    def drop_token(self, token_id: str) -> bool:
        with self._transaction("BEGIN IMMEDIATE"):
            found = self._db.execute("DELETE FROM token WHERE id = ?", (token_id,)).rowcount
        return found > 0

    def tokens(self) -> list[Token]:
        with self._transaction("BEGIN"):
            rows = self._db.execute(
                "SELECT id, role, hash, created, expires_at, nodes FROM token ORDER BY id"
            ).fetchall()
        return [
            Token(
                id_,
                role,
                digest,
                datetime.fromisoformat(created),
                _instant(expires),
                tuple(json.loads(nodes)),
            )
            for id_, role, digest, created, expires, nodes in rows
        ]

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # --- Inside a transaction ---

    def _revision(self) -> int:
        number: int = self._db.execute("SELECT coalesce(max(number), 0) FROM revision").fetchone()[
            0
        ]
        return number

    def _body(self, kind: str, key: Key) -> str | None:
        row = self._db.execute(
            "SELECT body FROM document WHERE kind = ? AND key = ?", (kind, json.dumps(key))
        ).fetchone()
        return None if row is None else str(row[0])

    def _write(
        self,
        number: int,
        changes: Sequence[tuple[str, str, str | None, str | None]],
        actor: str,
        note: str,
    ) -> None:
        self._db.execute(
            "INSERT INTO revision VALUES (?, ?, ?, ?)",
            (number, self._clock().isoformat(), actor, note),
        )
        self._db.executemany(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?)", [(number, *change) for change in changes]
        )
        self._db.executemany(
            "DELETE FROM document WHERE kind = ? AND key = ?",
            [(kind, key) for kind, key, _, after in changes if after is None],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?)",
            [
                (kind, key, number, after, _digest(kind, key, number, after))
                for kind, key, _, after in changes
                if after is not None
            ],
        )

    def _record(self, kind: str, key: str, revision: int, body: str, digest: bytes) -> Record:
        if digest != _digest(kind, key, revision, body):
            raise _damaged(self._path, f"the record of {kind} {key} is not what was written")
        return Record(kind, tuple(json.loads(key)), revision, json.loads(body))

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._lock, self._explained():
            self._db.execute(begin)
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                # After an error of its own accord SQLite may have rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise _unavailable(self._path, error) from error


# --- Helpers ---


def _create_private(path: Path) -> None:
    """Make the file before SQLite would, with a mode that keeps others out from the start."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        path.chmod(0o600)
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _dump(body: Body | None) -> str | None:
    """One text for equal bodies."""
    if body is None:
        return None
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(kind: str, key: str, revision: int, body: str) -> bytes:
    text = json.dumps((kind, key, revision, body))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).digest()


def _changed(row: Sequence[str | None]) -> Changed:
    kind, key, before, after = row[4:]
    return Changed(str(kind), tuple(json.loads(key or "[]")), _load(before), _load(after))


def _load(body: str | None) -> Body | None:
    return None if body is None else json.loads(body)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _damaged(path: Path, what: str) -> Unavailable:
    return Unavailable(f"{path} is damaged: {what}. Move it away and restore a backup.")


def _unavailable(path: Path, error: sqlite3.Error | OSError) -> Unavailable:
    """What SQLite or the system said, with what to do about it."""
    # The low byte is the primary code (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path, str(error))
    remedy = _REMEDIES.get(code, "Check that the data directory exists and can be written.")
    return Unavailable(f"{path} cannot be used: {error}. {remedy}")


_REMEDIES = {
    sqlite3.SQLITE_FULL: "Nothing was changed. Make room on the disk and try again.",
    sqlite3.SQLITE_IOERR: "Nothing was changed. Check the disk and its free space.",
    sqlite3.SQLITE_BUSY: "Another process is writing to it; try again.",
}

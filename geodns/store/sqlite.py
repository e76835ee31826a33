"""The store in one file of the data directory: SQLite, documents beside their history.

Source: of WAL and synchronous=FULL: 0.4 ms a commit measured, and unlike NORMAL no
acknowledged write is lost when the power goes (sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from geodns.errors import Stale
from geodns.store import tables
from geodns.store.base import (
    Body,
    Commit,
    Entry,
    Key,
    Record,
    Store,
    Token,
    Verified,
    Write,
    last_writes,
)
from geodns.store.file import connect, damaged, explained, mend
from geodns.store.prune import prune
from geodns.store.rows import (
    AuditRow,
    ChangeRow,
    DocumentRow,
    TokenRow,
    digest_of,
    dump,
    load,
    read_key,
    write_key,
)
from geodns.store.salvage import history_of, true_rows

log = logging.getLogger("geodns.store")

PRUNE_EVERY = 1000
"""How many commits pass between two looks for history to forget. Source: no reference; a look
takes some milliseconds."""


class SqliteStore(Store):
    """A `Store` in one SQLite file, mode 0600, made if it does not exist.

    A file whose damage can be undone from its own history is mended when it is opened or read,
    unless ``heal`` is false; then it is told like all other damage.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        heal: bool = True,
    ) -> None:
        self._path = path
        self._may_heal = heal
        self._clock = clock
        self._commits = 0
        # SQLite has one writer and, in WAL, readers whom it does not keep waiting.
        self._lock, self._read_lock = Lock(), Lock()
        self._db = mend(path, heal=heal)
        self._reader = connect(path)

    # --- Reading ---

    def read(self) -> tuple[int, dict[tuple[str, Key], Record]]:
        with self._reading() as db:
            revision = tables.revision(db)
            _, state, _ = tables.newest(db)
            kept = list(tables.documents(db))
            rows = true_rows(kept, history_of(db), state)
        if rows is None:
            raise damaged(self._path, "its records are not what was written")
        spoilt = len({row for row, digest in kept if row.hash == digest} ^ set(rows))
        if spoilt and not self._may_heal:
            what = f"{spoilt} records are not what was written; opened by a server, they heal"
            raise damaged(self._path, what)
        if spoilt:
            self._heal(rows)
            log.error("%s: %d damaged records healed from history", self._path, spoilt)
        records = [row.record() for row in rows]
        return revision, {(record.kind, record.key): record for record in records}

    def audit(self, *, before: int | None, limit: int, revisions: bool = False) -> list[Entry]:
        where = "WHERE number < ?" + (" AND revision IS NOT NULL" if revisions else "")
        with self._reading() as db:
            last = before if before is not None else tables.newest(db)[0] + 1
            return tables.told(db, f"{where} ORDER BY number DESC LIMIT ?", (last, limit))

    def revision(self, number: int) -> Entry | None:
        with self._reading() as db:
            return next(iter(tables.told(db, "WHERE revision = ?", (number,))), None)

    def as_of(self, number: int) -> dict[tuple[str, Key], Body] | None:
        with self._reading() as db:
            rows = list(tables.told(db, "WHERE revision = ?", (number,)))
            if not rows:
                return None
            bodies = {(row.kind, row.key): row.body for row, _ in tables.documents(db)}
            for _, changes in tables.changes_since(db, rows[0].number + 1):
                for change in changes:
                    _undo(bodies, change)
        return {
            (kind, read_key(key)): load(body) or {}
            for (kind, key), body in bodies.items()
            if kind != TOKEN
        }

    def verify(self) -> Verified | None:
        with self._reading() as db:
            first, number, previous = 0, 0, b""
            for entry, digest in tables.entries(db, 0):
                follows = not first or (number + 1, previous) == (entry.number, entry.previous)
                whole = digest_of(tables.changes_of(db, entry.number)) == entry.digest
                if entry.hash != digest or not follows or not whole:
                    what = f"entry {entry.number} of the audit is not what was written"
                    raise damaged(self._path, what)
                first, number, previous = first or entry.number, entry.number, digest
        return Verified(first, number, previous) if first else None

    def tokens(self) -> list[Token]:
        with self._reading() as db:
            return [row.token() for row in tables.tokens(db)]

    # --- Writing ---

    def commit_all(self, commits: Sequence[Commit], *, base: int) -> list[int]:
        wanted = [_wanted(commit.writes) for commit in commits]
        revisions = []
        with self._writing() as db:
            current = tables.revision(db)
            if base != current:
                raise Stale(f"Revision {base} was read, but the current one is {current}.")
            for commit, bodies in zip(commits, wanted, strict=True):
                current += self._apply(db, commit, bodies, current + 1)
                revisions.append(current)
        self._prune(len(commits))
        return revisions

    def put_token(self, token: Token, *, actor: str = "geodns", request_id: str = "") -> None:
        row = TokenRow.of(token)
        with self._writing() as db:
            old = tables.token(db, token.id)
            self._append_token(db, token.id, old, row, Commit((), actor, request_id=request_id))
            tables.insert_token(db, row)

    def drop_token(self, token_id: str, *, actor: str = "geodns", request_id: str = "") -> bool:
        with self._writing() as db:
            old = tables.token(db, token_id)
            if old is not None:
                who = Commit((), actor, request_id=request_id)
                self._append_token(db, token_id, old, None, who)
                db.execute("DELETE FROM token WHERE id = ?", (token_id,))
        return old is not None

    def close(self) -> None:
        with self._lock, self._read_lock:
            self._reader.close()
            self._db.close()

    # --- Inside a transaction ---

    def _apply(
        self,
        db: sqlite3.Connection,
        commit: Commit,
        bodies: dict[tuple[str, str], str | None],
        number: int,
    ) -> bool:
        """Make one commit the revision ``number``; whether it changes anything."""
        changes: list[ChangeRow] = []
        gone: list[DocumentRow] = []
        come: list[DocumentRow] = []
        for (kind, key), after in sorted(bodies.items()):
            old = tables.document(db, kind, key)
            if (before := old.body if old else None) == after:
                continue
            changes.append(ChangeRow(kind, key, before, after))
            gone += [old] if old else []
            if after is not None:
                made_by = old.made_by if old else commit.document
                come.append(DocumentRow(kind, key, number, made_by, after))
        if changes:
            self._append(db, number, commit, changes, gone, come)
        return bool(changes)

    def _append(
        self,
        db: sqlite3.Connection,
        revision: int | None,
        commit: Commit,
        changes: Sequence[ChangeRow],
        gone: Sequence[DocumentRow],
        come: Sequence[DocumentRow],
    ) -> None:
        at = self._clock().isoformat()
        who = (commit.actor, commit.reason, commit.request_id, commit.document)
        entry = AuditRow(0, revision, at, *who, digest_of(changes), b"", b"")
        tables.append(db, entry, changes, gone, come)

    def _append_token(
        self,
        db: sqlite3.Connection,
        token_id: str,
        old: TokenRow | None,
        new: TokenRow | None,
        who: Commit,
    ) -> None:
        change = ChangeRow(TOKEN, write_key((token_id,)), _told(old), _told(new))
        self._append(db, None, who, [change], [], [])

    def _heal(self, rows: Sequence[DocumentRow]) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM document")
            tables.insert_documents(db, rows)

    def _prune(self, commits: int) -> None:
        self._commits += commits
        if self._commits >= PRUNE_EVERY:
            self._commits = 0
            with self._writing() as db:
                prune(db, self._clock())

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, self._transaction(self._reader, "BEGIN"):
            yield self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._transaction(self._db, "BEGIN IMMEDIATE"):
            yield self._db

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


# --- Helpers ---

TOKEN = "token"
"""How the audit calls what is no part of the configuration."""


def _wanted(writes: Sequence[Write]) -> dict[tuple[str, str], str | None]:
    return {(kind, write_key(key)): dump(body) for (kind, key), body in last_writes(writes).items()}


def _undo(bodies: dict[tuple[str, str], str], change: ChangeRow) -> None:
    if change.before is None:
        bodies.pop((change.kind, change.key), None)
    else:
        bodies[change.kind, change.key] = change.before


def _told(row: TokenRow | None) -> str | None:
    """What the audit tells of a token: never its hash."""
    return None if row is None else row.body()

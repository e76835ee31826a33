"""The store in one file of the data directory: SQLite, documents beside their history.

Source: of WAL and synchronous=FULL: 0.4 ms a commit measured, and unlike NORMAL no
acknowledged write is lost when the power goes (sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from geodns.errors import Stale, Unavailable
from geodns.store import tables
from geodns.store.base import (
    Body,
    Commit,
    Entry,
    Key,
    Record,
    Store,
    Verified,
    Write,
    last_writes,
)
from geodns.store.chain import Broken, not_written, verified
from geodns.store.file import damaged
from geodns.store.prune import prune
from geodns.store.rows import (
    NOTHING,
    ChangeRow,
    DocumentRow,
    Told,
    dump,
    load,
    moved,
    read_key,
    write_key,
)
from geodns.store.salvage import Kept, history_of, true_rows
from geodns.store.token_rows import TOKEN
from geodns.store.token_table import TokenTable

log = logging.getLogger("geodns.store")

PRUNE_EVERY = 1000
"""How many commits pass between two looks for history to forget. Source: no reference; a look
takes some milliseconds."""


class SqliteStore(TokenTable, Store):
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
        super().__init__(path, clock, heal=heal)
        self._commits = 0

    # --- Reading ---

    def read(self) -> tuple[int, dict[tuple[str, Key], Record]]:
        with self._reading() as db:
            revision = tables.revision(db)
            _, state, _ = tables.newest(db)
            kept = list(tables.documents(db))
            rows = true_rows(kept, history_of(db), state)
        if rows is None:
            raise damaged(self._path, "its records are not what was written")
        spoilt = _spoilt(kept, rows)
        if spoilt and not self._may_heal:
            what = f"{spoilt} records are not what was written; opened by a server, they heal"
            raise damaged(self._path, what)
        if spoilt and self._heal(rows, state):
            log.error("%s: %d damaged records healed from history", self._path, spoilt)
        records = [row.record() for row in rows]
        return revision, {(record.kind, record.key): record for record in records}

    def audit(self, *, before: int | None, limit: int, revisions: bool = False) -> list[Entry]:
        where = "WHERE number < ?" + (" AND revision IS NOT NULL" if revisions else "")
        with self._reading() as db:
            last = before if before is not None else tables.newest(db)[0] + 1
            found = list(tables.told(db, f"{where} ORDER BY number DESC LIMIT ?", (last, limit)))
        return [self._whole(told).entry() for told in found]

    def revision(self, number: int) -> Entry | None:
        with self._reading() as db:
            found = list(tables.told(db, "WHERE revision = ?", (number,)))
        return self._whole(found[0]).entry() if found else None

    def as_of(self, number: int) -> dict[tuple[str, Key], Body] | None:
        with self._reading() as db:
            rows = list(tables.told(db, "WHERE revision = ?", (number,)))
            if not rows:
                return None
            kept = [row for row, _ in tables.documents(db)]
            if moved(NOTHING, (), (row.hash for row in kept)) != tables.newest(db)[1]:
                raise damaged(self._path, "its records are not what was written")
            bodies = {(row.kind, row.key): row.body for row in kept}
            since = (rows[0].row.number,)
            for told in tables.told(db, "WHERE number > ? ORDER BY number DESC", since):
                for change in self._whole(told).changes:
                    _undo(bodies, change)
        return {
            (kind, read_key(key)): load(body) or {}
            for (kind, key), body in bodies.items()
            if kind != TOKEN
        }

    def verify(self, head: bytes | None = None, number: int | None = None) -> Verified | None:
        with self._reading() as db:
            try:
                return verified(tables.every(db), head, number)
            except Broken as broken:
                raise damaged(self._path, str(broken)) from None

    def _whole(self, told: Told) -> Told:
        """The entry itself. Errors: Unavailable if it is not what was written."""
        if not told.whole:
            raise damaged(self._path, not_written(told.row.number))
        return told

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

    def note(self, notes: Sequence[Commit]) -> None:
        with self._writing() as db:
            for each in notes:
                self._append(db, None, each, [])

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
        found = _finder(db, len(bodies))
        for (kind, key), after in sorted(bodies.items()):
            old = found(kind, key)
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

    def _heal(self, rows: Sequence[DocumentRow], state: bytes) -> bool:
        """Put the rows that add up to ``state`` in place, unless they are not the last any more."""
        with self._writing() as db:
            if tables.newest(db)[1] != state:
                return False
            db.execute("DELETE FROM document")
            tables.insert_documents(db, rows)
        return True

    def _prune(self, commits: int) -> None:
        self._commits += commits
        if self._commits < PRUNE_EVERY:
            return
        self._commits = 0
        try:
            with self._writing() as db:
                prune(db, self._clock())
        except Unavailable as error:
            # What was committed before is durable; that history is long harms nobody.
            log.error("history is not pruned: %s", error)


# --- Helpers ---


MANY = 1000
"""So many rows are read all at once. Source: measured, of 100,000 in a tenth of the time."""


def _finder(db: sqlite3.Connection, wanted: int) -> Callable[[str, str], DocumentRow | None]:
    """What looks rows up that are about to be written."""
    if wanted < MANY:
        return partial(tables.document, db)
    rows = {(row.kind, row.key): row for row, _ in tables.documents(db)}
    return lambda kind, key: rows.get((kind, key))


def _spoilt(kept: Sequence[Kept], rows: Sequence[DocumentRow]) -> int:
    """How many rows had to be mended, so that these came of what was kept."""
    if len(kept) == len(rows) and all(old is row for (old, _), row in zip(kept, rows, strict=True)):
        return 0
    return len({row for row, digest in kept if row.hash == digest} ^ set(rows))


def _wanted(writes: Sequence[Write]) -> dict[tuple[str, str], str | None]:
    return {(kind, write_key(key)): dump(body) for (kind, key), body in last_writes(writes).items()}


def _undo(bodies: dict[tuple[str, str], str], change: ChangeRow) -> None:
    if change.before is None:
        bodies.pop((change.kind, change.key), None)
    else:
        bodies[change.kind, change.key] = change.before

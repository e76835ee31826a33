"""What a damaged file still proves: rows that are as they were written, or as history has them.

The newest entry of the audit holds the sum of all rows' hashes. Rows that add up to it are what
was acknowledged last; anything else is refused, never guessed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from geodns.store.rows import NOTHING, AuditRow, ChangeRow, DocumentRow, digest_of, moved
from geodns.store.tables import (
    changes_of,
    entries,
    insert_documents,
    insert_entry,
)
from geodns.store.token_rows import insert_token, sound, tokens

Kept = tuple[DocumentRow, bytes]
"""A row with the hash that was kept with it."""

At = tuple[str, str]
"""Kind and key of a row."""

Told = tuple[AuditRow, list[ChangeRow]]
"""An entry of the audit, as its hash says, with its changes, as its digest says."""


def true_rows(
    kept: Iterable[Kept], history: Iterable[Told], state: bytes
) -> list[DocumentRow] | None:
    """The rows that add up to ``state``; None if they cannot be told.

    Shape: ``history`` begins with the newest entry, and is read only if it is needed.
    """
    rows: dict[At, DocumentRow] = {}
    spoilt: list[Kept] = []
    digests: list[bytes] = []
    for row, digest in kept:
        if row.hash == digest:
            rows[row.kind, row.key] = row
            digests.append(digest)
        else:
            spoilt.append((row, digest))
    if not spoilt and len(digests) == len(rows) and moved(NOTHING, (), digests) == state:
        return list(rows.values())
    last, makers = _last_words(history)
    for (kind, key), (revision, body) in last.items():
        found = rows.get((kind, key))
        if body is None:
            rows.pop((kind, key), None)
        elif found is None or (found.revision, found.body) != (revision, body):
            names = [makers.get((kind, key)), None, *dict.fromkeys(makers.values())]
            rows[kind, key] = _row(DocumentRow(kind, key, revision, None, body), names, spoilt)
    return list(rows.values()) if _sum(rows.values()) == state else None


def history_of(db: sqlite3.Connection) -> Iterator[Told]:
    """What the audit proves, newest entry first."""
    for entry, digest in reversed(list(_readable(entries(db, 0)))):
        if entry.hash == digest:
            with contextlib.suppress(sqlite3.DatabaseError, ValueError):
                changes = changes_of(db, entry.number)
                if digest_of(changes) == entry.digest:
                    yield entry, changes


def rebuild(path: Path, into: Path) -> bool:
    """Write all that a damaged file proves into an empty store; whether that is everything but
    old history.

    Shape: ``into`` has the tables already. Tokens that are not as they were written stay behind.
    """
    with contextlib.closing(_open(path)) as db, contextlib.closing(_open(into)) as new:
        history = list(history_of(db))
        if not history:
            return False
        rows = true_rows(_both_ways(db), history, history[0][0].state)
        if rows is None:
            return False
        new.execute("BEGIN")
        for entry, changes in reversed(history):
            insert_entry(new, entry, changes)
        insert_documents(new, rows)
        with contextlib.suppress(sqlite3.DatabaseError):
            for token in sound(_readable(tokens(db))):
                insert_token(new, token)
        new.execute("COMMIT")
    return True


def _both_ways(db: sqlite3.Connection) -> list[Kept]:
    """The rows before a page that cannot be read, and those after it."""
    found: dict[tuple[Any, ...], Kept] = {}
    for order in ("ASC", "DESC"):
        statement = f"SELECT * FROM document ORDER BY kind {order}, key {order}"
        with contextlib.suppress(sqlite3.DatabaseError):
            for *row, digest in _readable(db.execute(statement)):
                found[tuple(row)] = DocumentRow(*row), digest
    return list(found.values())


def _readable(rows: Iterator[Any]) -> Iterator[Any]:
    """The rows up to the first that cannot be read."""
    with contextlib.suppress(sqlite3.DatabaseError, ValueError):
        yield from rows


def _last_words(
    history: Iterable[Told],
) -> tuple[dict[At, tuple[int, str | None]], dict[At, str | None]]:
    """The last revision and body of every resource that history knows, and of those whose
    making it knows, the document that made them."""
    last: dict[At, tuple[int, str | None]] = {}
    makers: dict[At, str | None] = {}
    for entry, changes in history:
        if entry.revision is None:
            continue
        for change in changes:
            at = change.kind, change.key
            last.setdefault(at, (entry.revision, change.after))
            if change.before is None:
                makers.setdefault(at, entry.document)
    return last, makers


def _row(row: DocumentRow, names: list[str | None], spoilt: list[Kept]) -> DocumentRow:
    """The row as it was written. Which of these documents made it, its hash tells; if that is
    what was spoilt, the rest of it does; else it is the first."""
    rows = [row._replace(made_by=name) for name in names]
    hashes = {digest for _, digest in spoilt}
    whole = {row for row, _ in spoilt}
    told = (row for row in rows if row.hash in hashes)
    return next(told, next((row for row in rows if row in whole), rows[0]))


def _sum(rows: Iterable[DocumentRow]) -> bytes:
    return moved(NOTHING, (), (row.hash for row in rows))


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = readable
    return db


def readable(octets: bytes) -> str:
    """Text of a column, even if damage made it none: its hash will tell."""
    return octets.decode("utf-8", "surrogateescape")

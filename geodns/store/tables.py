"""The statements that read and write the tables, inside whatever transaction is open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from geodns.store.rows import NOTHING, AuditRow, ChangeRow, DocumentRow, Told, moved

_ENTRY = "number, revision, at, actor, reason, request_id, document, digest, state, previous"


def revision(db: sqlite3.Connection) -> int:
    """The current revision; 0 before the first."""
    number: int = db.execute("SELECT coalesce(max(revision), 0) FROM audit").fetchone()[0]
    return number


def newest(db: sqlite3.Connection) -> tuple[int, bytes, bytes]:
    """Number, state and hash of the newest entry."""
    row = db.execute("SELECT number, state, hash FROM audit ORDER BY number DESC LIMIT 1")
    return row.fetchone() or (0, NOTHING, NOTHING)


def document(db: sqlite3.Connection, kind: str, key: str) -> DocumentRow | None:
    """The row of one resource, if it exists."""
    row = db.execute(
        "SELECT kind, key, revision, made_by, body FROM document WHERE kind = ? AND key = ?",
        (kind, key),
    ).fetchone()
    return None if row is None else DocumentRow(*row)


def documents(db: sqlite3.Connection) -> Iterator[tuple[DocumentRow, bytes]]:
    """Every resource, and the hash that was kept with it."""
    for *row, digest in db.execute("SELECT * FROM document"):
        yield DocumentRow(*row), digest


def insert_documents(db: sqlite3.Connection, rows: Iterable[DocumentRow]) -> None:
    """Put rows in place of those with their keys."""
    _insert_hashed(db, ((*row, row.hash) for row in rows))


def _insert_hashed(db: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    db.executemany("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)", rows)


def insert_entry(db: sqlite3.Connection, entry: AuditRow, changes: Iterable[ChangeRow]) -> None:
    """Append an entry with its changes."""
    places = ", ".join("?" * (len(entry) + 1))
    db.execute(f"INSERT INTO audit ({_ENTRY}, hash) VALUES ({places})", (*entry, entry.hash))
    db.executemany(
        "INSERT INTO change VALUES (?, ?, ?, ?, ?)",
        ((entry.number, *change) for change in changes),
    )


def newest_of_none(db: sqlite3.Connection) -> int:
    """The number of the newest entry that made no revision, as changes of tokens do."""
    row = db.execute("SELECT coalesce(max(number), 0) FROM audit WHERE revision IS NULL")
    number: int = row.fetchone()[0]
    return number


def oldest(db: sqlite3.Connection) -> int:
    """The number of the oldest entry that is kept; 0 for none."""
    number: int = db.execute("SELECT coalesce(min(number), 0) FROM audit").fetchone()[0]
    return number


def entries(db: sqlite3.Connection, after: int) -> Iterator[tuple[AuditRow, bytes]]:
    """The entries above a number, oldest first, each with the hash that was kept with it."""
    rows = db.execute(f"SELECT {_ENTRY}, hash FROM audit WHERE number > ? ORDER BY number", [after])
    for *row, digest in rows:
        yield AuditRow(*row), digest


def changes_of(db: sqlite3.Connection, number: int) -> list[ChangeRow]:
    """The changes of one entry."""
    rows = db.execute("SELECT * FROM change WHERE number = ? ORDER BY kind, key", (number,))
    return [ChangeRow(*row[1:]) for row in rows]


def told(db: sqlite3.Connection, where: str, values: Sequence[int]) -> Iterator[Told]:
    """The entries that a condition selects, with their changes."""
    rows = db.execute(f"SELECT {_ENTRY}, hash FROM audit {where}", values).fetchall()
    return (_told(db, AuditRow(*row), digest) for *row, digest in rows)


def every(db: sqlite3.Connection) -> Iterator[Told]:
    """Every entry, oldest first, with its changes."""
    for row, digest in entries(db, 0):
        yield _told(db, row, digest)


def _told(db: sqlite3.Connection, row: AuditRow, digest: bytes) -> Told:
    return Told(row, digest, changes_of(db, row.number))


def append(
    db: sqlite3.Connection,
    entry: AuditRow,
    changes: Sequence[ChangeRow],
    gone: Sequence[DocumentRow],
    come: Sequence[DocumentRow],
) -> None:
    """Append an entry and make its changes; ``entry`` needs only what is not told by these."""
    number, state, previous = newest(db)
    hashes = [row.hash for row in come]
    after = moved(state, (row.hash for row in gone), hashes)
    insert_entry(db, entry._replace(number=number + 1, state=after, previous=previous), changes)
    db.executemany(
        "DELETE FROM document WHERE kind = ? AND key = ?", ((row.kind, row.key) for row in gone)
    )
    _insert_hashed(db, ((*row, digest) for row, digest in zip(come, hashes, strict=True)))

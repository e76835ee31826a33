"""The statements that read and write the tables, inside whatever transaction is open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from geodns.store.base import Entry
from geodns.store.rows import NOTHING, AuditRow, ChangeRow, DocumentRow, TokenRow, moved

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
    db.executemany(
        "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)",
        ((*row, row.hash) for row in rows),
    )


def insert_entry(db: sqlite3.Connection, entry: AuditRow, changes: Iterable[ChangeRow]) -> None:
    """Append an entry with its changes."""
    places = ", ".join("?" * (len(entry) + 1))
    db.execute(f"INSERT INTO audit ({_ENTRY}, hash) VALUES ({places})", (*entry, entry.hash))
    db.executemany(
        "INSERT INTO change VALUES (?, ?, ?, ?, ?)",
        ((entry.number, *change) for change in changes),
    )


_TOKEN = "id, role, hash, created, expires_at, nodes"


def token(db: sqlite3.Connection, token_id: str) -> TokenRow | None:
    """One token, if there is one."""
    row = db.execute(f"SELECT {_TOKEN} FROM token WHERE id = ?", (token_id,)).fetchone()
    return None if row is None else TokenRow(*row)


def tokens(db: sqlite3.Connection) -> list[TokenRow]:
    """All tokens, by id."""
    return [TokenRow(*row) for row in db.execute(f"SELECT {_TOKEN} FROM token ORDER BY id")]


def insert_token(db: sqlite3.Connection, row: TokenRow) -> None:
    """Put a token in place of one with its id."""
    places = ", ".join("?" * len(row))
    db.execute(f"INSERT OR REPLACE INTO token ({_TOKEN}) VALUES ({places})", row)


def entries(db: sqlite3.Connection, after: int) -> Iterator[tuple[AuditRow, bytes]]:
    """The entries above a number, oldest first, each with the hash that was kept with it."""
    rows = db.execute(f"SELECT {_ENTRY}, hash FROM audit WHERE number > ? ORDER BY number", [after])
    for *row, digest in rows:
        yield AuditRow(*row), digest


def changes_since(db: sqlite3.Connection, first: int) -> Iterator[tuple[int, list[ChangeRow]]]:
    """The changes of the entries from a number on, newest entry first."""
    rows = db.execute(
        "SELECT * FROM change WHERE number >= ? ORDER BY number DESC, kind, key", (first,)
    )
    for number, group in groupby(rows, lambda row: row[0]):
        yield number, [ChangeRow(*row[1:]) for row in group]


def changes_of(db: sqlite3.Connection, number: int) -> list[ChangeRow]:
    """The changes of one entry."""
    rows = db.execute("SELECT * FROM change WHERE number = ? ORDER BY kind, key", (number,))
    return [ChangeRow(*row[1:]) for row in rows]


def told(db: sqlite3.Connection, where: str, values: Sequence[int]) -> list[Entry]:
    """The entries that a condition selects, with their changes."""
    rows = db.execute(f"SELECT {_ENTRY}, hash FROM audit {where}", values).fetchall()
    return [_entry(db, AuditRow(*row), digest) for *row, digest in rows]


def _entry(db: sqlite3.Connection, row: AuditRow, digest: bytes) -> Entry:
    return Entry(
        row.number,
        row.revision,
        datetime.fromisoformat(row.at),
        row.actor,
        row.reason,
        row.request_id,
        row.document,
        tuple(change.changed() for change in changes_of(db, row.number)),
        digest,
    )


def append(
    db: sqlite3.Connection,
    entry: AuditRow,
    changes: Sequence[ChangeRow],
    gone: Sequence[DocumentRow],
    come: Sequence[DocumentRow],
) -> None:
    """Append an entry and make its changes; ``entry`` needs only what is not told by these."""
    number, state, previous = newest(db)
    after = moved(state, (row.hash for row in gone), (row.hash for row in come))
    insert_entry(db, entry._replace(number=number + 1, state=after, previous=previous), changes)
    db.executemany(
        "DELETE FROM document WHERE kind = ? AND key = ?", ((row.kind, row.key) for row in gone)
    )
    insert_documents(db, come)

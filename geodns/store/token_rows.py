"""Tokens as rows: each with a digest, for what damage makes of a right must not be a wider one."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from geodns.store.base import Role, Token
from geodns.store.rows import dump, hash_of, hex_of

TOKEN = "token"
"""How the audit calls what is no part of the configuration."""

_COLUMNS = "id, role, hash, created, expires_at, nodes, zones, old_hash, old_until"

Kept = tuple[object, ...]
"""What stands in the table; damage can make anything of it."""


class TokenRow(NamedTuple):
    """A row of the table ``token`` without its digest. Its hashes are those of secrets."""

    id: str
    role: Role
    hash: bytes
    created: str
    expires_at: str | None
    nodes: str
    zones: str
    old_hash: bytes | None
    old_until: str | None

    @property
    def digest(self) -> bytes:
        """What tells a right from one that damage made."""
        return hash_of(
            [*self[:2], hex_of(self.hash), *self[3:7], hex_of(self.old_hash), self.old_until]
        )

    @classmethod
    def of(cls, token: Token) -> TokenRow:
        return cls(
            token.id,
            token.role,
            token.hash,
            token.created.isoformat(),
            _instant(token.expires_at),
            json.dumps(token.nodes),
            json.dumps(token.zones),
            token.old_hash,
            _instant(token.old_until),
        )

    def token(self) -> Token:
        return Token(
            self.id,
            self.role,
            self.hash,
            datetime.fromisoformat(self.created),
            _read_instant(self.expires_at),
            tuple(json.loads(self.nodes)),
            tuple(json.loads(self.zones)),
            self.old_hash,
            _read_instant(self.old_until),
        )

    def body(self) -> str | None:
        """What may be told of it."""
        fields = {
            "role": self.role,
            "expires_at": self.expires_at,
            "nodes": json.loads(self.nodes),
            "zones": json.loads(self.zones),
            "old_until": self.old_until,
        }
        return dump({name: value for name, value in fields.items() if value})


def token(db: sqlite3.Connection, token_id: str) -> TokenRow | None:
    """One token, if there is one that is as it was written."""
    statement = f"SELECT {_COLUMNS}, digest FROM token WHERE id = ?"
    return next(sound(db.execute(statement, (token_id,))), None)


def tokens(db: sqlite3.Connection) -> Iterator[Kept]:
    """Whatever stands in the table, by id."""
    return db.execute(f"SELECT {_COLUMNS}, digest FROM token ORDER BY id")


def sound(rows: Iterable[Kept]) -> Iterator[TokenRow]:
    """The tokens among them that are as they were written."""
    return (row for _, row in judged(rows) if row is not None)


def judged(rows: Iterable[Kept]) -> Iterator[tuple[str, TokenRow | None]]:
    """Each one's id, and the token itself if it is as it was written."""
    for *fields, digest in rows:
        row = TokenRow(*fields)  # type: ignore[arg-type]
        yield str(row.id), row if row.digest == digest else None


def insert_token(db: sqlite3.Connection, row: TokenRow) -> None:
    """Put a token in place of one with its id."""
    places = ", ".join("?" * (len(row) + 1))
    statement = f"INSERT OR REPLACE INTO token ({_COLUMNS}, digest) VALUES ({places})"
    db.execute(statement, (*row, row.digest))


def delete_token(db: sqlite3.Connection, token_id: str) -> bool:
    """Remove a token, sound or not; whether there was one."""
    db.execute("DELETE FROM token_use WHERE id = ?", (token_id,))
    return db.execute("DELETE FROM token WHERE id = ?", (token_id,)).rowcount > 0


def changed_since(db: sqlite3.Connection, number: int) -> set[str]:
    """The keys of tokens that entries of the audit after one are about."""
    statement = (
        "SELECT key FROM audit JOIN change USING (number) "
        "WHERE revision IS NULL AND number > ? AND kind = ?"
    )
    return {key for (key,) in db.execute(statement, (number, TOKEN))}


def insert_uses(db: sqlite3.Connection, uses: Mapping[str, datetime]) -> None:
    """Remember the last use of tokens that there are."""
    db.executemany(
        "INSERT OR REPLACE INTO token_use SELECT id, ? FROM token WHERE id = ?",
        ((at.isoformat(), token_id) for token_id, at in uses.items()),
    )


def uses(db: sqlite3.Connection) -> dict[str, datetime]:
    """When tokens were used last."""
    found: dict[str, datetime] = {}
    for token_id, at in db.execute("SELECT id, at FROM token_use"):
        # Nobody's right hangs on it: what damage made unreadable was not used.
        with contextlib.suppress(ValueError, TypeError):
            found[token_id] = datetime.fromisoformat(at)
    return found


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

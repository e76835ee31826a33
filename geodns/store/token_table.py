"""The tokens of the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from geodns.store import tables, token_rows
from geodns.store.base import Commit, Token, TokenNews
from geodns.store.connections import Connections
from geodns.store.rows import ChangeRow, read_key, write_key
from geodns.store.token_rows import TOKEN, TokenRow


class TokenTable(Connections):
    """Keeps tokens, tells what became of them, and has the audit tell of each change."""

    def tokens(self) -> list[Token]:
        with self._reading() as db:
            return [row.token() for row in token_rows.sound(token_rows.tokens(db))]

    def token(self, token_id: str) -> Token | None:
        with self._reading() as db:
            row = token_rows.token(db, token_id)
        return row.token() if row else None

    def damaged_tokens(self) -> list[str]:
        with self._reading() as db:
            found = token_rows.judged(token_rows.tokens(db))
            return [token_id for token_id, row in found if row is None]

    def tokens_since(self, number: int) -> TokenNews:
        with self._watching() as db:
            # Raised by every commit but this connection's own, whoever makes it.
            (version,) = db.execute("PRAGMA data_version").fetchone()
            # What this version of the file brought is known up to that entry.
            if self._watched == (version, number):
                return TokenNews(number, False, {})
            with self._transaction(db, "BEGIN"):
                news = _news(db, number)
            self._watched = version, news.number
            return news

    def put_token(
        self, token: Token, *, actor: str = "geodns", reason: str = "", request_id: str = ""
    ) -> None:
        row = TokenRow.of(token)
        with self._writing() as db:
            old = token_rows.token(db, token.id)
            self._append_token(db, token.id, old, row, Commit((), actor, reason, request_id))
            token_rows.insert_token(db, row)

    def drop_token(
        self, token_id: str, *, actor: str = "geodns", reason: str = "", request_id: str = ""
    ) -> bool:
        with self._writing() as db:
            old = token_rows.token(db, token_id)
            dropped = token_rows.delete_token(db, token_id)
            if dropped:
                who = Commit((), actor, reason, request_id)
                self._append_token(db, token_id, old, None, who)
        return dropped

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        with self._writing() as db:
            token_rows.insert_uses(db, uses)

    def uses(self) -> dict[str, datetime]:
        with self._reading() as db:
            return token_rows.uses(db)

    def _append_token(
        self,
        db: sqlite3.Connection,
        token_id: str,
        old: TokenRow | None,
        new: TokenRow | None,
        who: Commit,
    ) -> None:
        told = [None if row is None else row.body() for row in (old, new)]
        self._append(db, None, who, [ChangeRow(TOKEN, write_key((token_id,)), *told)])


def _news(db: sqlite3.Connection, number: int) -> TokenNews:
    last, oldest = tables.newest_of_none(db), tables.oldest(db)
    if number < 0 or number + 1 < oldest:
        rows = token_rows.sound(token_rows.tokens(db))
        return TokenNews(last, True, {row.id: row.token() for row in rows})
    changed = (read_key(key)[0] for key in token_rows.changed_since(db, number))
    found = {token_id: token_rows.token(db, token_id) for token_id in changed}
    told = {token_id: row.token() if row else None for token_id, row in found.items()}
    return TokenNews(max(number, last), False, told)

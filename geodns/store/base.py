"""What a store must do, whatever it is made of. `tests/contract/store` says it in tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Key = tuple[str, ...]
"""Where a record stands in its kind: ("fra1",) or ("example.com", "mail", "A")."""

Body = dict[str, Any]

Role = Literal["admin", "operator", "agent", "reader"]


@dataclass(frozen=True, slots=True)
class Record:
    """One resource as it is stored, and the revision that wrote it last."""

    kind: str
    key: Key
    revision: int
    body: Body


@dataclass(frozen=True, slots=True)
class Write:
    """One resource as it shall be; without body it shall not be."""

    kind: str
    key: Key
    body: Body | None


@dataclass(frozen=True, slots=True)
class Changed:
    """What one revision did to one resource; None where it was or is absent."""

    kind: str
    key: Key
    before: Body | None
    after: Body | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision: who changed what, when and why."""

    number: int
    at: datetime
    actor: str
    note: str
    changes: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A right to use the API. ``hash`` is the SHA-256 of its secret, which is kept nowhere.

    Shape: ``nodes`` are patterns of the ids that an agent may speak for.
    """

    id: str
    role: Role
    hash: bytes
    created: datetime
    expires_at: datetime | None = None
    nodes: tuple[str, ...] = ()


class Store(Protocol):
    """Records under one revision number that every change raises by one.

    Errors: Unavailable when the store cannot be read or written; what was acknowledged before
            stays. Every method may be called from any thread, and blocks.
    """

    def read(self) -> tuple[int, dict[tuple[str, Key], Record]]:
        """The current revision (0 at first) and all records, as of one moment."""

    def commit(self, writes: Sequence[Write], *, base: int, actor: str, note: str = "") -> int:
        """Apply all writes or none; they are durable when this returns.

        Shape:  the new revision, or the old one if nothing changes; of several writes to one
                key the last counts; removing what is absent changes nothing.
        Errors: Stale when ``base`` is not the current revision.
        """

    def history(self, since: int, limit: int) -> list[Entry]:
        """At most ``limit`` revisions after ``since``, oldest first."""

    def put_token(self, token: Token) -> None:
        """Keep a token, in place of one with the same id."""

    def drop_token(self, token_id: str) -> bool:
        """End a token; whether there was one."""

    def tokens(self) -> list[Token]:
        """All tokens, by id."""

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""


def last_writes(writes: Iterable[Write]) -> dict[tuple[str, Key], Body | None]:
    """What the writes come to: one body a key, the last one given."""
    return {(write.kind, write.key): write.body for write in writes}

"""What a store must do, whatever it is made of. `tests/contract/store` says it in tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    made_by: str | None = None
    """The name of the document that made it, if one did."""


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
class Commit:
    """Writes that become one revision together, who wants them and why.

    Shape: ``document`` is the name of the document that is applied, None if it is none.
    """

    writes: Sequence[Write]
    actor: str
    reason: str = ""
    request_id: str = ""
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the audit: who changed what, when and why.

    Shape: ``revision`` is None where the configuration stayed as it was, as with tokens;
           ``hash`` covers the entry and the hash of the one before it.
    """

    number: int
    revision: int | None
    at: datetime
    actor: str
    reason: str
    request_id: str
    document: str | None
    changes: tuple[Changed, ...]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """The audit's chain was found whole from entry ``first`` to ``last``, whose hash is ``head``:
    kept elsewhere, it proves later that nothing up to it was changed."""

    first: int
    last: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """A right to use the API. ``hash`` is the SHA-256 of its secret, which is kept nowhere.

    Shape: ``nodes`` and ``zones`` are patterns of what it is limited to; an agent's nodes are
           those it may speak for. ``old_hash`` is that of the secret before, which is good until
           ``old_until``.
    """

    id: str
    role: Role
    hash: bytes
    created: datetime
    expires_at: datetime | None = None
    nodes: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    old_hash: bytes | None = None
    old_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenNews:
    """What became of tokens up to the audit's entry ``number``; None for one that is gone.

    Shape: if ``whole``, there are no others.
    """

    number: int
    whole: bool
    tokens: Mapping[str, Token | None]


class Store(Protocol):
    """Records under one revision number that every change raises by one.

    Errors: Unavailable when the store cannot be read or written; what was acknowledged before
            stays. Every method may be called from any thread, and blocks.
    """

    def read(self) -> tuple[int, dict[tuple[str, Key], Record]]:
        """The current revision (0 at first) and all records, as of one moment."""

    def commit_all(self, commits: Sequence[Commit], *, base: int) -> list[int]:
        """Apply all commits, each on the one before it, or none; durable when this returns.

        Shape:  the revision after each: a new one, or the one before if nothing changes; of
                several writes to one key the last counts; removing what is absent changes
                nothing.
        Errors: Stale when ``base`` is not the current revision.
        """

    def commit(self, writes: Sequence[Write], *, base: int, actor: str, reason: str = "") -> int:
        """One commit alone; the revision after it."""
        return self.commit_all([Commit(writes, actor, reason)], base=base)[0]

    def audit(self, *, before: int | None, limit: int, revisions: bool = False) -> list[Entry]:
        """At most ``limit`` entries below number ``before``, newest first; only those that made
        a revision if asked so."""

    def revision(self, number: int) -> Entry | None:
        """The entry that made a revision; None if it never was or is forgotten."""

    def as_of(self, number: int) -> dict[tuple[str, Key], Body] | None:
        """All bodies as a revision left them; None if that is forgotten or never was."""

    def verify(self, head: bytes | None = None, number: int | None = None) -> Verified | None:
        """Hold every kept entry against its hash and the one before; None while there are none.

        Shape:  with ``head``, an entry of that hash, and of that number if one is given, must be
                among them, too, or be the one before the first.
        Errors: Unavailable with the first entry that is not what was written.
        """

    def note(self, notes: Sequence[Commit]) -> None:
        """Entries of the audit that change nothing: who did or tried what. Writes are ignored."""

    def put_token(
        self, token: Token, *, actor: str = "geodns", reason: str = "", request_id: str = ""
    ) -> None:
        """Keep a token, in place of one with the same id; the audit tells of it."""

    def drop_token(
        self, token_id: str, *, actor: str = "geodns", reason: str = "", request_id: str = ""
    ) -> bool:
        """End a token; whether there was one. The audit tells of it."""

    def tokens(self) -> list[Token]:
        """All tokens that are as they were written, by id."""

    def token(self, token_id: str) -> Token | None:
        """One token, if there is one that is as it was written."""

    def damaged_tokens(self) -> list[str]:
        """The ids, as far as they can be read, of tokens that are not as they were written."""

    def tokens_since(self, number: int) -> TokenNews:
        """What became of tokens after an entry of the audit, all of them for -1.

        Shape: costs next to nothing while nobody writes, and waits for nobody.
        """

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Remember when tokens were used last. The audit does not tell of it."""

    def uses(self) -> dict[str, datetime]:
        """When each token was used last, of those that were."""

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""


def last_writes(writes: Iterable[Write]) -> dict[tuple[str, Key], Body | None]:
    """What the writes come to: one body a key, the last one given."""
    return {(write.kind, write.key): write.body for write in writes}

"""How rows are written and what their hashes cover: SQLite has no checksums of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from geodns.store.base import Body, Changed, Key, Record, Role, Token

STATE_BITS = 256
NOTHING = bytes(STATE_BITS // 8)
"""The state of an empty store, and what the first entry of an audit follows."""


class DocumentRow(NamedTuple):
    """A row of the table ``document``, as text that is hashed."""

    kind: str
    key: str
    revision: int
    made_by: str | None
    body: str

    @property
    def hash(self) -> bytes:
        return _hash(list(self))

    def record(self) -> Record:
        return Record(
            self.kind, read_key(self.key), self.revision, json.loads(self.body), self.made_by
        )


class ChangeRow(NamedTuple):
    """A row of the table ``change`` without its number."""

    kind: str
    key: str
    before: str | None
    after: str | None

    def changed(self) -> Changed:
        return Changed(self.kind, read_key(self.key), load(self.before), load(self.after))


class TokenRow(NamedTuple):
    """A row of the table ``token``. Its hash is that of a secret."""

    id: str
    role: Role
    hash: bytes
    created: str
    expires_at: str | None
    nodes: str

    @classmethod
    def of(cls, token: Token) -> TokenRow:
        expires = token.expires_at.isoformat() if token.expires_at else None
        created, nodes = token.created.isoformat(), json.dumps(token.nodes)
        return cls(token.id, token.role, token.hash, created, expires, nodes)

    def token(self) -> Token:
        expires = datetime.fromisoformat(self.expires_at) if self.expires_at else None
        created, nodes = datetime.fromisoformat(self.created), tuple(json.loads(self.nodes))
        return Token(self.id, self.role, self.hash, created, expires, nodes)

    def body(self) -> str | None:
        """What may be told of it."""
        fields = {"role": self.role, "expires_at": self.expires_at, "nodes": json.loads(self.nodes)}
        return dump({name: value for name, value in fields.items() if value})


class AuditRow(NamedTuple):
    """A row of the table ``audit`` without its own hash.

    Shape: ``digest`` covers the entry's changes, ``state`` all documents after it, so that what
           is kept can be held against what was acknowledged; ``previous`` is the hash before.
    """

    number: int
    revision: int | None
    at: str
    actor: str
    reason: str
    request_id: str
    document: str | None
    digest: bytes
    state: bytes
    previous: bytes

    @property
    def hash(self) -> bytes:
        return _hash([*self[:7], self.digest.hex(), self.state.hex(), self.previous.hex()])


def digest_of(changes: Iterable[ChangeRow]) -> bytes:
    """What an audit row keeps of its changes, in whatever order they come."""
    return _hash(sorted((list(change) for change in changes), key=lambda each: str(each[:2])))


def moved(state: bytes, gone: Iterable[bytes], come: Iterable[bytes]) -> bytes:
    """The state after rows of these hashes went and came.

    Shape: a sum, so that a change costs what it touches and no order matters.
    """
    total = int.from_bytes(state)
    total += sum(map(int.from_bytes, come)) - sum(map(int.from_bytes, gone))
    return (total % (1 << STATE_BITS)).to_bytes(STATE_BITS // 8)


def dump(body: Body | None) -> str | None:
    """One text for equal bodies."""
    if body is None:
        return None
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def load(body: str | None) -> Body | None:
    return None if body is None else json.loads(body)


def write_key(key: Key) -> str:
    return json.dumps(key)


def read_key(text: str) -> Key:
    return tuple(json.loads(text))


def _hash(content: Sequence[Any]) -> bytes:
    # What damage made of a text may be octets; they, too, have a hash, if a wrong one.
    return hashlib.sha256(json.dumps(content, default=repr).encode("ascii")).digest()

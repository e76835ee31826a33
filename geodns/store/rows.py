"""How rows are written and what their hashes cover: SQLite has no checksums of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from geodns.store.base import Body, Changed, Entry, Key, Record

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
        return hash_of(list(self))

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
        return hash_of([*self[:7], hex_of(self.digest), hex_of(self.state), hex_of(self.previous)])


class Told(NamedTuple):
    """An entry as it was found, with the hash that was kept with it and its changes."""

    row: AuditRow
    hash: bytes
    changes: Sequence[ChangeRow]

    @property
    def whole(self) -> bool:
        """Whether it is as it was written."""
        return self.row.hash == self.hash and digest_of(self.changes) == self.row.digest

    def entry(self) -> Entry:
        row = self.row
        return Entry(
            row.number,
            row.revision,
            datetime.fromisoformat(row.at),
            row.actor,
            row.reason,
            row.request_id,
            row.document,
            tuple(change.changed() for change in self.changes),
            self.hash,
        )


def digest_of(changes: Iterable[ChangeRow]) -> bytes:
    """What an audit row keeps of its changes, in whatever order they come."""
    return hash_of(sorted((list(change) for change in changes), key=lambda each: str(each[:2])))


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
    return _body_text(body)


# Made once: json.dumps makes one for every row of a large document.
_body_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
# What damage made of a text may be octets; they, too, have a hash, if a wrong one.
_row_text = json.JSONEncoder(default=repr).encode


def load(body: str | None) -> Body | None:
    return None if body is None else json.loads(body)


def write_key(key: Key) -> str:
    return json.dumps(key)


def read_key(text: str) -> Key:
    return tuple(json.loads(text))


def hex_of(octets: object) -> str | None:
    """Octets of a column as text that can be hashed."""
    if octets is None:
        return None
    # Damage can make of octets whatever a column can hold.
    return octets.hex() if isinstance(octets, bytes) else repr(octets)


def hash_of(content: Sequence[Any]) -> bytes:
    """The SHA-256 of a row."""
    return hashlib.sha256(_row_text(content).encode("ascii")).digest()

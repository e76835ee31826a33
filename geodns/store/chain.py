"""The audit's chain: each entry's hash covers the entry, its changes and the hash before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from geodns.store.base import Verified
from geodns.store.rows import Told

SHOWN_DIGITS = 16
"""Of a hash in an error. Source: no reference; enough to tell it from another."""


class Broken(Exception):
    """The chain is not what was written; the text says where."""


def verified(
    kept: Iterable[Told],
    head: bytes | None,
    number: int | None,
) -> Verified | None:
    """The chain's ends, if all between them is whole and an entry kept elsewhere is in it.

    Errors: Broken.
    """
    found, first, last, end = head is None, 0, 0, b""
    for each, previous, digest in _followed(kept):
        if not first:
            first = each
            found = found or (previous == head and number in (None, each - 1))
            if number is not None and number < each - 1:
                raise Broken(f"entry {number} of the audit is forgotten; it begins with {each}")
        last, end = each, digest
        found = found or (digest == head and number in (None, each))
    if not found and head is not None:
        raise Broken(_missing(head, number, last))
    return Verified(first, last, end) if first else None


def _followed(kept: Iterable[Told]) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, hash before and hash of each entry. Errors: Broken."""
    before: tuple[int, bytes] | None = None
    for told in kept:
        entry = told.row
        follows = before is None or before == (entry.number - 1, entry.previous)
        if not follows or not told.whole:
            raise Broken(not_written(entry.number))
        before = entry.number, told.hash
        yield entry.number, entry.previous, told.hash


def not_written(number: int) -> str:
    """What is wrong with an entry that is not whole."""
    return f"entry {number} of the audit is not what was written"


def _missing(head: bytes, number: int | None, last: int) -> str:
    shown = head.hex()[:SHOWN_DIGITS] + "…"
    if number is not None and number > last:
        return f"the audit ends with entry {last}; entry {number} ({shown}) was cut off"
    if number is not None:
        return f"entry {number} of the audit is not the one of hash {shown}: it was replaced"
    return f"no kept entry of the audit has the hash {shown}"

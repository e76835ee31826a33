"""The records of an mmdb file, read by their offset instead of by an address.

In pure Python, since the file is untrusted: maxminddb's own decoder bounds what a crafted record
can cost, while its C extension 3.2.0 crashes on some corrupt ones. What records share (countries,
continents, keys) is decoded once.

Source: MaxMind DB file format specification 2.0, "Output Data Section".
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from maxminddb.decoder import Decoder

from geodns.geo.tree import BrokenFile, SearchTree

POINTER, MAP = 1, 7
"""Types of values, the upper three bits of their first byte."""
DOUBLE = 3 << 5 | 8
"""First byte of a floating-point number of eight bytes."""
POINTER_BASE = {1: 0, 2: 2048, 3: 526336, 4: 0}
"""What is added to a pointer of so many bytes."""
MOST_FIELDS = 28
"""The largest size that stands in the first byte; GeoIP2 records have 10 fields at most."""

_DOUBLE = Struct(">d")


class Records:
    """The records of one file. Errors: BrokenFile, and what Decoder raises on corrupt data."""

    def __init__(self, content: bytes, tree: SearchTree) -> None:
        self._content = content
        self._start = tree.data_start
        self._decode = Decoder(content, pointer_base=tree.data_start).decode
        self._shared: dict[int, Any] = {}

    def fields(self, offset: int, wanted: frozenset[str]) -> dict[str, Any]:
        """The wanted fields of the record at an offset from the start of the data."""
        at = self._start + offset
        if self._content[at] >> 5 != MAP:
            raise BrokenFile(f"the record at {offset} of its data is no map")
        return self._map(at, wanted)[0]

    def _map(self, at: int, wanted: frozenset[str] | None) -> tuple[dict[str, Any], int]:
        """The map at a place, or the wanted part of it, and where the next value begins."""
        size = self._content[at] & 31
        if size > MOST_FIELDS:
            raise BrokenFile(f"a record of its data has more than {MOST_FIELDS} fields")
        at += 1
        found = {}
        for _ in range(size):
            key, at = self._value(at, needed=True)
            needed = wanted is None or key in wanted
            value, at = self._value(at, needed)
            if needed:
                found[key] = value
        return found, at

    def _value(self, at: int, needed: bool) -> tuple[Any, int]:
        """The value at a place and where the next one begins; of shared ones only if needed."""
        first = self._content[at]
        kind = first >> 5
        if kind == MAP:
            return self._map(at, None)
        if first == DOUBLE:  # coordinates, of which there are most
            return _DOUBLE.unpack_from(self._content, at + 1)[0], at + 9
        if kind != POINTER:
            return self._decode(at)
        size = (first >> 3 & 3) + 1
        end = at + 1 + size
        if not needed:
            return None, end
        target = int.from_bytes(self._content[at + 1 : end], "big") + POINTER_BASE[size]
        if size < 4:
            target += (first & 7) << 8 * size
        if target not in self._shared:
            self._shared[target] = self._decode(self._start + target)[0]
        return self._shared[target], end

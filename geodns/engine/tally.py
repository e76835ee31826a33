"""A worker counts what queries are about and who answers them (`geodns.engine.counts`)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from geodns.engine.counts import (
    ASKED,
    BLOCK_HEAD,
    DROPS,
    DURATIONS_NS,
    FIRST_ZONE,
    NO_ZONE,
    NODE,
    NODES_AT,
    NUMBERS,
    OTHER_ZONE,
    RCODES_AT,
    REPLIED,
    ROW,
    SIZES,
    TOOK,
    TYPES,
    WORD,
    ZONES_MAX,
    Counts,
    key_of,
)
from geodns.engine.page import RCODES
from geodns.snapshot.section import Section

_KIND_OF = {number: place for place, number in enumerate(NUMBERS)}
_OTHER = len(TYPES) - 1


class Asked(NamedTuple):
    """A query that was answered. Shape: ``zone`` is a row, ``rtype`` None where none was read."""

    zone: int
    rtype: int | None
    is_v6: bool
    octets: int


class Tally:
    """The writer of one worker's counters."""

    def __init__(self, path: Path, slots: int) -> None:
        """The file is made, or taken over from a predecessor. Errors: Unavailable."""
        self._counts = Counts(path, slots)
        self.blocks = self._counts.blocks
        self._row_of: dict[bytes, int] = {}

    # -- A generation is loaded

    def rows(self, apexes: Iterable[bytes]) -> dict[bytes, int]:
        """Where the queries of each zone are counted from now on."""
        keys = {apex: key_of(apex) for apex in apexes}
        # A row is given away a generation after its zone has gone: nobody counts there any more.
        kept = {*keys.values(), *map(key_of, self._row_of)}
        taken = {key: row for row, key in enumerate(self._counts.zones) if key in kept}
        free = (row for row in range(FIRST_ZONE, ZONES_MAX) if self._counts.zones[row] not in taken)
        for key in keys.values():
            if key not in taken and (row := next(free, None)) is not None:
                self._clear(BLOCK_HEAD + row * ROW, ROW)
                taken[key] = row
                self._counts.zones[row] = key
        self._row_of = {apex: taken.get(key, OTHER_ZONE) for apex, key in keys.items()}
        return self._row_of

    def own(self, pools: Section) -> None:
        """Let slots that have other targets than before count from 0."""
        tags, slots = self._counts.tags, self._counts.slots
        for family in ("v4", "v6", "cname"):
            columns = pools.column(f"{family}_slot"), pools.column(f"{family}_tag")
            for slot, tag in zip(*columns, strict=True):
                if slot < slots and tags[slot] != tag:
                    self._clear(NODES_AT + slot * NODE, NODE)
                    tags[slot] = tag

    def _clear(self, at: int, count: int) -> None:
        nothing = memoryview(bytes(count * WORD)).cast("Q")
        for block in self._counts.blocks:
            if at + count <= len(block):
                block[at : at + count] = nothing

    # -- A query is counted

    def row_of(self, apex: bytes) -> int:
        """Where a zone's queries are counted; an empty apex is that of no zone."""
        return self._row_of.get(apex, NO_ZONE)

    def answered(
        self, block: memoryview, asked: Asked, reply: bytes, slots: Iterable[int], why: int
    ) -> None:
        """Count a query that these nodes have answered."""
        row = BLOCK_HEAD + asked.zone * ROW
        kind = _OTHER if asked.rtype is None else _KIND_OF.get(asked.rtype, _OTHER)
        block[row + asked.is_v6 * len(TYPES) + kind] += 1
        block[row + RCODES_AT + min(reply[3] & 15, len(RCODES) - 1)] += 1
        for at, size in ((ASKED, asked.octets), (REPLIED, len(reply))):
            block[at + bisect_left(SIZES, size)] += 1
            block[at + len(SIZES) + 1] += size
        if not reply[2] & 2:  # what was cut names nobody
            for slot in slots:
                if slot < self._counts.slots:
                    block[NODES_AT + slot * NODE + why] += 1

    def took(self, block: memoryview, took_ns: int) -> None:
        """Count how long a query took."""
        block[TOOK + bisect_left(DURATIONS_NS, took_ns)] += 1
        block[TOOK + len(DURATIONS_NS) + 1] += took_ns

    def dropped(self, block: memoryview, why: str) -> None:
        """Count a query that is not answered."""
        block[DROPS.index(why)] += 1

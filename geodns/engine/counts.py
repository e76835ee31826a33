"""What queries were about and who answered them, counted in shared memory by each worker.

Layout in 64-bit words: a head of 512 (magic, slots), the zones' keys (`ZONES_MAX`), the targets'
tags (``slots``), then four blocks: those of the threads for UDP and TCP, and those of the host,
which answers debug names, without nodes. A block is a head of 64 (drops, sizes, durations), rows
of 64 for zones (by family and type, then by rcode), and rows of 8 for the slots of nodes (by
`Why`). Each counter has one writer; the worker's successor counts on.

A zone keeps its row as long as it is served, a slot as long as its target has it.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from geodns.dns.rrtypes import type_to_text
from geodns.engine.page import RCODES
from geodns.errors import Unavailable

MAGIC = int.from_bytes(b"GEODNSC1", "little")
WORD = 8
HEAD = 512

TRANSPORTS = ("udp", "tcp")
FAMILIES = ("1", "2")
"""Address families as CoreDNS names them: IPv4 and IPv6."""

NUMBERS = (1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 46, 47, 48, 50, 64, 65, 251, 252, 255, 257)
"""Types that are counted by themselves. Source: CoreDNS, and SVCB and CAA."""

TYPES = (*map(type_to_text, NUMBERS), "other")

DROPS = ("malformed", "forged", "busy", "fault")
"""Why a query was not answered: it is none, its source is nobody's, there is too much to do, we
failed."""

SIZES = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000)
"""Bounds in octets. Source: CoreDNS."""

DURATIONS_NS = tuple(15_625 << number for number in range(20))
"""Bounds in nanoseconds. Source: CoreDNS's from 0.25 ms to 8.192 s, and four below."""

ZONES_MAX = 512
NO_ZONE, OTHER_ZONE, FIRST_ZONE = 0, 1, 2
"""Rows: of queries for no zone of ours, of zones for which no row is left, of the first zone."""

ASKED, REPLIED, TOOK = 8, 24, 40
BLOCK_HEAD, ROW, NODE = 64, 64, 8
RCODES_AT = 2 * len(TYPES)
NODES_AT = BLOCK_HEAD + ZONES_MAX * ROW


@dataclass(frozen=True, slots=True)
class Histogram:
    """Shape: ``buckets`` count each for itself, the last what is beyond all bounds."""

    buckets: list[int]
    total: int


class Counts:
    """One worker's counters, mapped. A reader sees whole words, not necessarily of one instant."""

    def __init__(self, path: Path, slots: int = 0) -> None:
        """With ``slots`` the file is made, or taken over from a predecessor of the same size.

        Errors: Unavailable when it cannot be made or is none.
        """
        try:
            self._map = _create(path, slots) if slots else _open(path)
        except (OSError, ValueError) as error:
            raise Unavailable(f"Counters {path} cannot be mapped: {error}.") from None
        self._words = memoryview(self._map).cast("Q")
        if slots:
            self._words[0], self._words[1] = MAGIC, slots
        elif len(self._words) < HEAD or self._words[0] != MAGIC:
            raise Unavailable(f"{path} holds no counters.")
        self.slots = self._words[1]
        if len(self._words) != _words(self.slots):
            raise Unavailable(f"{path} is cut short.")
        at = HEAD
        self.zones = self._words[at : at + ZONES_MAX]
        at += ZONES_MAX
        self.tags = self._words[at : at + self.slots]
        at += self.slots
        self.blocks: list[memoryview] = []
        for size in _blocks(self.slots):
            self.blocks.append(self._words[at : at + size])
            at += size

    def zone_keys(self) -> Mapping[int, int]:
        """The row of each zone that has one, by `key_of`."""
        return {key: row for row, key in enumerate(self.zones) if key}

    def requests(self, transport: int, row: int) -> list[int]:
        """A zone's queries of one transport, of both families by type."""
        return self._sum(transport, BLOCK_HEAD + row * ROW, 2 * len(TYPES))

    def responses(self, row: int) -> list[int]:
        """A zone's replies by rcode."""
        at, count = BLOCK_HEAD + row * ROW + RCODES_AT, len(RCODES)
        both = (self._sum(transport, at, count) for transport in range(len(TRANSPORTS)))
        return [sum(each) for each in zip(*both, strict=True)]

    def drops(self, transport: int) -> list[int]:
        """Queries of one transport that were not answered, by cause."""
        return self._sum(transport, 0, len(DROPS))

    def sizes(self, transport: int, *, replies: bool) -> Histogram:
        """The sizes of queries, or of replies."""
        return self._histogram(transport, REPLIED if replies else ASKED, len(SIZES))

    def durations(self, transport: int) -> Histogram:
        """How long queries took. Units: nanoseconds."""
        return self._histogram(transport, TOOK, len(DURATIONS_NS))

    def nodes(self, transport: int) -> memoryview:
        """Answers by slot and `Why`, in rows of `NODE`."""
        return self.blocks[transport][NODES_AT:]

    def _histogram(self, transport: int, at: int, bounds: int) -> Histogram:
        *buckets, total = self._sum(transport, at, bounds + 2)
        return Histogram(buckets, total)

    def _sum(self, transport: int, at: int, count: int) -> list[int]:
        """Words of the thread and of the host together."""
        thread, host = self.blocks[transport], self.blocks[transport + len(TRANSPORTS)]
        return [thread[each] + host[each] for each in range(at, at + count)]


def counts_file(page: Path) -> Path:
    """Where a worker counts, beside its page."""
    return page.with_name(f"{page.name}.counts")


def key_of(apex: bytes) -> int:
    """What a zone is known by among the keys; not 0."""
    return int.from_bytes(blake2b(apex, digest_size=WORD).digest(), "little") or 1


def _blocks(slots: int) -> tuple[int, ...]:
    return (NODES_AT + slots * NODE,) * 2 + (NODES_AT,) * 2


def _words(slots: int) -> int:
    return HEAD + ZONES_MAX + slots + sum(_blocks(slots))


def _create(path: Path, slots: int) -> mmap.mmap:
    size = _words(slots) * WORD
    with suppress(FileNotFoundError):
        if path.stat().st_size != size:  # a reader may map the old one: it is not cut
            path.unlink()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _open(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

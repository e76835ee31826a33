"""The journal: a ring of the last changes in shared memory, written by the health process.

Its layout is in geodns/snapshot/FORMAT.md.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from geodns.errors import Unavailable
from geodns.snapshot.status import Verdict

MAGIC = b"GEODNSJ1"
FILE_NAME = "journal"
HEADER_SIZE = 64
RECORD_SIZE = 320
RECORDS = 8192
"""Source: no reference; all of 8,000 targets may change before a reader looks; 2.6 MB."""

_HEADER = struct.Struct("<8sIIQ")
_NEXT_AT = 16
_RECORD = struct.Struct("<QQQQIIBBB21x64s96s96s")
assert _RECORD.size == RECORD_SIZE
NO_REPLY = 2**64 - 1


class What(IntEnum):
    """What a record tells of."""

    TRANSITION = 1
    ALARM = 2
    RELIEF = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One entry. Of alarms, only the time and the reason mean anything.

    Units: Unix milliseconds; ``lasted_ms`` is how long the verdict before was shown,
    ``elapsed_us`` how long the deciding probe took, None without a reply.
    """

    at_ms: int
    what: What
    reason: str
    slot: int = 0
    tag: int = 0
    address: str = ""
    monitor: str = ""
    before: Verdict = Verdict.UNKNOWN
    after: Verdict = Verdict.UNKNOWN
    lasted_ms: int = 0
    elapsed_us: int | None = None
    sequence: int = 0


class Journal:
    """The ring mapped into this process."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Map an existing journal. Errors: Unavailable when it is absent or none."""
        try:
            with path.open("r+b" if writable else "rb") as file:
                access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
                self._map = mmap.mmap(file.fileno(), 0, access=access)
        except (OSError, ValueError) as error:
            raise Unavailable(f"Journal {path} cannot be mapped: {error}.") from None
        self._records = _records_in(self._map[:HEADER_SIZE], len(self._map))
        if not self._records:
            raise Unavailable(f"{path} is not a journal.")
        self._header = memoryview(self._map)[:HEADER_SIZE].cast("Q")

    @property
    def next(self) -> int:
        """The sequence number of the record to be written next; the first is 1."""
        return self._header[_NEXT_AT // 8]

    def write(self, record: Record) -> int:
        """Append; returns the record's sequence number."""
        sequence = self.next
        at = self._at(sequence)
        octets = _pack(record, sequence)
        self._map[at : at + 8] = bytes(8)  # whoever reads it now will see that it changed
        self._map[at + 8 : at + RECORD_SIZE] = octets[8:]
        self._map[at : at + 8] = octets[:8]
        self._header[_NEXT_AT // 8] = sequence + 1
        return sequence

    def since(self, sequence: int) -> Iterator[Record]:
        """The records from a sequence number on, oldest first, as far as they are still there."""
        end = self.next
        for number in range(max(1, sequence, end - self._records), end):
            at = self._at(number)
            octets = self._map[at : at + RECORD_SIZE]
            if self._map[at : at + 8] == octets[:8] == number.to_bytes(8, "little"):
                yield _unpack(octets)

    def _at(self, sequence: int) -> int:
        return HEADER_SIZE + RECORD_SIZE * (sequence % self._records)


def open_journal(path: Path, records: int = RECORDS) -> Journal:
    """The journal at ``path`` to write to: the one there if it fits, else a new one.

    Errors: Unavailable when there is no room for it.
    """
    try:
        return Journal(path, writable=True)
    except Unavailable:
        _create(path, records)
    return Journal(path, writable=True)


def _create(path: Path, records: int) -> None:
    """Every octet is allocated at once: writing to a sparse map on a full tmpfs is SIGBUS."""
    size = HEADER_SIZE + RECORD_SIZE * records
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("w+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            file.write(_HEADER.pack(MAGIC, records, RECORD_SIZE, 1))
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(f"No room for {size} octets of journal at {path}: {error}.") from None


def _records_in(header: bytes, size: int) -> int:
    """How many records a file of this size and header holds; 0 if it is no journal."""
    if len(header) < HEADER_SIZE:
        return 0
    magic, records, record_size, following = _HEADER.unpack_from(header)
    fits = size == HEADER_SIZE + records * RECORD_SIZE
    good = magic == MAGIC and record_size == RECORD_SIZE and fits and following >= 1
    return int(records) if good else 0


def _pack(record: Record, sequence: int) -> bytes:
    return _RECORD.pack(
        sequence,
        record.at_ms,
        record.lasted_ms,
        NO_REPLY if record.elapsed_us is None else record.elapsed_us,
        record.slot,
        record.tag,
        record.what,
        record.before,
        record.after,
        _text(record.monitor, 64),
        _text(record.address, 96),
        _text(record.reason, 96),
    )


def _unpack(octets: bytes) -> Record:
    sequence, at_ms, lasted_ms, elapsed_us, slot, tag, what, before, after, *texts = _RECORD.unpack(
        octets
    )
    monitor, address, reason = (text.rstrip(b"\0").decode("utf-8", "replace") for text in texts)
    return Record(
        at_ms,
        What(what),
        reason,
        slot,
        tag,
        address,
        monitor,
        Verdict(before),
        Verdict(after),
        lasted_ms,
        None if elapsed_us == NO_REPLY else elapsed_us,
        sequence,
    )


def _text(text: str, size: int) -> bytes:
    """UTF-8 cut to whole characters; struct pads with NUL."""
    return text.encode()[:size].decode("utf-8", "ignore").encode()

"""The status table: one word per target in shared memory, flipped in place.

Layout of the file (native little endian, fully allocated)::

    0     8  magic "GEODNST1"      8   8  slots
    16    8  epoch: one higher after every change of any word
    64       words, 8 octets each:
             bits 0-1   verdict: 0 unknown, 1 up, 2 down
             bit  2     unsettled: suspect, just changed or draining; answers take ttl_min
             bits 4-5   override: 0 none, 1 up, 2 down
             bits 8-15  weight factor, 255 = full weight
             bits 16-31 shed: of 65,536 users so many are sent away; 65,535 is all
             bits 32-63 tag of the target that owns the slot
    then     notes, 128 octets each: sequence, since_ms, checked_ms, elapsed_us (8 each),
             then reason as NUL-padded UTF-8

A word is read and written whole through ``memoryview.cast('Q')``: measured, the only way
that never tears. A note is guarded by its sequence number (odd while being written).
There is one writer, the health process.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from geodns.errors import Unavailable

MAGIC = b"GEODNST1"
HEADER_SIZE = 64
NOTE_SIZE = 128
REASON_MAX = NOTE_SIZE - 32
FULL_WEIGHT = 255
UNSETTLED = 1 << 2

_NOTE = struct.Struct("<QQQQ")
_EPOCH = 2


class Verdict(IntEnum):
    """What the probes say of a target. Unknown counts as up."""

    UNKNOWN = 0
    UP = 1
    DOWN = 2


class Override(IntEnum):
    """What the operator says of a target, above any verdict."""

    NONE = 0
    UP = 1
    DOWN = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A status word, unpacked."""

    tag: int
    verdict: Verdict = Verdict.UNKNOWN
    unsettled: bool = False
    override: Override = Override.NONE
    weight_factor: int = FULL_WEIGHT
    shed: int = 0

    def pack(self) -> int:
        """The word as the 64-bit integer that stands in the table."""
        return (
            self.verdict
            | (UNSETTLED if self.unsettled else 0)
            | self.override << 4
            | self.weight_factor << 8
            | self.shed << 16
            | self.tag << 32
        )

    @classmethod
    def unpack(cls, word: int) -> Word:
        """The meaning of a word. Total: the unused code 3 reads as unknown, as none."""
        verdict, override = word & 3, word >> 4 & 3
        return cls(
            tag=word >> 32,
            verdict=Verdict(verdict if verdict < 3 else 0),
            unsettled=bool(word & UNSETTLED),
            override=Override(override if override < 3 else 0),
            weight_factor=word >> 8 & 255,
            shed=word >> 16 & 0xFFFF,
        )


@dataclass(frozen=True, slots=True)
class Note:
    """Why a word is as it is, for people. Units: Unix milliseconds, microseconds."""

    since_ms: int = 0
    checked_ms: int = 0
    elapsed_us: int = 0
    reason: str = ""


class StatusTable:
    """The table mapped into this process.

    ``words[slot]`` is the word itself; readers index it directly on the packet path. ``table`` is
    header and words, as the native engine takes them.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Map an existing table. Errors: Unavailable when it is absent or not a table."""
        try:
            with path.open("r+b" if writable else "rb") as file:
                access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
                self._map = mmap.mmap(file.fileno(), 0, access=access)
        except (OSError, ValueError) as error:
            raise Unavailable(f"Status table {path} cannot be mapped: {error}.") from None
        self.slots = int.from_bytes(self._map[8:16], "little")
        if self._map[:8] != MAGIC or len(self._map) != table_size(self.slots):
            raise Unavailable(f"{path} is not a status table.")
        view = memoryview(self._map)
        self._header = view[:HEADER_SIZE].cast("Q")
        self.table = view[: HEADER_SIZE + 8 * self.slots].cast("Q")
        self.words = self.table[HEADER_SIZE // 8 :]
        self._notes_at = HEADER_SIZE + 8 * self.slots

    @property
    def epoch(self) -> int:
        """Counts changes; a memo made under one epoch is void under the next."""
        return self._header[_EPOCH]

    def word(self, slot: int, tag: int) -> Word:
        """The word of a target; a slot that another target owns reads as unknown."""
        word = Word.unpack(self.words[slot])
        return word if word.tag == tag else Word(tag)

    def write(self, slot: int, word: Word, note: Note | None = None) -> None:
        """Change a word, then its note, then the epoch: a memo never outlives its words."""
        self.words[slot] = word.pack()
        if note is not None:
            self._write_note(slot, note)
        self._header[_EPOCH] += 1

    def note(self, slot: int) -> Note:
        """The note of a slot; an empty one if it never holds still."""
        at = self._notes_at + NOTE_SIZE * slot
        for _ in range(100):
            octets = self._map[at : at + NOTE_SIZE]
            sequence, since_ms, checked_ms, elapsed_us = _NOTE.unpack_from(octets)
            if sequence % 2 == 0 and self._map[at : at + 8] == octets[:8]:
                reason = octets[_NOTE.size :].rstrip(b"\0").decode("utf-8", "replace")
                return Note(since_ms, checked_ms, elapsed_us, reason)
        return Note()

    def _write_note(self, slot: int, note: Note) -> None:
        at = self._notes_at + NOTE_SIZE * slot
        sequence = int.from_bytes(self._map[at : at + 8], "little") | 1
        reason = note.reason.encode()[:REASON_MAX].decode("utf-8", "ignore").encode()
        self._map[at : at + 8] = sequence.to_bytes(8, "little")
        self._map[at + 8 : at + NOTE_SIZE] = _NOTE.pack(
            sequence, note.since_ms, note.checked_ms, note.elapsed_us
        )[8:] + reason.ljust(REASON_MAX, b"\0")
        self._map[at : at + 8] = (sequence + 1).to_bytes(8, "little")


def create_table(path: Path, slots: int) -> None:
    """Make the file of a table at ``path``, or keep the one there if it fits.

    Every octet is allocated at once: writing to a sparse map on a full tmpfs is SIGBUS.
    Errors: Unavailable when there is no room for it.
    """
    size = table_size(slots)
    if _is_table(path, slots):
        return
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("w+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            file.write(table_head(slots))
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(
            f"No room for {size} octets of status table at {path}: {error}."
        ) from None


def _is_table(path: Path, slots: int) -> bool:
    head = table_head(slots)
    try:
        with path.open("rb") as file:
            return file.read(len(head)) == head and path.stat().st_size == table_size(slots)
    except FileNotFoundError:
        return False


def table_head(slots: int) -> bytes:
    """How the file of such a table begins."""
    return MAGIC + slots.to_bytes(8, "little")


def table_size(slots: int) -> int:
    """Octets of the file of such a table."""
    return HEADER_SIZE + (8 + NOTE_SIZE) * slots

"""A section: one immutable, content-hashed file of named columns, readable in place.

Layout (little endian, offsets from the start of the file)::

    0   8  magic "GEODNSS1"
    8   2  kind          10  2  its version   12  4  flags (bit 0: optional)
    16  4  columns       20  4  zero          24  8  size of the file
    32  40 each: name (16 octets, NUL-padded ASCII), width u32 (1, 2, 4 or 8 octets),
           zero u32, items u64, offset u64 (multiple of 64)

Source: the shape of Arrow's IPC file, cut down to fixed-width columns.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal

from geodns.errors import ConfigError

MAGIC = b"GEODNSS1"
OPTIONAL = 1
ALIGNMENT = 64
COLUMNS_MAX = 64

_HEADER = struct.Struct("<8sHHIIIQ")
_COLUMN = struct.Struct("<16sIIQQ")
_FORMATS: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Kind(IntEnum):
    """What a section holds. Unknown kinds are skipped if optional, refused if not."""

    ZONE = 1
    GEO = 2
    VIEW = 3
    POOLS = 4
    TARGETS = 5
    OVERRIDES = 6


VERSIONS = {
    Kind.ZONE: 1,
    Kind.GEO: 2,
    Kind.VIEW: 2,
    Kind.POOLS: 2,
    Kind.TARGETS: 1,
    Kind.OVERRIDES: 1,
}
"""What each kind's columns mean; raised when a reader of the old ones would go wrong."""


Column = Any
"""Anything with a flat buffer of unsigned items: bytes, array, NumPy array."""


def encode(kind: Kind, columns: Mapping[str, Column], *, optional: bool = False) -> bytes:
    """A section's octets. Columns keep the item width of their buffer."""
    views = {name: memoryview(column) for name, column in columns.items()}
    offset = _aligned(_HEADER.size + _COLUMN.size * len(views))
    directory, body = [], []
    for name, view in views.items():
        directory.append(
            _COLUMN.pack(
                name.encode("ascii"), view.itemsize, 0, view.nbytes // view.itemsize, offset
            )
        )
        padded = _aligned(view.nbytes)
        body += [view.tobytes(), bytes(padded - view.nbytes)]
        offset += padded
    flags = OPTIONAL if optional else 0
    header = _HEADER.pack(MAGIC, kind, VERSIONS[kind], flags, len(views), 0, offset)
    head = header + b"".join(directory)
    return b"".join([head, bytes(_aligned(len(head)) - len(head)), *body])


def content_hash(octets: bytes | memoryview) -> str:
    """The name of a section: SHA-256 of all its octets, in hex."""
    return hashlib.sha256(octets).hexdigest()


class Section:
    """A checked view of a section's octets. Columns are slices, nothing is copied.

    Errors: ConfigError when the octets are not a whole section of this version.
    """

    def __init__(self, octets: bytes | memoryview) -> None:
        view = memoryview(octets).toreadonly()
        if len(view) < _HEADER.size:
            raise ConfigError(f"Section of {len(view)} octets is shorter than its header.")
        magic, kind, version, flags, count, _, size = _HEADER.unpack_from(view)
        if magic != MAGIC:
            raise ConfigError(f"Not a section: it begins with {bytes(view[:12])!r}.")
        if kind in VERSIONS and version != VERSIONS[Kind(kind)]:
            name, known = Kind(kind).name, VERSIONS[Kind(kind)]
            raise ConfigError(
                f"Section {name} is of version {version}, written by another geodns; this one "
                f"reads version {known} and has to compile it anew."
            )
        if size != len(view) or count > COLUMNS_MAX:
            raise ConfigError(f"Section says {size} octets and has {len(view)}.")
        self.kind: int = kind
        self.optional = bool(flags & OPTIONAL)
        self._columns = dict(_read_column(view, number) for number in range(count))

    def column(self, name: str) -> memoryview:
        """A column by name, items as unsigned integers of its width.

        Errors: ConfigError when the section has no such column.
        """
        try:
            return self._columns[name]
        except KeyError:
            raise ConfigError(f"Section of kind {self.kind} has no column {name}.") from None

    def has(self, name: str) -> bool:
        """Whether there is a column of this name."""
        return name in self._columns

    def octets(self, name: str) -> bytes:
        """A column's content as bytes (for text and JSON)."""
        return bytes(self.column(name))


def _read_column(view: memoryview, number: int) -> tuple[str, memoryview]:
    at = _HEADER.size + _COLUMN.size * number
    if at + _COLUMN.size > len(view):
        raise ConfigError("Section's column directory is cut short.")
    name, width, _, items, offset = _COLUMN.unpack_from(view, at)
    end = offset + items * width
    if width not in _FORMATS or offset % ALIGNMENT or end > len(view):
        raise ConfigError(f"Section's column {name!r} lies outside the file.")
    text = name.rstrip(b"\0").decode("ascii", "replace")
    return text, view[offset:end].cast(_FORMATS[width])


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


if sys.byteorder != "little":
    raise ImportError("geodns reads its snapshots in place and needs a little-endian machine")

"""The generation as the control process reads it, from the same files as the workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodns.engine.generation import Generation
from geodns.engine.lookup import Lookup
from geodns.errors import GeodnsError, Reason, Unavailable
from geodns.snapshot.manifest import CURRENT, SNAPSHOT_DIR, Entry, Manifest, read_manifest
from geodns.snapshot.overrides import NO_BOOK, Book, decode_book
from geodns.snapshot.section import Kind, Section, content_hash
from geodns.snapshot.slots import decode_targets
from geodns.snapshot.status import StatusTable

MANY_ZONES, MANY_TARGETS = 50, 1000
"""Of a large generation. Source: measured, so many are read in some 20 ms."""

Stamp = tuple[int, int, int]
"""Inode, time of change in nanoseconds, octets."""


@dataclass(slots=True)
class Live:
    """One generation, loaded.

    Shape: ``created`` and the second part of ``database``, its build, are RFC 3339.
    """

    number: int
    lookup: Lookup
    targets: list[dict[str, Any]]
    book: Book
    created: str
    of_node: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    database: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        about = self.lookup.generation.geo.about()
        self.database = about["name"], about["build_date"]
        for target in self.targets:
            for node_id in target["nodes"]:
                self.of_node.setdefault(node_id, []).append(target)

    @property
    def is_large(self) -> bool:
        zones = self.lookup.generation.zones
        return len(zones) > MANY_ZONES or len(self.targets) > MANY_TARGETS


class LiveReader:
    """Reads the generation on disk whenever there is another.

    Shape: ``damage`` says why the one on disk cannot be read, if it cannot.
    """

    def __init__(self, data_dir: Path, table: StatusTable) -> None:
        self.damage: Reason | None = None
        self._data_dir = data_dir
        self._table = table
        self._live: Live | None = None
        self._seen: Stamp | None = None
        self._octets: dict[str, bytes] = {}
        self._reading = threading.Lock()

    def refresh(self) -> None:
        """Read the generation on disk if a new one has been accepted. From any thread."""
        with self._reading:
            self._read_again()

    def current(self) -> Live | None:
        """The generation on disk; a large one's successor is left to `refresh`, which follows
        every publishing: who asks may be keeping all requests waiting."""
        live = self._live
        if live is not None and live.is_large and self.damage is None:
            return live
        with self._reading:
            return self._read_again()

    def _read_again(self) -> Live | None:
        seen = _stamp(self._data_dir / CURRENT)
        if seen is not None and seen == self._seen and self.damage is None:
            return self._live
        manifest, _ = read_manifest(self._data_dir)
        if manifest is None:
            return self._live
        self._seen = seen
        if self._live is None or manifest.generation != self._live.number:
            try:
                self._live = self._read(manifest)
            except GeodnsError as error:
                # The workers hold their own copy; what is damaged here will be made anew.
                self.damage = Reason("", "snapshot", f"Generation cannot be read: {error}")
            else:
                self.damage = None
        return self._live

    def _read(self, manifest: Manifest) -> Live:
        """Read in whole, never mapped: a file that is cut short would end this process."""
        octets: dict[str, bytes] = {}

        def fetch(entry: Entry) -> bytes:
            octets[entry.hash] = self._octets.get(entry.hash) or self._section(entry)
            return octets[entry.hash]

        lookup = Lookup(Generation(manifest, fetch), self._table)
        live = Live(
            manifest.generation,
            lookup,
            _targets(manifest, fetch),
            _book(manifest, fetch),
            manifest.created,
        )
        self._octets = octets
        return live

    def _section(self, entry: Entry) -> bytes:
        path = self._data_dir / SNAPSHOT_DIR / entry.hash
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"Section {path} cannot be read: {error}.") from None
        if content_hash(octets) != entry.hash:
            raise Unavailable(f"Section {path} is damaged.")
        return octets


def _stamp(path: Path) -> Stamp | None:
    """What differs whenever a file has been replaced or written; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _targets(manifest: Manifest, fetch: Callable[[Entry], bytes]) -> list[dict[str, Any]]:
    for entry in manifest.sections:
        if entry.kind == Kind.TARGETS:
            return list(decode_targets(Section(fetch(entry)))["targets"])
    return []


def _book(manifest: Manifest, fetch: Callable[[Entry], bytes]) -> Book:
    found = (entry for entry in manifest.sections if entry.kind == Kind.OVERRIDES)
    return next((decode_book(Section(fetch(entry))) for entry in found), NO_BOOK)

"""The section files: those of the last generation, and those being added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geodns.errors import ConfigError
from geodns.snapshot.batch import Batch
from geodns.snapshot.manifest import Entry
from geodns.snapshot.section import Kind, Section, content_hash
from geodns.snapshot.slots import decode_targets

OPTIONAL_KINDS = (Kind.TARGETS, Kind.OVERRIDES)
"""What a DNS engine can do without."""


class Keep:
    """The section files: those of the last generation, and those being added."""

    def __init__(self, directory: Path, known: dict[tuple[int, str], Entry]) -> None:
        self._directory = directory
        self._known = known
        self._batch = Batch(directory)

    def entry(self, kind: Kind, name: str, recipe: str, make: Callable[[], bytes]) -> Entry:
        """The last generation's entry if it was made from the same, else a new one.

        Shape: ``recipe`` is the `digest` of all that goes into the section.
        """
        return self.reuse(kind, name, recipe) or self.write(kind, name, make(), recipe)

    def reuse(self, kind: Kind, name: str, recipe: str) -> Entry | None:
        """The last generation's entry, if it was made from the same and is still there."""
        before = self._known.get((kind, name))
        if before is None or before.recipe != recipe or not self._path(before).exists():
            return None
        return before

    def write(self, kind: Kind, name: str, octets: bytes, recipe: str) -> Entry:
        """Write a section unless a file of that content is there; durable after `settle`."""
        optional = kind in OPTIONAL_KINDS
        entry = Entry(kind, name, content_hash(octets), len(octets), optional, recipe)
        self._batch.add(entry.hash, octets)
        return entry

    def settle(self) -> None:
        """Return when all that was written is durable. Errors: as `Batch.settle`."""
        self._batch.settle()

    def section(self, kind: Kind, name: str) -> Section | None:
        """A section of the last generation; None if there is none or it has gone bad."""
        entry = self._known.get((kind, name))
        if entry is None:
            return None
        try:
            octets = self._path(entry).read_bytes()
            return Section(octets) if content_hash(octets) == entry.hash else None
        except (OSError, ConfigError):  # lost, or written by another geodns
            return None

    def leaders(self, view: str) -> dict[str, dict[str, str]]:
        """Who led in a view of the last generation, by pool."""
        section = self.section(Kind.VIEW, view)
        found: dict[str, dict[str, str]] = {}
        if section is not None:
            found = json.loads(section.octets("about")).get("leaders", {})
        return found

    def targets(self) -> dict[str, Any] | None:
        """The content of the last generation's targets section."""
        section = self.section(Kind.TARGETS, "targets")
        return decode_targets(section) if section else None

    def _path(self, entry: Entry) -> Path:
        return self._directory / entry.hash

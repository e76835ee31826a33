"""How far each webhook has been told: ``<data-dir>/told``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geodns.daemon.outbox import Cursor
from geodns.errors import Unavailable
from geodns.health.journal import Journal
from geodns.model.base import Id
from geodns.model.override import instant
from geodns.snapshot.manifest import write_durably

FILE_NAME = "told"
FILE_MAX_BYTES = 2**16
"""Source: no reference; a hundred webhooks take 10 kB."""

_Number = Annotated[int, Field(ge=0, le=10**15)]

log = logging.getLogger("geodns.webhooks")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: int = Field(ge=1, le=1)
    seen: tuple[_Number, _Number]
    at: str = Field(max_length=40)
    told: dict[Id, tuple[_Number, _Number]] = Field(max_length=1000)


class Bookmark:
    """Read once, written whenever something has been told.

    Shape: ``at`` is when the last record of the journal was written. A journal that has another
           one there, or none, is a new ring: all in it is still to be told.
    """

    def __init__(self, data_dir: Path, journal: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._journal = journal
        self._written = b""

    def read(self) -> tuple[str | None, dict[str, Cursor]]:
        """The id of the event to go on after, None: from now on; and how far each webhook is."""
        try:
            with self._path.open("rb") as file:
                found = _File.model_validate_json(file.read(FILE_MAX_BYTES + 1))
        except FileNotFoundError:
            return None, {}
        except (OSError, ValidationError) as error:
            log.warning("%s cannot be read, webhooks are told from now on: %s", self._path,
                        type(error).__name__)  # fmt: skip
            return None, {}
        told = dict(found.told)
        if not self._is_the_ring(found.seen[0], found.at):
            told = {webhook_id: (0, generation) for webhook_id, (_, generation) in told.items()}
        first = min(told.values(), default=found.seen)
        return f"{first[0]}-{first[1]}", told

    def write(self, seen: Cursor, at: str, told: Mapping[str, Cursor]) -> None:
        """Remember, if that is anything new. A full disk costs repetitions after a restart."""
        content = {"format": 1, "seen": seen, "at": at, "told": told}
        octets = json.dumps(content, sort_keys=True).encode()
        if octets == self._written:
            return
        try:
            write_durably(self._path, octets)
            self._written = octets
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)

    def _is_the_ring(self, sequence: int, at: str) -> bool:
        try:
            journal = Journal(self._journal)
        except Unavailable:
            return False
        if sequence >= journal.next:
            return False
        found = next(journal.since(sequence), None) if sequence else None
        return found is None or found.sequence != sequence or instant(found.at_ms) == at

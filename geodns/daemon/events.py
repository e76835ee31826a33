"""What happens, as it happens: changes of health, alarms, generations.

The journal of health is the ring that a reader who was away is served from; it outlives the
control process. An event's id says how far its reader has come: ``J-G``, the number of a record of
the journal and a generation.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from geodns.errors import ConfigError, Reason, Unavailable
from geodns.health.journal import Journal, Record, What
from geodns.model.override import instant

GENERATIONS_MAX = 1000
"""Generations that are told of afterwards. Source: no reference; some hours of hard work."""

QUIET_S = 15.0
"""After so long without an event a comment shows that the stream lives. Source: WHATWG HTML,
"Server-sent events": about every 15 seconds, for proxies that cut what is quiet."""

Event = tuple[str, str, dict[str, Any]]
"""Id, kind and data; a kind of "" is a mere sign of life."""

_NAMES = {What.TRANSITION: "transition", What.ALARM: "alarm", What.RELIEF: "relief"}


class Events:
    """The stream of one control process, for any number of readers."""

    def __init__(self, journal: Path, generation: Callable[[], int]) -> None:
        self._path = journal
        self._generation = generation
        self._generations: deque[tuple[int, str]] = deque(maxlen=GENERATIONS_MAX)
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something has happened."""
        self._bell.set()
        self._bell = asyncio.Event()

    def published(self, generation: int, at: str) -> None:
        """A generation is served from now on."""
        if not self._generations or self._generations[-1][0] < generation:
            self._generations.append((generation, at))
            self.ring()

    def here(self) -> str:
        """The id of the last event there was. Errors: Unavailable without a journal."""
        return f"{Journal(self._path).next - 1}-{self._generation()}"

    async def stream(self, last: str | None) -> AsyncIterator[Event]:
        """All events after the one with the id ``last``; without it, those to come.

        Errors: ConfigError if that is no id, Unavailable without a journal.
        """
        journal = Journal(self._path)
        seen, generation = cursor_of(last or self.here())
        if seen >= journal.next:  # of a server before this one, whose ring is gone
            seen = 0
        while True:
            bell = self._bell
            for record in journal.since(seen + 1):
                if record.sequence > seen + 1:
                    lost = record.sequence - seen - 1
                    yield f"{record.sequence - 1}-{generation}", "missed", {"events": lost}
                seen = record.sequence
                yield f"{seen}-{generation}", _NAMES[record.what], _view(record)
            for number, at in list(self._generations):
                if number > generation:
                    generation = number
                    yield f"{seen}-{generation}", "generation", {"generation": number, "at": at}
            try:
                async with asyncio.timeout(QUIET_S):
                    await bell.wait()
            except TimeoutError:
                yield "", "", {}


def cursor_of(last: str) -> tuple[int, int]:
    """An event's id in numbers. Errors: ConfigError if it is none."""
    found = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", last)
    if found is None:
        detail = "Last-Event-ID is no id of an event; they look like 17-4182."
        raise ConfigError([Reason("", "bad_header", detail, last[:100])])
    return int(found[1]), int(found[2])


def _view(record: Record) -> dict[str, Any]:
    view: dict[str, Any] = {"at": instant(record.at_ms), "reason": record.reason}
    if record.what is not What.TRANSITION:
        return view
    return {
        **view,
        "address": record.address,
        "monitor": record.monitor or None,
        "before": record.before.name.lower(),
        "after": record.after.name.lower(),
        "lasted_s": record.lasted_ms / 1000,
        "elapsed_ms": None if record.elapsed_us is None else record.elapsed_us / 1000,
    }


def checked(journal: Path, last: str | None) -> None:
    """Refuse what `stream` would, before it has begun. Errors: as `Events.stream`."""
    if last:
        cursor_of(last)
    if not journal.exists():
        raise Unavailable("The journal of health is not there yet; try again.")

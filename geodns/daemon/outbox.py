"""What waits to be told to one webhook, and what became of the rest."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from geodns.daemon.notices import Notice

WAITING_MAX = 1000
"""Notices that wait for one receiver. Source: no reference; some 500 kB, and the health of a
thousand targets."""

Cursor = tuple[int, int]
"""How far in the event stream: the number of a record of the journal, and a generation."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last attempt. ``error`` is empty if it was taken."""

    at: str
    error: str


class Outbox:
    """First in, first out. Beyond `WAITING_MAX` the oldest is dropped: news is worth more.

    Shape: ``seen`` is the last event that was offered, wanted or not; each is taken once.
    """

    def __init__(self, seen: Cursor) -> None:
        self.seen = seen
        self.delivered = self.failed = self.dropped = 0
        self.last: Last | None = None
        self._waiting: deque[Notice] = deque()
        self._done = seen
        self._bell = asyncio.Event()

    @property
    def told(self) -> Cursor:
        """The last event of which everything up to it has been dealt with."""
        return self._done if self._waiting else self.seen

    def pass_over(self, cursor: Cursor) -> None:
        """An event that this receiver does not want."""
        self.seen = max(self.seen, cursor)

    def offer(self, notice: Notice) -> None:
        """Put a notice in, unless it has been already."""
        if notice.cursor <= self.seen:
            return
        if not self._waiting:
            self._done = self.seen
        elif len(self._waiting) >= WAITING_MAX:
            del self._waiting[1]  # the first is being told just now
            self.dropped += 1
        self._waiting.append(notice)
        self.seen = notice.cursor
        self._bell.set()

    async def first(self) -> Notice:
        """The notice to be told next; it stays until it is `done`."""
        while not self._waiting:
            self._bell.clear()
            await self._bell.wait()
        return self._waiting[0]

    def done(self, notice: Notice, *, delivered: bool) -> None:
        """The first notice was taken, or given up."""
        self._waiting.popleft()
        self._done = notice.cursor
        self.delivered += delivered
        self.failed += not delivered

    def view(self) -> dict[str, Any]:
        """For the API."""
        last = {"at": self.last.at, "error": self.last.error or None} if self.last else None
        return {
            "waiting": len(self._waiting),
            "delivered": self.delivered,
            "failed": self.failed,
            "dropped": self.dropped,
            "last": last,
        }

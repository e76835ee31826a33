"""Who is connected: how many in all, how many from one source, and who gives way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

HELD_MAX_OCTETS = 32 * 2**20
"""What clients may leave unread, all together. Source: no reference; two long lists of a large
fleet."""


class Guest(Protocol):
    """A connection as it is counted."""

    @property
    def source(self) -> str:
        """Whom it counts for."""

    def abort(self) -> None:
        """End it now."""


class Guests:
    """All connections. Those that wait for a request, or for the rest of its head, are idle, and
    give way to new ones, the longest idle first; those with a request are never disturbed."""

    def __init__(self, most: int, most_per_source: int) -> None:
        self.most = most
        self._most_per_source = most_per_source
        self._counts: dict[str, int] = {}
        self._idle: dict[str, dict[Guest, None]] = {}
        self._all: dict[Guest, None] = {}
        self._held: dict[Guest, int] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Guest]:
        return iter(list(self._all))

    def admit(self, source: str) -> bool:
        """Whether one more may come from this source; somebody may have had to go for it."""
        if self._counts.get(source, 0) >= self._most_per_source:
            return self._end_idle(source)
        if len(self._all) >= self.most:
            return self.make_room()
        return True

    def make_room(self) -> bool:
        """End the longest idle connection of the source that has most; False if it has none."""
        idle = {source: self._counts[source] for source, some in self._idle.items() if some}
        return bool(idle) and self._end_idle(max(idle, key=lambda source: idle[source]))

    def _end_idle(self, source: str) -> bool:
        guest = next(iter(self._idle.get(source, ())), None)
        if guest is None:
            return False
        self.leave(guest)
        guest.abort()
        return True

    def enter(self, guest: Guest) -> None:
        """One more, idle at first."""
        self._all[guest] = None
        self._counts[guest.source] = self._counts.get(guest.source, 0) + 1
        self.idle(guest)

    def leave(self, guest: Guest) -> None:
        """One less; nothing if it has left already."""
        if guest not in self._all:
            return
        del self._all[guest]
        self._held.pop(guest, None)
        self.busy(guest)
        self._counts[guest.source] -= 1
        if not self._counts[guest.source]:
            del self._counts[guest.source]

    def idle(self, guest: Guest) -> None:
        """It waits for a request from now on."""
        if guest in self._all:
            self._idle.setdefault(guest.source, {})[guest] = None

    def busy(self, guest: Guest) -> None:
        """It has a request."""
        idle = self._idle.get(guest.source)
        if idle is None:
            return
        idle.pop(guest, None)
        if not idle:
            del self._idle[guest.source]

    def hold(self, guest: Guest, octets: int) -> None:
        """So much is kept for it because it does not read; 0 once it has. Who has not read for
        the longest gives way when all together keep too much."""
        self._held.pop(guest, None)
        if octets and guest in self._all:
            self._held[guest] = octets
        while len(self._held) > 1 and sum(self._held.values()) > HELD_MAX_OCTETS:
            slowest = next(iter(self._held))
            self.leave(slowest)
            slowest.abort()

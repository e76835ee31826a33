"""What the reference engine counts of a query: on the page, and by what it was about."""

from __future__ import annotations

import time
from typing import NamedTuple

from geodns.engine.generation import Generation
from geodns.engine.page import WorkerPage
from geodns.engine.query import Query
from geodns.engine.reply import Reply
from geodns.engine.tally import Asked, Tally


class Counted(NamedTuple):
    """A packet and what became of it.

    Shape: ``reply`` None is silence; ``query`` and ``found`` are there as far as that was read.
    """

    packet: bytes
    tcp: bool
    is_v6: bool
    reply: bytes | None
    query: Query | None
    found: Reply | None


class Scribe:
    """Counts for one worker. ``host`` says that native threads answer all but debug names."""

    def __init__(self, page: WorkerPage, tally: Tally | None, *, host: bool) -> None:
        self._page = page
        self._tally = tally
        self._blocks = tally.blocks[2 * host :][:2] if tally is not None else []

    def load(self, generation: Generation) -> dict[bytes, int]:
        """Get ready for a generation: where the queries of each zone will be counted."""
        if self._tally is None:
            return {}
        self._tally.own(generation.pools.section)
        return self._tally.rows(generation.zones)

    def count(self, counted: Counted, begun_ns: int) -> None:
        """Count one query, begun at that time of `time.perf_counter_ns`."""
        self._page.count_reply("tcp" if counted.tcp else "udp", counted.reply)
        if self._tally is None:
            return
        block, reply, found = self._blocks[counted.tcp], counted.reply, counted.found
        if reply is None:
            self._tally.dropped(block, "malformed")
            return
        asked = Asked(
            self._tally.row_of(found.zone if found else b""),
            counted.query.qtype if counted.query and counted.query.qname else None,
            counted.is_v6,
            len(counted.packet),
        )
        slots, why = (found.slots, found.why) if found else ((), 0)
        self._tally.answered(block, asked, reply, slots, why)
        self._tally.took(block, time.perf_counter_ns() - begun_ns)

    def forged(self) -> None:
        """Count a datagram that nobody can have sent."""
        self._page.add("dropped")
        if self._tally is not None:
            self._tally.dropped(self._blocks[0], "forged")

"""How often a source may ask, and what counts as one source."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

BURST_S = 2.0
"""How much of what was not asked for may be asked for at once. Source: no reference; a dashboard
that opens asks for a screenful, then is quiet."""

SOURCES_MAX = 4096
"""Sources remembered. Source: no reference; some 600 kB."""


class Pace:
    """Counts requests by source; a rate of 0 allows any number."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 1.0 / per_s if per_s else 0.0
        self._clock = clock
        self._next_s: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, source: str) -> float:
        """Take one turn; 0, or seconds until there is one again.

        Source: the generic cell rate algorithm, ITU-T I.371, as one number for each source.
        """
        if not self._interval_s:
            return 0.0
        now_s = self._clock()
        turn_s = max(self._next_s.get(source, 0.0), now_s - BURST_S)
        if turn_s > now_s:
            return turn_s - now_s
        self._next_s[source] = turn_s + self._interval_s
        self._next_s.move_to_end(source)
        if len(self._next_s) > SOURCES_MAX:
            self._next_s.popitem(last=False)
        return 0.0


@lru_cache(4096)
def source_of(address: str) -> str:
    """Whom an address counts for: an IPv6 user has a whole /64 to come from."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))

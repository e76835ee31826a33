"""Debug names: `_explain`, `_status`, `_whoami`, and the CHAOS names of servers.

Only for the packet sources the operator allows, and from elsewhere than this machine only if
the source is proven (TCP or a valid cookie); never judged by ECS. To everybody else, and where
the zone has such an owner, they are ordinary names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from geodns import __version__
from geodns.dns.message import CLASS_CH, CLASS_IN, MESSAGE_MAX_OCTETS, text_reply
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_TXT
from geodns.engine.considered import target_text
from geodns.engine.explain import Network, explain, make_query
from geodns.engine.lookup import Lookup
from geodns.engine.query import ECS_FAMILY_BITS, Query
from geodns.engine.reply import ecs_option
from geodns.engine.zones import ZoneTable
from geodns.errors import GeodnsError
from geodns.steering.tables import NAME, V4

EXPLAIN = b"\x08_explain"
EXPLAIN_AAAA = b"\x05_aaaa" + EXPLAIN
STATUS = b"\x07_status"
WHOAMI = b"\x07_whoami"

VERSION_NAMES = (b"\x07version\x04bind\0", b"\x07version\x06server\0")
IDENTITY_NAMES = (b"\x02id\x06server\0", b"\x08hostname\x04bind\0")


@dataclass(frozen=True, slots=True)
class DebugNames:
    """Answers debug names for allowed sources; called for names no zone has answered yet."""

    sources: Sequence[Network]
    identity: str
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def __call__(
        self, lookup: Lookup, query: Query, resolver: str, proven: bool, options: bytes
    ) -> bytes | None:
        """The reply to a debug name; None leaves the query to the zones."""
        texts: Sequence[str] | None = None
        if query.qclass == CLASS_CH:
            texts = self._identity(query, resolver, proven)
            if texts is not None and query.qtype not in (TYPE_TXT, TYPE_ANY):
                texts = ()  # RFC 2308 section 2.2: the name is there, the type is not
        elif query.qclass == CLASS_IN and query.qtype == TYPE_TXT and query.qname[1:2] == b"_":
            zone = lookup.zone_of(query.qname)
            if zone is not None and zone.owner(query.qname) is None:
                texts = self._told(lookup, zone, query, resolver, proven)
        if texts is None:
            return None
        limit = query.limit if not proven else MESSAGE_MAX_OCTETS
        if query.ecs_at:
            options += ecs_option(query, scope=0)  # nothing to keep: the TTL is 0
        return text_reply(query.packet, list(texts), 0, query.qclass, limit, options)

    def _identity(self, query: Query, resolver: str, proven: bool) -> Sequence[str] | None:
        if query.qname in VERSION_NAMES and self._allowed(resolver, proven):
            return (f"geodns {__version__}",)
        if query.qname in IDENTITY_NAMES and self.identity:  # RFC 4892: public by nature
            return (self.identity,)
        return None

    def _told(
        self, lookup: Lookup, zone: ZoneTable, query: Query, resolver: str, proven: bool
    ) -> Sequence[str] | None:
        name = query.qname
        allowed = self._allowed(resolver, proven)
        if name == WHOAMI + zone.apex and (zone.whoami or allowed):
            return _whoami(query, resolver)
        if not allowed:
            return None
        if name.startswith(EXPLAIN_AAAA):
            return self._explain(lookup, query, name[len(EXPLAIN_AAAA) :], TYPE_AAAA, resolver)
        if name.startswith(EXPLAIN):
            return self._explain(lookup, query, name[len(EXPLAIN) :], TYPE_A, resolver)
        if name.startswith(STATUS):
            return self._status(lookup, name[len(STATUS) :])
        return None

    def _explain(
        self, lookup: Lookup, query: Query, name: bytes, rtype: int, resolver: str
    ) -> Sequence[str]:
        asked = make_query(name, rtype, _subnet(query), _message_id(query))
        try:
            return explain(lookup, asked, resolver, self.now_ms()).lines
        except GeodnsError as error:
            return (str(error),)

    def _status(self, lookup: Lookup, name: bytes) -> Sequence[str] | None:
        """The state of every target behind a steered name, wherever the asker is."""
        zone = lookup.zone_of(name)
        owner = lookup.find(zone, name) if zone else None
        steered = [r.steer for r in owner.rrsets.values() if r.steer is not None] if owner else []
        if zone is None or not steered:
            return None
        view = lookup.generation.views[zone.steers[steered[0]].view]
        return list(_states(lookup, list(view.pools), self.now_ms())) or ["no targets"]

    def _allowed(self, resolver: str, proven: bool) -> bool:
        address = ip_address(resolver.partition("%")[0])
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        known = any(address in network for network in self.sources)
        return known and (proven or address.is_loopback)


def _states(lookup: Lookup, pools: list[int], now_ms: int) -> Iterator[str]:
    names = lookup.generation.pools.names()
    for key in pools:
        table = lookup.generation.pools.pool(key)
        for place in table.places:
            for member in place:
                family = NAME if member.names else V4
                for target in member.all_targets():
                    word = lookup.status.word(target.slot, target.tag)
                    note = lookup.status.note(target.slot)
                    since = f" {(now_ms - note.since_ms) / 1000:.0f} s" if note.since_ms else ""
                    yield (
                        f"{names.pools[table.number]} {names.nodes[member.node]} "
                        f"{target_text(target.address, family)}: {word.verdict.name.lower()}{since}"
                        f"{', ' + note.reason if note.reason else ''}"
                    )


def _whoami(query: Query, resolver: str) -> Sequence[str]:
    subnet = _subnet(query)
    return (f"resolver {resolver}", f"subnet {subnet}" if subnet else "no subnet")


def _subnet(query: Query) -> Network | None:
    if not query.source_prefix_len:
        return None
    octets = query.subnet.ljust(ECS_FAMILY_BITS[query.family] // 8, b"\0")
    return ip_network((octets, query.source_prefix_len))


def _message_id(query: Query) -> int:
    return query.packet[0] << 8 | query.packet[1]

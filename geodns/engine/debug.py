"""Debug names: `_explain`, and the CHAOS names by which servers tell who they are.

Only for the packet sources the operator allows, never judged by ECS; to everybody else, and
where the zone has such an owner, they are ordinary names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from geodns import __version__
from geodns.dns.message import CLASS_CH, CLASS_IN, MESSAGE_MAX_OCTETS, text_reply
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_TXT
from geodns.engine.explain import Network, explain, make_query
from geodns.engine.query import ECS_FAMILY_BITS, Query
from geodns.engine.responder import Responder
from geodns.errors import GeodnsError

EXPLAIN = b"\x08_explain"
EXPLAIN_AAAA = b"\x05_aaaa" + EXPLAIN

VERSION_NAMES = (b"\x07version\x04bind\0", b"\x07version\x06server\0")
IDENTITY_NAMES = (b"\x02id\x06server\0", b"\x08hostname\x04bind\0")


@dataclass(frozen=True, slots=True)
class DebugNames:
    """Answers debug names for allowed sources; called for names no zone has answered yet."""

    sources: Sequence[Network]
    identity: str
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def __call__(
        self, responder: Responder, query: Query, resolver: str, tcp: bool
    ) -> bytes | None:
        """The reply to a debug name; None leaves the query to the zones."""
        texts: Sequence[str] | None = None
        if query.qclass == CLASS_CH:
            texts = self._identity(query, resolver)
        elif query.qclass == CLASS_IN and query.qtype == TYPE_TXT:
            texts = self._explanation(responder, query, resolver)
        if texts is None:
            return None
        limit = MESSAGE_MAX_OCTETS if tcp else query.limit
        return text_reply(query.packet, list(texts), rclass=query.qclass, limit=limit)

    def _identity(self, query: Query, resolver: str) -> Sequence[str] | None:
        if query.qname in VERSION_NAMES and self._allowed(resolver):
            return (f"geodns {__version__}",)
        if query.qname in IDENTITY_NAMES and self.identity:  # RFC 4892: public by nature
            return (self.identity,)
        return None

    def _explanation(
        self, responder: Responder, query: Query, resolver: str
    ) -> Sequence[str] | None:
        for prefix, rtype in ((EXPLAIN_AAAA, TYPE_AAAA), (EXPLAIN, TYPE_A)):
            if not query.qname.startswith(prefix):
                continue
            zone = responder.zone_of(query.qname)
            if zone is None or not self._allowed(resolver) or zone.owner(query.qname):
                return None
            asked = make_query(
                query.qname[len(prefix) :], rtype, _subnet(query), _message_id(query)
            )
            try:
                return explain(responder, asked, resolver, self.now_ms()).lines
            except GeodnsError as error:
                return (str(error),)
        return None

    def _allowed(self, resolver: str) -> bool:
        address = ip_address(resolver.partition("%")[0])
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.sources)


def _subnet(query: Query) -> Network | None:
    if not query.source_prefix_len:
        return None
    octets = query.subnet.ljust(ECS_FAMILY_BITS[query.family] // 8, b"\0")
    return ip_network((octets, query.source_prefix_len))


def _message_id(query: Query) -> int:
    return query.packet[0] << 8 | query.packet[1]

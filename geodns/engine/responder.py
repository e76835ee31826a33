"""The reference responder: one packet in, one reply or silence out.

A reply is a pure function of the generation, the status words, the packet and its source.
The words for the parts of a message are those of RFC 9499.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from geodns.dns import names
from geodns.dns.message import MESSAGE_MAX_OCTETS, NXDOMAIN, REFUSED, SERVFAIL, error_reply
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_CNAME, TYPE_NS
from geodns.engine.generation import Generation
from geodns.engine.query import Malformed, Query
from geodns.engine.reply import Reply, pointed
from geodns.engine.steered import Steering
from geodns.engine.subject import subject_of
from geodns.engine.zones import QNAME_POINTER, Owner, RRset, SteerTable, ZoneTable
from geodns.errors import ConfigError
from geodns.snapshot.layout import WILDCARD_CHILD
from geodns.snapshot.status import StatusTable

CHAIN_MAX = 9
"""Owners one answer walks through by CNAME. Source: no reference; BIND stops at 16, resolvers
at 8 to 16; more are a mistake or a loop."""

FOUND_MAX = 10_000
"""Names kept with their owners. Source: some 2 kB each, 20 MB of a worker's 120."""

CLASS_IN, CLASS_ANY = 1, 255
TYPE_DS, TYPE_IXFR, TYPE_AXFR = 43, 251, 252
LONG_WAY = frozenset({TYPE_DS, TYPE_IXFR, TYPE_AXFR})
"""Types that are not answered from the owner alone."""

log = logging.getLogger("geodns.engine")


DebugHook = Callable[["Responder", Query, str, bool], bytes | None]
"""Answers debug names (`_explain` and CHAOS); None leaves the query to the zones."""


class Responder:
    """Answers from one generation and the live status words."""

    def __init__(
        self,
        generation: Generation,
        status: StatusTable,
        *,
        nsid: bytes = b"",
        debug: DebugHook | None = None,
        trusts: Callable[[str], bool] | None = None,
    ) -> None:
        """``trusts`` says whether a resolver's ECS counts; without it, everybody's does."""
        self.generation = generation
        self.status = status
        self.steering = Steering(generation, status.words)
        self._nsid = nsid
        self._debug = debug
        self._trusts = trusts
        self._found: dict[bytes, tuple[ZoneTable, Owner]] = {}

    def respond(self, packet: bytes, resolver: str, *, tcp: bool = False) -> bytes | None:
        """The reply to a packet from ``resolver``; None for silence. Never raises."""
        try:
            query = Query(packet)
        except Malformed as fault:
            if fault.rcode is None:
                return None
            return error_reply(packet, fault.rcode, edns=fault.edns)
        try:
            return self._respond(query, resolver, tcp)
        except Exception:
            log.exception("a query could not be answered")
            return error_reply(packet, SERVFAIL, edns=query.edns)

    def _respond(self, query: Query, resolver: str, tcp: bool) -> bytes | None:
        found = self._found.get(query.qname)
        if found is None or query.qclass != CLASS_IN or query.qtype in LONG_WAY:
            if self._debug is not None:
                told = self._debug(self, query, resolver, tcp)
                if told is not None:
                    return told
            reply = self._search(query, resolver)
        else:
            reply = Reply(query, resolver)
            self._answer(reply, found[0], found[1], query.qname)
        return reply.encode(MESSAGE_MAX_OCTETS if tcp else query.limit, self._nsid)

    def _search(self, query: Query, resolver: str) -> Reply:
        """The long way: find the zone, look for cuts, and remember an owner that is found."""
        reply = Reply(query, resolver)
        zone = self._zone_asked(query)
        if zone is None or query.qclass not in (CLASS_IN, CLASS_ANY):
            return _refused(reply)
        # RFC 1035 section 6.2: one class of several is not the whole truth.
        reply.authoritative = query.qclass == CLASS_IN
        if query.qtype in (TYPE_AXFR, TYPE_IXFR):
            return _refused(reply)
        if zone.has_cuts and self._referral(reply, zone, query.qname):
            return reply
        owner = zone.owner(query.qname)
        if owner is None:
            self._synthesize(reply, zone, query.qname)
            return reply
        if query.qclass == CLASS_IN and query.qtype not in LONG_WAY and not zone.has_cuts:
            if len(self._found) >= FOUND_MAX:
                self._found.clear()
            self._found[query.qname] = (zone, owner)
        self._answer(reply, zone, owner, query.qname)
        return reply

    def _zone_asked(self, query: Query) -> ZoneTable | None:
        zone = self.zone_of(query.qname)
        if zone is not None and query.qtype == TYPE_DS and query.qname == zone.apex != b"\0":
            # RFC 4035 section 3.1.4.1: DS is the parent's, if we serve the parent too.
            parent = self.zone_of(names.parent(query.qname))
            if parent is not None and parent.owner(query.qname) is not None:
                return parent
        return zone

    def zone_of(self, name: bytes) -> ZoneTable | None:
        """The zone with the longest apex that ``name`` lies under."""
        zones = self.generation.zones
        while True:
            zone = zones.get(name)
            if zone is not None or name == b"\0":
                return zone
            name = name[name[0] + 1 :]

    def find(self, zone: ZoneTable, name: bytes) -> Owner | None:
        """The owner that answers for a name: itself, or the wildcard that covers it."""
        return zone.owner(name) or self._wildcard(zone, name)

    def _answer(self, reply: Reply, zone: ZoneTable, owner: Owner, name: bytes) -> None:
        """RFC 1034 section 4.3.2 step 3a, the whole of the name matched. ``name`` is the
        owner as it is written in the answer: the question's, or a CNAME's target."""
        qtype = reply.query.qtype
        rrset = owner.rrsets.get(qtype)
        if rrset is None:
            rrset = self._stand_in(owner, qtype)
            if rrset is None:
                self._negative(reply, zone)
                return
        if rrset.steer is not None:
            self._steer(reply, zone, zone.steers[rrset.steer], rrset.rtype, name)
            return
        if name == reply.query.qname:
            reply.answer += rrset.answer
        else:
            reply.answer += rrset.records(pointed(name, reply.query.qname))
        reply.answers += len(rrset.rdata)
        if rrset.rtype == TYPE_CNAME and qtype not in (TYPE_CNAME, TYPE_ANY):
            self._follow(reply, rrset.rdata[0].lower())

    def _stand_in(self, owner: Owner, qtype: int) -> RRset | None:
        """What answers where the type itself is not there: a CNAME, or one RRset for ANY."""
        if qtype == TYPE_ANY:  # RFC 8482 section 4.1: a subset is enough
            return next(iter(owner.rrsets.values()), None)
        return owner.rrsets.get(TYPE_CNAME)

    def _steer(
        self, reply: Reply, zone: ZoneTable, steer: SteerTable, rtype: int, name: bytes
    ) -> None:
        query = reply.query
        view = self.generation.views[steer.view]
        ecs = steer.ecs and (self._trusts is None or self._trusts(reply.resolver))
        subject = subject_of(query, view, reply.resolver, ecs=ecs)
        value = subject.value ^ (query.packet[0] << 8 | query.packet[1]) << 32
        ready, records, count = self.steering.answer(
            steer, subject.number, rtype, self.status.epoch, value
        )
        reply.scope = max(reply.scope, subject.scope)
        if ready.ede is not None:
            reply.ede = ready.ede
        if not count:
            self._negative(reply, zone)
            return
        reply.answers += count
        reply.answer += records if name == query.qname else _owned(records, count, name, query)

    def _follow(self, reply: Reply, target: bytes) -> None:
        """RFC 1034 section 4.3.2 step 3a: go on at the CNAME's target while it is ours."""
        if target == reply.query.qname or target in reply.followed:
            return  # a loop; RFC 2181 section 5: no record twice
        if len(reply.followed) == CHAIN_MAX:
            return
        reply.followed += (target,)
        zone = self.zone_of(target)
        if zone is None or (zone.has_cuts and zone.cut_above(target) is not None):
            return
        owner = zone.owner(target)
        if owner is not None:
            self._answer(reply, zone, owner, target)
            return
        wildcard = self._wildcard(zone, target)
        if wildcard is not None:
            self._answer(reply, zone, wildcard, target)
        else:
            reply.rcode = NXDOMAIN  # RFC 6604 section 3: the rcode speaks of the chain's end
            self._negative(reply, zone)

    def _synthesize(self, reply: Reply, zone: ZoneTable, name: bytes) -> None:
        """The name does not exist: a wildcard stands in, or NXDOMAIN (RFC 4592 section 3.3)."""
        wildcard = self._wildcard(zone, name)
        if wildcard is not None:
            self._answer(reply, zone, wildcard, name)
            return
        reply.rcode = NXDOMAIN
        self._negative(reply, zone)

    def _wildcard(self, zone: ZoneTable, name: bytes) -> Owner | None:
        encloser = zone.closest_encloser(name)
        if not encloser.flags & WILDCARD_CHILD:
            return None
        return zone.owner(b"\x01*" + encloser.name)

    def _referral(self, reply: Reply, zone: ZoneTable, name: bytes) -> bool:
        """RFC 1034 section 4.3.2 step 3b: below a cut the child's servers answer, not we."""
        cut = zone.cut_above(name)
        if cut is None or (cut.name == name and reply.query.qtype == TYPE_DS):
            return False  # RFC 4035 section 3.1.4.1: DS is ours to answer
        servers = cut.rrsets[TYPE_NS]
        reply.authoritative = False
        reply.authority = servers.records(pointed(cut.name, name))
        reply.authorities = len(servers.rdata)
        for server in servers.rdata:  # RFC 9471: all glue there is
            host = zone.owner(server.lower())
            for rtype in (TYPE_A, TYPE_AAAA):
                glue = host.rrsets.get(rtype) if host else None
                if glue is not None and glue.steer is None:
                    reply.additional += glue.records(pointed(server.lower(), name))
                    reply.additionals += len(glue.rdata)
        return True

    def _negative(self, reply: Reply, zone: ZoneTable) -> None:
        """RFC 2308 section 2: the SOA in the authority section says how long."""
        reply.authority = zone.negative_soa(pointed(zone.apex, reply.query.qname))
        reply.authorities = 1


def _owned(records: bytes, count: int, name: bytes, query: Query) -> bytes:
    """Records of equal size, all owned by the question's name, given to ``name`` instead."""
    owner, head = pointed(name, query.qname), len(QNAME_POINTER)
    size = len(records) // count
    starts = range(head, len(records), size)
    return b"".join(owner + records[at : at + size - head] for at in starts)


def _refused(reply: Reply) -> Reply:
    reply.rcode = REFUSED
    reply.authoritative = False
    return reply


def check_generation(generation: Generation) -> None:
    """Ask a generation its own questions before it is served; "never publish worse".

    Errors: ConfigError when a zone does not answer its SOA and NS.
    """
    for zone in generation.zones.values():
        apex = zone.owner(zone.apex)
        if apex is None or TYPE_NS not in apex.rrsets:
            raise ConfigError("A zone of the generation has no apex with NS.")

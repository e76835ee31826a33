"""From a question to a reply: the algorithm of RFC 1034 section 4.3.2 on one generation."""

from __future__ import annotations

from collections.abc import Callable

from geodns.dns import names
from geodns.dns.message import NXDOMAIN, REFUSED, YXDOMAIN
from geodns.dns.rrtypes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_ANY,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_DS,
    TYPE_NS,
)
from geodns.dns.svcb import IPV4HINT, IPV6HINT, auto_hints, fill
from geodns.engine.generation import Generation
from geodns.engine.query import Query
from geodns.engine.reply import Reply, pointed
from geodns.engine.steered import EDE_LOCATION_UNKNOWN, Steering
from geodns.engine.subject import Subject, subject_of
from geodns.engine.zones import QNAME_POINTER, Owner, RRset, SteerTable, ZoneTable, record
from geodns.snapshot.layout import CUT, WILDCARD_CHILD
from geodns.snapshot.status import StatusTable

CHAIN_MAX = 9
"""Owners one answer walks through by CNAME. Source: no reference; BIND stops at 16, resolvers
at 8 to 16; more are a mistake or a loop."""

FOUND_MAX = 10_000
"""Names kept with their owners. Source: some 2 kB each, 20 MB of a worker's 120."""

CLASS_IN, CLASS_ANY = 1, 255
TYPE_IXFR, TYPE_AXFR = 251, 252
LONG_WAY = frozenset({TYPE_DS, TYPE_IXFR, TYPE_AXFR})
"""Types that are not answered from the owner alone."""

Trusts = Callable[[str], bool]
"""Whether a resolver's client subnets count."""


class Lookup:
    """Finds answers; pure in the generation, the status words, the query and its source."""

    def __init__(
        self, generation: Generation, status: StatusTable, trusts: Trusts | None = None
    ) -> None:
        self.generation = generation
        self.status = status
        self.steering = Steering(generation, status.words)
        self._trusts = trusts
        self._found: dict[bytes, tuple[ZoneTable, Owner]] = {}

    def known(self, query: Query, resolver: str) -> Reply | None:
        """The short way: the reply for a name met before; None if it must be searched."""
        found = self._found.get(query.qname)
        if found is None or query.qclass != CLASS_IN or query.qtype in LONG_WAY:
            return None
        reply = Reply(query, resolver)
        reply.zone = found[0].apex
        self._answer(reply, found[0], found[1], query.qname)
        return reply

    def search(self, query: Query, resolver: str) -> Reply:
        """The long way: find the zone, look for cuts, and remember an owner that is found."""
        reply = Reply(query, resolver)
        zone = self._zone_asked(query)
        if zone is not None:
            reply.zone = zone.apex
        if zone is None or query.qclass not in (CLASS_IN, CLASS_ANY):
            return _refused(reply)
        # RFC 1035 section 6.2: one class of several is not the whole truth.
        reply.authoritative = query.qclass == CLASS_IN
        if query.qtype in (TYPE_AXFR, TYPE_IXFR):
            return _refused(reply)
        owner = zone.owner(query.qname)
        ordinary = query.qclass == CLASS_IN and query.qtype not in LONG_WAY
        if owner is not None and not zone.has_barriers and ordinary:
            if len(self._found) >= FOUND_MAX:
                self._found.clear()
            self._found[query.qname] = (zone, owner)
        self._at(reply, zone, query.qname, owner)
        return reply

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

    def trusts(self, resolver: str) -> bool:
        """Whether a resolver's client subnets count."""
        return self._trusts is None or self._trusts(resolver)

    def _zone_asked(self, query: Query) -> ZoneTable | None:
        zone = self.zone_of(query.qname)
        if zone is not None and query.qtype == TYPE_DS and query.qname == zone.apex != b"\0":
            # RFC 4035 section 3.1.4.1: DS is the parent's, if we serve the parent too.
            parent = self.zone_of(names.parent(query.qname))
            if parent is not None and parent.owner(query.qname) is not None:
                return parent
        return zone

    def _at(self, reply: Reply, zone: ZoneTable, name: bytes, owner: Owner | None) -> None:
        """RFC 1034 section 4.3.2 step 3 for one name: out by a cut or DNAME, found, or not."""
        if zone.has_barriers:
            barrier = zone.barrier_above(name)
            if barrier is not None and TYPE_DNAME in barrier.rrsets and barrier.name != name:
                self._redirect(reply, barrier, name)
                return
            if barrier is not None and not self._is_ours(reply, barrier, name):
                self._refer(reply, zone, barrier)
                return
        owner = owner or self._wildcard(zone, name)
        if owner is not None:
            self._answer(reply, zone, owner, name)
        else:
            reply.rcode = NXDOMAIN  # RFC 6604 section 3: the rcode speaks of a chain's end
            self._negative(reply, zone)

    def _is_ours(self, reply: Reply, cut: Owner, name: bytes) -> bool:
        """RFC 4035 section 3.1.4.1: at the cut itself, DS is the parent's to answer."""
        return cut.name == name and reply.query.qtype == TYPE_DS

    def _answer(self, reply: Reply, zone: ZoneTable, owner: Owner, name: bytes) -> None:
        """Step 3a, the whole of the name matched. ``name`` is the owner as it is written in
        the answer: the question's, or a CNAME's target."""
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
        if rrset.hinted:
            self._hint(reply, zone, owner, rrset, name)
        elif name == reply.query.qname:
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

    def _subject(self, reply: Reply, steer: SteerTable) -> Subject:
        """Whom a query is steered by; sets the scope."""
        query = reply.query
        view = self.generation.views[steer.view]
        ecs = steer.ecs and (self._trusts is None or self._trusts(reply.resolver))
        subject = subject_of(query, view, reply.resolver, ecs=ecs)
        # RFC 7871 section 7.2.1: of several decisions the narrowest holds for the reply.
        reply.scope = max(reply.scope, subject.scope)
        if not subject.placed:
            reply.ede = EDE_LOCATION_UNKNOWN
        return subject

    def _steer(
        self, reply: Reply, zone: ZoneTable, steer: SteerTable, rtype: int, name: bytes
    ) -> None:
        query = reply.query
        message_id = query.packet[0] << 8 | query.packet[1]
        subject = self._subject(reply, steer)
        ready, records, count, reply.slots = self.steering.answer(
            steer, subject, rtype, self.status.epoch, message_id
        )
        reply.why = ready.decision.why or subject.destination.by_rule
        if ready.ede is not None:
            reply.ede = ready.ede
        if not count:
            self._negative(reply, zone)
            return
        reply.answers += count
        reply.answer += records if name == query.qname else _owned(records, count, name, query)

    def _hint(self, reply: Reply, zone: ZoneTable, owner: Owner, rrset: RRset, name: bytes) -> None:
        """SVCB and HTTPS records whose address hints follow the steer at their own name."""
        steered = owner.rrsets[TYPE_A].steer
        assert steered is not None  # `geodns.document.aliases` requires one
        steer = zone.steers[steered]
        subject, packet = self._subject(reply, steer), reply.query.packet
        message_id, epoch = packet[0] << 8 | packet[1], self.status.epoch
        hints = {
            key: self.steering.addresses(steer, subject, rtype, epoch, message_id)
            for key, rtype in ((IPV4HINT, TYPE_A), (IPV6HINT, TYPE_AAAA))
        }
        written = pointed(name, reply.query.qname)
        ttl = min(rrset.ttl, steer.ttl)
        for rdata in rrset.rdata:
            wanted = {key: hints[key] for key in auto_hints(rdata)}
            reply.answer += record(written, rrset.rtype, ttl, fill(rdata, wanted))

    def _follow(self, reply: Reply, target: bytes) -> None:
        """Step 3a, CNAME: go on at the target while it is ours."""
        if target == reply.query.qname or target in reply.followed:
            return  # a loop; RFC 2181 section 5: no record twice
        if len(reply.followed) == CHAIN_MAX:
            return
        reply.followed += (target,)
        zone = self.zone_of(target)
        if zone is not None:
            self._at(reply, zone, target, zone.owner(target))

    def _redirect(self, reply: Reply, dname: Owner, name: bytes) -> None:
        """RFC 6672 section 3.2: the DNAME itself, and a CNAME made for this one name."""
        query, rrset = reply.query, dname.rrsets[TYPE_DNAME]
        if dname.name not in reply.redirected:  # RFC 2181 section 5: no record twice
            reply.redirected += (dname.name,)
            reply.answer += rrset.records(pointed(dname.name, query.qname))
            reply.answers += 1
        kept = len(name) - len(dname.name)
        prefix = query.packet[12 : 12 + kept] if name == query.qname else name[:kept]
        target = prefix + rrset.rdata[0]
        if len(target) > names.NAME_MAX_OCTETS:
            reply.rcode = YXDOMAIN  # RFC 6672 section 2.2
            return
        # RFC 6672 section 3.1: the CNAME lives as long as its DNAME.
        reply.answer += record(pointed(name, query.qname), TYPE_CNAME, rrset.ttl, target)
        reply.answers += 1
        if query.qtype not in (TYPE_CNAME, TYPE_ANY):
            self._follow(reply, target.lower())

    def _wildcard(self, zone: ZoneTable, name: bytes) -> Owner | None:
        """RFC 4592 section 3.3.1: only the closest encloser's wildcard stands in."""
        encloser = zone.closest_encloser(name)
        if not encloser.flags & WILDCARD_CHILD:
            return None
        return zone.owner(b"\x01*" + encloser.name)

    def _refer(self, reply: Reply, zone: ZoneTable, cut: Owner) -> None:
        """Step 3b: below a cut the child's servers answer, not we."""
        qname = reply.query.qname
        servers = cut.rrsets[TYPE_NS]
        if not reply.answers:  # after a CNAME of ours, AA speaks of that (RFC 1035 §4.1.1)
            reply.authoritative = False
        reply.authority = servers.records(pointed(cut.name, qname))
        reply.authorities = len(servers.rdata)
        for server in servers.rdata:  # RFC 9471 section 3: all glue, or TC
            host = self._glued(zone, server.lower())
            for rtype in (TYPE_A, TYPE_AAAA):
                glue = host.rrsets.get(rtype) if host else None
                if glue is not None and glue.steer is None:
                    reply.additional += glue.records(pointed(server.lower(), qname))
                    reply.additionals += len(glue.rdata)

    def _glued(self, zone: ZoneTable, name: bytes) -> Owner | None:
        """The owner of a server's addresses here; what a DNAME hides is no address of it."""
        host = zone.owner(name)
        barrier = None if host is None else zone.barrier_above(name)
        # RFC 6672 section 2.4: data below a DNAME is occluded; below a cut it is glue.
        redirected = barrier is not None and barrier.name != name and not barrier.flags & CUT
        return None if redirected else host

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

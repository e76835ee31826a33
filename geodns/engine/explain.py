"""Why an answer is what it is: one object for DNS, API, CLI and log.

It is worked out by the serving code: the same subject, decision and draw as a query that
came with this subnet, from this resolver, with this message ID.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice
from struct import Struct
from typing import Any

from geodns.dns import names
from geodns.dns.message import OPTION_ECS, RD
from geodns.dns.rrtypes import TYPE_CNAME, TYPE_OPT, type_from_text, type_to_text
from geodns.engine.considered import Survey, target_text
from geodns.engine.explanation import Explanation, lines_of
from geodns.engine.generation import Location
from geodns.engine.lookup import Lookup
from geodns.engine.pools import PoolNames
from geodns.engine.query import ECS_FAMILY_BITS, Query
from geodns.engine.steered import FAMILY_OF
from geodns.engine.subject import subject_of
from geodns.engine.views import Arm, ViewTable
from geodns.engine.zones import Owner, SteerTable, ZoneTable
from geodns.errors import ConfigError, NotFound, Reason
from geodns.snapshot.status import StatusTable
from geodns.steering.choose import Candidate
from geodns.steering.draw import user_of
from geodns.steering.mix import DRAW_BITS
from geodns.steering.tables import FIRST, STICKY, WEIGHTED, Chain

_HEADER = Struct(">HHHHHH").pack
_QUESTION = Struct(">HH").pack
_OPT = Struct(">BHHIH").pack
_ECS = Struct(">HHHBB").pack

Network = IPv4Network | IPv6Network


def make_query(name: bytes, rtype: int, subnet: Network | None, message_id: int = 0) -> Query:
    """The query that a resolver would send for a client in ``subnet``."""
    packet = _HEADER(message_id, RD, 1, 0, 0, 1) + name + _QUESTION(rtype, 1)
    option = b""
    if subnet is not None:
        octets = subnet.network_address.packed[: subnet.prefixlen + 7 >> 3]
        family = 1 if subnet.version == 4 else 2
        option = _ECS(OPTION_ECS, 4 + len(octets), family, subnet.prefixlen, 0) + octets
    return Query(packet + _OPT(0, TYPE_OPT, 1232, 0, len(option)) + option)


def explain_text(
    lookup: Lookup, name: str, rtype: str, subnet: str | None, resolver: str, now_ms: int
) -> Explanation:
    """`explain` for texts from a person.

    Errors: ConfigError for a name, type, subnet or resolver that cannot be read; NotFound for
    a name that no zone of ours covers.
    """
    try:
        network = ip_network(subnet, strict=False) if subnet else None
        ip_address(resolver)
    except ValueError as error:
        raise ConfigError([Reason("", "bad_address", f"{error}.")]) from None
    wire = names.canonical(names.from_text(name))
    query = make_query(wire, type_from_text(rtype), network)
    return explain(lookup, query, resolver, now_ms)


def explain(lookup: Lookup, query: Query, resolver: str, now_ms: int) -> Explanation:
    """Why ``query`` is answered as it is. Errors: NotFound outside our zones."""
    zone = lookup.zone_of(query.qname)
    if zone is None:
        raise NotFound(f"{names.to_text(query.qname)} is in no zone of ours: REFUSED.")
    owner = lookup.find(zone, query.qname)
    held = owner.rrsets if owner else {}
    rrset = held.get(query.qtype) or held.get(TYPE_CNAME)
    if rrset is None or rrset.steer is None:
        return _explain_static(lookup, query, resolver, zone, owner)
    steer = zone.steers[rrset.steer]
    return _Steered(lookup, query, resolver, steer, rrset.rtype, now_ms).explain()


def _explain_static(
    lookup: Lookup, query: Query, resolver: str, zone: ZoneTable, owner: Owner | None
) -> Explanation:
    name, rtype = names.to_url(query.qname), type_to_text(query.qtype)
    held = sorted(map(type_to_text, owner.rrsets)) if owner else []
    rrset = owner.rrsets.get(query.qtype) if owner else None
    if owner is None:
        kind, what = "nxdomain", f"does not exist in {names.to_text(zone.apex)}"
    elif rrset is None:
        kind, what = "nodata", f"has no such records; it has {', '.join(held) or 'none'}"
    else:
        kind, what = "static", f"is static: {len(rrset.rdata)} records, the same for everyone"
    ttl = rrset.ttl if rrset else zone.negative_ttl
    number = lookup.generation.number
    lines = (
        f"01 {name} {rtype} = {kind} ttl {ttl} scope /0 generation {number}",
        f"02 {name} {what}",
    )
    return Explanation(name, rtype, kind, ttl, 0, number, resolver, lines)


class _Steered:
    """One explanation of a steered name in the making."""

    def __init__(
        self,
        lookup: Lookup,
        query: Query,
        resolver: str,
        steer: SteerTable,
        rtype: int,
        now_ms: int,
    ) -> None:
        self._generation = lookup.generation
        self._status: StatusTable = lookup.status
        self._query = query
        self._resolver = resolver
        self._steer = steer
        self._now_ms = now_ms
        self._view: ViewTable = self._generation.views[steer.view]
        self._family = FAMILY_OF[rtype]
        ecs = steer.ecs and lookup.trusts(resolver)
        self._subject = subject_of(query, self._view, resolver, ecs=ecs)
        self._message_id = query.packet[0] << 8 | query.packet[1]
        self._steering = lookup.steering
        epoch = self._status.epoch
        self._ready = self._steering.resolve(steer, self._subject, rtype, epoch)
        self._names: PoolNames = self._generation.pools.names()
        self._place = self._location()

    def explain(self) -> Explanation:
        query, subject, ready = self._query, self._subject, self._ready
        decision = ready.decision
        chosen = self._steering.pick(ready, self._steer, subject, self._message_id)
        arm = subject.destination.arms[ready.arm]
        chain = self._generation.chain(self._view, subject.number, arm)
        pool = decision.pool or chain[0].pool
        about, geo = self._view.about(), self._generation.geo.about()
        return _told(
            name=names.to_url(query.qname),
            type=type_to_text(query.qtype),
            kind="steered",
            nodes=tuple(self._names.nodes[candidate.member.node] for candidate in chosen),
            addresses=tuple(_addresses(chosen, self._family)),
            ttl=ready.ttl,
            scope=subject.scope,
            generation=self._generation.number,
            subject=self._subject_text(),
            by="ecs" if subject.by_ecs else "resolver",
            resolver=self._resolver,
            place=_place_text(self._place),
            coarse=self._place is not None and self._place.coarse,
            database=f"{geo['name']} {geo['build_date'][:7]}",
            rule=about["rules"][subject.destination.number],
            arm=self._arm_text(arm),
            pool=self._names.pools[pool.number],
            order=self._names.orders[pool.number],
            spread=_SPREADS[pool.spread],
            candidates=tuple(self._survey(chain).considered()),
            cache_entries=about["scopes"],
            notes=tuple(self._notes(chain)),
        )

    def _survey(self, chain: Chain) -> Survey:
        return Survey(
            chain,
            self._ready,
            self._family,
            self._status,
            self._names,
            self._subject_text(),
            self._place,
            self._now_ms,
        )

    def _arm_text(self, arm: Arm) -> str:
        """The pool of the arm and its share of the users; empty where there is no split."""
        arms = self._subject.destination.arms
        if len(arms) == 1:
            return ""
        name = self._names.pools[self._generation.pools.pool(arm.key).number]
        return f"{name} {arm.weight} of {sum(each.weight for each in arms)}"

    def _subject_text(self) -> str:
        if not self._subject.by_ecs:
            return self._resolver
        return _subnet_text(self._query)

    def _location(self) -> Location | None:
        """The place of whom we steer by; None where the database knows none."""
        if self._subject.by_ecs:
            value = int.from_bytes(self._query.subnet, "big")
            version = 4 if self._query.family == 1 else 6
            value <<= (32 if version == 4 else 128) - 8 * len(self._query.subnet)
        else:
            address = ip_address(self._resolver.partition("%")[0])
            value, version = int(address), address.version
        return self._generation.geo.location_of(value, version)

    def _notes(self, chain: Chain) -> Iterator[str]:
        subject, ready = self._subject, self._ready
        if ready.decision.failing_open:
            yield "failing open: no node of the chain is healthy"
        if ready.decision.pool is None:
            yield "nothing left to answer with: NODATA"
        if ready.ttl != self._steer.ttl:
            yield f"ttl {ready.ttl} not {self._steer.ttl}: health is unsettled"
        yield from self._place_notes(chain)
        if subject.destination.is_split:
            yield f"arm by hash of {self._user(DRAW_BITS[subject.version])}"
        pool = ready.decision.pool
        if pool is not None and pool.spread == STICKY:
            yield f"sticky by hash of {self._user(pool.sticky_bits[subject.version])}"
        yield self._scope_note()

    def _place_notes(self, chain: Chain) -> Iterator[str]:
        """What is not known of the place, and what that means where the order goes by places."""
        if self._place is not None and not self._place.coarse:
            return
        pool = self._ready.decision.pool or chain[0].pool
        link = next(each for each in chain if each.pool is pool)
        by_place = self._names.orders[pool.number] in ("nearest", "latency")
        many = by_place and sum(map(len, pool.places)) > 1
        if self._place is not None:
            meaning = "all that may be nearest count as equal"
            yield f"place is coarse, a whole country{f': {meaning}' * many}"
        elif many and len(list(islice(link.tiers(), 2))) > 1:
            yield "location unknown: taken to be the default location"
        else:
            yield f"location unknown{': all count as equally near' * many}"

    def _user(self, bits: int) -> str:
        """The network by which draws that must not change know the user."""
        subject = self._subject
        value = user_of(subject.value, subject.version, bits)
        address = IPv4Address(value) if subject.version == 4 else IPv6Address(value << 64)
        return f"{address}/{bits}"

    def _scope_note(self) -> str:
        subject = self._subject
        if not subject.by_ecs:
            special = "a special-purpose block; " if subject.scope else ""
            return f"scope /{subject.scope}: {special}steered by resolver"
        destination = subject.destination
        bits = destination.bits4 if subject.version == 4 else destination.bits6
        what = f"with this class{' and hash' * (bits > 0)}"
        if self._view.is_direct:
            return f"scope /{subject.scope}: the widest prefix {what}"
        return f"scope /{subject.scope}: a prefix {what}, perhaps not the widest (shared intervals)"


_SPREADS = {FIRST: "first", WEIGHTED: "weighted", STICKY: "sticky"}


def _told(**fields: Any) -> Explanation:
    return Explanation(**fields, lines=tuple(lines_of(fields)))


def _addresses(chosen: list[Candidate], family: int) -> Iterator[str]:
    return (target_text(a, family) for candidate in chosen for a in candidate.addresses)


def _subnet_text(query: Query) -> str:
    size = ECS_FAMILY_BITS[query.family] // 8
    address = ip_address(query.subnet.ljust(size, b"\0"))
    return f"{address}/{query.source_prefix_len}"


def _place_text(place: Location | None) -> str:
    if place is None:
        return "unknown"
    return f"{place.region or 'unknown'} {place.latitude:.2f},{place.longitude:.2f}"

"""Why an answer is what it is: one object for DNS, API, CLI and log.

It is worked out by the serving code: the same subject, decision and draw as a query that
came with this subnet, from this resolver, with this message ID.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from struct import Struct
from typing import Any

from geodns.dns import names
from geodns.dns.message import OPTION_ECS, RD
from geodns.dns.rrtypes import TYPE_CNAME, TYPE_OPT, type_from_text, type_to_text
from geodns.engine.explanation import Considered, Explanation, lines_of
from geodns.engine.generation import Location
from geodns.engine.lookup import Lookup
from geodns.engine.pools import PoolNames
from geodns.engine.query import ECS_FAMILY_BITS, Query
from geodns.engine.steered import FAMILY_OF, Ready
from geodns.engine.subject import Subject, subject_of
from geodns.engine.views import ViewTable
from geodns.engine.zones import Owner, SteerTable, ZoneTable
from geodns.errors import ConfigError, NotFound, Reason
from geodns.geo.distance import great_circle_km
from geodns.geo.special import fold
from geodns.snapshot.status import Override, StatusTable, Verdict
from geodns.steering.choose import NAME, Candidate, Chain, Link, Member, Target, is_usable, pick

CANDIDATES_MAX = 12
"""Members shown. Source: no reference; with the other lines they fit one UDP reply of TXT."""

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
    return Explanation(
        name, rtype, kind, (), (), ttl, 0, number, "", "", resolver, "", "", "", "", (), (), lines
    )


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
        self._subject = subject_of(query, self._view, resolver, ecs=steer.ecs)
        self._ready: Ready = lookup.steering.ready(steer, self._subject.number, rtype)
        self._names: PoolNames = self._generation.pools.names()
        self._place = self._location()

    def explain(self) -> Explanation:
        query, subject, ready = self._query, self._subject, self._ready
        message_id = query.packet[0] << 8 | query.packet[1]
        decision = ready.decision
        chosen = pick(decision, self._steer.salt, subject.value ^ message_id << 32)
        chain = self._generation.chain(self._view, subject.number)
        pool = decision.pool or (chain[0].pool if chain else None)
        about = self._generation.geo.about()
        return self._told(
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
            database=f"{about['name']} {about['build_date'][:7]}",
            pool=self._names.pools[pool.number] if pool else "",
            order=self._names.orders[pool.number] if pool else "",
            candidates=tuple(self._considered(chain, decision.failing_open)),
            notes=tuple(self._notes(subject)),
        )

    def _told(self, **fields: Any) -> Explanation:
        return Explanation(**fields, lines=tuple(lines_of(fields)))

    def _subject_text(self) -> str:
        if not self._subject.by_ecs:
            return self._resolver
        return _subnet_text(self._query)

    def _location(self) -> Location | None:
        """The place of whom we steer by; None where the database knows none."""
        intervals = self._generation.geo.intervals
        if not self._subject.by_ecs:
            address = ip_address(self._resolver.partition("%")[0])
            value, version = int(address), address.version
        else:
            value = int.from_bytes(self._query.subnet, "big")
            version = 4 if self._query.family == 1 else 6
            value <<= (32 if version == 4 else 128) - 8 * len(self._query.subnet)
        if version == 6 and (folded := fold(value, 128)) is not None:
            value, version = folded[0], 4
        found, _ = intervals.find4(value) if version == 4 else intervals.find6(value >> 64)
        return self._generation.geo.location(found) if found > 1 else None

    def _considered(self, chain: Chain, failing_open: bool) -> Iterator[Considered]:
        shown = 0
        decided = False
        for link in chain:
            for tier, members in enumerate(link.tiers()):
                found = list(self._tier(link, tier, members, decided, failing_open))
                yield from found[: CANDIDATES_MAX - shown]
                shown += len(found)
                decided = decided or any(considered.mark == "+" for considered in found)
                if shown >= CANDIDATES_MAX:
                    return

    def _tier(
        self, link: Link, tier: int, members: list[Member], decided: bool, ignore: bool
    ) -> Iterator[Considered]:
        for member in members:
            for target in member.targets(self._family):
                usable = is_usable(self._word(target), ignore=ignore)
                mark = "-" if not usable else "." if decided else "+"
                yield self._target(link, tier, member, target, mark)

    def _target(
        self, link: Link, tier: int, member: Member, target: Target, mark: str
    ) -> Considered:
        word = self._status.word(target.slot, target.tag)
        note = self._status.note(target.slot)
        mine = self._status.words[target.slot] >> 32 == target.tag
        since_ms = note.since_ms if mine else 0
        return Considered(
            node=self._names.nodes[member.node],
            address=target_text(target.address, self._family),
            pool=self._names.pools[link.pool.number],
            tier=tier,
            mark=mark,
            state=_state(word.verdict, word.override),
            distance_km=self._distance_km(member),
            since_s=round((self._now_ms - since_ms) / 1000, 1) if since_ms else None,
            reason=self._reason(link, note.reason if mine else ""),
        )

    def _reason(self, link: Link, reason: str) -> str:
        monitor = self._names.monitors[link.pool.number]
        if monitor is None:
            return "no monitor"
        return f"{monitor}: {reason}" if reason else f"{monitor}: not probed yet"

    def _word(self, target: Target) -> int:
        return self._status.word(target.slot, target.tag).pack()

    def _distance_km(self, member: Member) -> float | None:
        if self._place is None:
            return None
        here = (self._place.latitude, self._place.longitude)
        return round(great_circle_km(*here, *self._names.points[member.node]), 1)

    def _notes(self, subject: Subject) -> Iterator[str]:
        if self._ready.decision.failing_open:
            yield "failing open: no node of the pool is healthy"
        if self._ready.decision.pool is None:
            yield "nothing left to answer with: NODATA"
        if self._ready.ttl != self._steer.ttl:
            yield f"ttl {self._ready.ttl} not {self._steer.ttl}: health is unsettled"
        if self._place is None:
            yield "location unknown: spread by weight"
        if subject.by_ecs:
            yield f"scope /{subject.scope}: the widest prefix with this class"
        elif subject.scope:
            yield f"scope /{subject.scope}: a special-purpose block; steered by resolver"
        else:
            yield "scope /0: steered by resolver"


def _state(verdict: Verdict, override: Override) -> str:
    if override is not Override.NONE:
        return f"{override.name.lower()} by override"
    return verdict.name.lower()


def _addresses(chosen: list[Candidate], family: int) -> Iterator[str]:
    return (target_text(a, family) for candidate in chosen for a in candidate.addresses)


def target_text(address: bytes, family: int) -> str:
    """An address or name as a person writes it."""
    return names.to_url(address) if family == NAME else str(ip_address(address))


def _subnet_text(query: Query) -> str:
    size = ECS_FAMILY_BITS[query.family] // 8
    address = ip_address(query.subnet.ljust(size, b"\0"))
    return f"{address}/{query.source_prefix_len}"


def _place_text(place: Location | None) -> str:
    if place is None:
        return "unknown"
    return f"{place.region or 'unknown'} {place.latitude:.2f},{place.longitude:.2f}"

"""The master file of a zone of ours."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from geodns.dns import svcb
from geodns.dns.names import canonical, from_text, from_url, is_subdomain, to_text
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_NS, type_from_text, type_to_text
from geodns.dns.zonefile import Record, Soa, emit
from geodns.dns.zonefile.records import canonical_order
from geodns.document.zones import HOSTMASTER, contact_name
from geodns.errors import NotFound, Reason
from geodns.model.config import Config
from geodns.model.zone import Zone

REFRESH_S, RETRY_S, EXPIRE_S = 14_400, 3600, 1_209_600
"""The SOA's timers as they are served. Source: the least that Zonemaster accepts without a
notice (4 h and 1 h); expire as RIPE-203."""


def zone_to_text(config: Config, zone_id: str, serial: int | None = None) -> str:
    """The zone's master file. ``config`` has passed `check`.

    Shape:  steered names are comments; ``serial`` is 1 where none was ever published.
    Errors: NotFound.
    """
    zone = config.zones.get(zone_id)
    if zone is None:
        raise NotFound([Reason("", "not_found", f"No zone {zone_id}.", zone_id)])
    origin = from_url(zone_id)
    records = list(_records(config, zone_id, zone, origin))
    soa = Soa(
        from_text(zone.name_servers()[0].name),
        zone_rname(zone, origin),
        1 if serial is None else serial,
        *(REFRESH_S, RETRY_S, EXPIRE_S, zone.negative_ttl),
    )
    comments = [*_steer_comments(config, zone_id, origin), *_hint_comments(records, origin)]
    return emit(origin, records, soa, zone.ttl, comments)


def _records(config: Config, zone_id: str, zone: Zone, origin: bytes) -> Iterator[Record]:
    taken = set()
    for (home, owner, type_text), rrset in config.rrsets.items():
        if home == zone_id:
            name, rtype = from_url(owner, origin), type_from_text(type_text)
            taken.add((name, rtype))
            for value in rrset.values:
                yield Record(name, rtype, rrset.ttl, rdata_from_text(rtype, value, origin))
    for server in zone.name_servers():
        target = from_text(server.name)
        yield Record(origin, TYPE_NS, None, target)
        for text in server.addresses if is_subdomain(target, origin) else ():
            address = ip_address(text)
            rtype = TYPE_A if address.version == 4 else TYPE_AAAA
            if (canonical(target), rtype) not in taken:
                yield Record(canonical(target), rtype, None, address.packed)


def zone_rname(zone: Zone, origin: bytes) -> bytes:
    """The SOA's mailbox: hostmaster where nobody is named (RFC 2142 section 7)."""
    return HOSTMASTER + origin if zone.contact is None else contact_name(zone.contact)


def _steer_comments(config: Config, zone_id: str, origin: bytes) -> list[str]:
    steers = {
        from_url(owner, origin): steer
        for (home, owner), steer in config.steers.items()
        if home == zone_id
    }
    return [
        f"{to_text(owner, origin)} is steered by pool {steers[owner].pool}"
        for owner in sorted(steers, key=canonical_order)
    ]


def _hint_comments(records: list[Record], origin: bytes) -> list[str]:
    return [
        f"{to_text(record.owner, origin)} {type_to_text(record.rtype)} has hints that follow "
        "its steer, which no other server reads"
        for record in records
        if record.rtype in svcb.HINTED_TYPES and svcb.auto_hints(record.rdata)
    ]

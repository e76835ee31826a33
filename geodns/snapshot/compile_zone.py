"""One zone into one section: its owners, their RRsets, and a hash table to find them by.

Columns: see FORMAT.md. Names are canonical, uncompressed wire form; so is rdata, but for its case.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from zlib import crc32

from geodns.dns import names
from geodns.dns.rdata import rdata_from_text, soa_rdata
from geodns.dns.rrtypes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_DNAME,
    TYPE_NS,
    TYPE_SOA,
    type_from_text,
)
from geodns.document.zonefile.export import EXPIRE_S, REFRESH_S, RETRY_S, zone_rname
from geodns.model.zone import Zone
from geodns.snapshot.layout import (
    CUT,
    NO_STEER,
    REDIRECT,
    STEER_ECS,
    WILDCARD_CHILD,
    ZONE_BARRIERS,
    ZONE_WHOAMI,
)
from geodns.snapshot.section import Kind, encode
from geodns.snapshot.steerings import ZoneContents, key_of


@dataclass(slots=True)
class _RRset:
    rtype: int
    ttl: int
    rdata: list[bytes] = field(default_factory=list)
    steer: int = NO_STEER


Owners = dict[bytes, dict[int, _RRset]]


def compile_zone(zone: Zone, contents: ZoneContents, zone_id: str, serial: int) -> bytes:
    """The section of one zone. Its Config has passed `geodns.document.check`."""
    apex = names.from_url(zone_id)
    owners = _owners(zone, contents, apex, serial)
    for number, (owner, steer, steering) in enumerate(contents.steers):
        entry = owners.setdefault(names.from_url(owner, apex), {})
        for rtype in steering.types:
            entry[rtype] = _RRset(rtype, steer.ttl, steer=number)
    _add_empty_non_terminals(owners, apex)
    return encode(
        Kind.ZONE,
        {
            "apex": apex,
            "serial": array("I", [serial]),
            "zone_flags": array("I", [_zone_flags(zone, owners, apex)]),
            **_owner_columns(owners, apex),
            **_rrset_columns(owners),
            **_steer_columns(zone, contents, zone_id),
        },
    )


def _zone_flags(zone: Zone, owners: Owners, apex: bytes) -> int:
    barriers = any(
        TYPE_DNAME in rrsets or (TYPE_NS in rrsets and name != apex)
        for name, rrsets in owners.items()
    )
    return (ZONE_BARRIERS if barriers else 0) | (ZONE_WHOAMI if zone.whoami else 0)


def _owners(zone: Zone, contents: ZoneContents, apex: bytes, serial: int) -> Owners:
    owners: Owners = {
        apex: {TYPE_SOA: _RRset(TYPE_SOA, zone.ttl, [_soa(zone, apex, serial)])},
    }
    for owner, rtype, ttl, rdata in _records(zone, contents, apex):
        rrset = owners.setdefault(owner, {}).setdefault(rtype, _RRset(rtype, ttl))
        if rdata not in rrset.rdata:
            rrset.rdata.append(rdata)
    return owners


def _records(
    zone: Zone, contents: ZoneContents, apex: bytes
) -> Iterator[tuple[bytes, int, int, bytes]]:
    taken = set()
    for owner, type_text, rrset in contents.rrsets:
        rtype = type_from_text(type_text)
        name = names.canonical(names.from_url(owner, apex))
        taken.add((name, rtype))
        for value in rrset.values:
            ttl = zone.ttl if rrset.ttl is None else rrset.ttl
            yield name, rtype, ttl, rdata_from_text(rtype, value, apex)
    for server in zone.name_servers():
        target = names.from_text(server.name)
        yield apex, TYPE_NS, zone.ttl, target
        name = names.canonical(target)
        for text in server.addresses:
            address = ip_address(text)
            rtype = TYPE_A if address.version == 4 else TYPE_AAAA
            # What the operator wrote as an RRset of its own wins over the glue.
            if names.is_subdomain(name, apex) and (name, rtype) not in taken:
                yield name, rtype, zone.ttl, address.packed


def _soa(zone: Zone, apex: bytes, serial: int) -> bytes:
    rname = zone_rname(zone, apex)
    mname = names.from_text(zone.name_servers()[0].name)
    return soa_rdata(mname, rname, serial, REFRESH_S, RETRY_S, EXPIRE_S, zone.negative_ttl)


def _add_empty_non_terminals(owners: Owners, apex: bytes) -> None:
    """Names that exist because something below them does (RFC 8020 section 2)."""
    for name in list(owners):
        while name != apex:
            name = names.parent(name)
            owners.setdefault(name, {})


def _owner_columns(owners: Owners, apex: bytes) -> dict[str, array[int] | bytes]:
    name_at, rrset_at = array("I", [0]), array("I", [0])
    flags = bytearray()
    for name, rrsets in owners.items():
        name_at.append(name_at[-1] + len(name))
        rrset_at.append(rrset_at[-1] + len(rrsets))
        cut = CUT if TYPE_NS in rrsets and name != apex else 0
        wildcard = WILDCARD_CHILD if b"\x01*" + name in owners else 0
        flags.append(cut | wildcard | (REDIRECT if TYPE_DNAME in rrsets else 0))
    return {
        "bucket": _buckets(list(owners)),
        "name_at": name_at,
        "name_octets": b"".join(owners),
        "flags": bytes(flags),
        "rrset_at": rrset_at,
    }


def _buckets(owners: list[bytes]) -> array[int]:
    """Open addressing by CRC-32, at most half full; an item is an owner's number plus one."""
    size = 1 << (2 * len(owners)).bit_length()
    buckets = array("I", bytes(4 * size))
    for number, name in enumerate(owners, 1):
        at = crc32(name) & size - 1
        while buckets[at]:
            at = at + 1 & size - 1
        buckets[at] = number
    return buckets


def _rrset_columns(owners: Owners) -> dict[str, array[int] | bytes]:
    rtype, ttl, steer = array("H"), array("I"), array("I")
    rdata_at, rdata_end, octets = array("I", [0]), array("I", [0]), bytearray()
    for rrsets in owners.values():
        for rrset in rrsets.values():
            rtype.append(rrset.rtype)
            ttl.append(rrset.ttl)
            steer.append(rrset.steer)
            for rdata in rrset.rdata:
                octets += rdata
                rdata_end.append(len(octets))
            rdata_at.append(len(rdata_end) - 1)
    return {
        "rtype": rtype,
        "ttl": ttl,
        "steer": steer,
        "rdata_at": rdata_at,
        "rdata_end": rdata_end,
        "rdata_octets": bytes(octets),
    }


def _steer_columns(zone: Zone, contents: ZoneContents, zone_id: str) -> dict[str, array[int]]:
    steers = [steer for _, steer, _ in contents.steers]
    return {
        "view": array("Q", [steering.key for _, _, steering in contents.steers]),
        "steer_ttl_min": array("I", [min(steer.ttl_min, steer.ttl) for steer in steers]),
        "steer_flags": array("I", [STEER_ECS if zone.ecs and each.ecs else 0 for each in steers]),
        "salt": array("Q", [key_of(f"{owner}/{zone_id}") for owner, _, _ in contents.steers]),
    }

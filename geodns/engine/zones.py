"""Zones read in place: from a name to its owner and RRsets."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from zlib import crc32

from geodns.dns import names
from geodns.dns.rrtypes import TYPE_SOA
from geodns.dns.svcb import HINTED_TYPES, auto_hints
from geodns.errors import ConfigError
from geodns.snapshot.layout import (
    CUT,
    NO_STEER,
    REDIRECT,
    STEER_ECS,
    ZONE_BARRIERS,
    ZONE_WHOAMI,
)
from geodns.snapshot.section import Section
from geodns.steering.mix import SHED, SPLIT, STICKY, mix

QNAME_POINTER = b"\xc0\x0c"
"""A compressed name that is the question's (RFC 1035 section 4.1.4)."""

OWNERS_MAX = 4096
"""Owners of a zone kept as read. Source: some 1 kB each; enclosers and hot names are few."""

_RECORD = Struct(">HHIH").pack


@dataclass(slots=True)
class RRset:
    """Static records of one type, or the sign that they are steered (``steer`` set)."""

    rtype: int
    ttl: int
    rdata: tuple[bytes, ...]
    steer: int | None = None
    answer: bytes = b""
    hinted: bool = False

    def __post_init__(self) -> None:
        self.answer = self.records(QNAME_POINTER)
        self.hinted = self.rtype in HINTED_TYPES and any(map(auto_hints, self.rdata))

    def records(self, owner: bytes) -> bytes:
        """The records on the wire, all with one written owner name."""
        return b"".join(record(owner, self.rtype, self.ttl, rdata) for rdata in self.rdata)


def record(owner: bytes, rtype: int, ttl: int, rdata: bytes) -> bytes:
    """One resource record of class IN (RFC 1035 section 4.1.3)."""
    return owner + _RECORD(rtype, 1, ttl, len(rdata)) + rdata


@dataclass(frozen=True, slots=True)
class Owner:
    """A name that exists in a zone; without RRsets it is an empty non-terminal."""

    name: bytes
    flags: int
    rrsets: dict[int, RRset]


@dataclass(slots=True)
class SteerTable:
    """How a steered name is steered. Units: seconds.

    Shape: ``salt`` keys the name's draws; from it come those of its own for arms, for each user's
    nodes, and for whom load sends away.
    """

    name: bytes
    view: int
    ttl: int
    ttl_min: int
    ecs: bool
    salt: int
    split_salt: int = field(init=False)
    sticky_salt: int = field(init=False)
    shed_salt: int = field(init=False)

    def __post_init__(self) -> None:
        self.split_salt = mix(self.salt, SPLIT)
        self.sticky_salt = mix(self.salt, STICKY)
        self.shed_salt = mix(self.salt, SHED)


class ZoneTable:
    """One zone's section, searched in place.

    Errors: ConfigError when the section contradicts itself.
    """

    def __init__(self, section: Section) -> None:
        self.apex = section.octets("apex")
        self._bucket = section.column("bucket")
        self._name_at = section.column("name_at")
        self._octets = section.column("name_octets")
        self._flags = section.column("flags")
        self._rrset_at = section.column("rrset_at")
        self._rtype = section.column("rtype")
        self._ttl = section.column("ttl")
        self._steer = section.column("steer")
        self._rdata_at = section.column("rdata_at")
        self._rdata_end = section.column("rdata_end")
        self._rdata = section.column("rdata_octets")
        self.views = section.column("view")
        self._steer_ttl_min = section.column("steer_ttl_min")
        self._steer_flags = section.column("steer_flags")
        self._salt = section.column("salt")
        self.serial = section.column("serial")[0]
        flags = section.column("zone_flags")[0]
        self.has_barriers = bool(flags & ZONE_BARRIERS)
        self.whoami = bool(flags & ZONE_WHOAMI)
        self._owners: dict[int, Owner] = {}
        self.steers: dict[int, SteerTable] = {}
        soa = self._soa()
        # RFC 2308 section 5: a negative answer lives for the lesser of both.
        minimum = int.from_bytes(soa.rdata[0][-4:], "big")
        self.negative_ttl = min(soa.ttl, minimum)
        self._soa_rdata = soa.rdata[0]

    def _soa(self) -> RRset:
        apex = self.owner(self.apex)
        if apex is None or TYPE_SOA not in apex.rrsets:
            raise ConfigError(f"Zone {names.to_url(self.apex)} has no SOA in its section.")
        return apex.rrsets[TYPE_SOA]

    def negative_soa(self, owner: bytes) -> bytes:
        """The SOA record of a negative answer, its owner as written by the caller."""
        return record(owner, TYPE_SOA, self.negative_ttl, self._soa_rdata)

    def owner(self, name: bytes) -> Owner | None:
        """The owner of a canonical name, read from the section; None if it does not exist."""
        mask = len(self._bucket) - 1
        at = crc32(name) & mask
        size = len(name)
        # At most half of the buckets are taken, so the walk ends; the bound is for spoilt files.
        for _ in range(mask + 1):
            number = self._bucket[at]
            if not number:
                return None
            start = self._name_at[number - 1]
            if self._name_at[number] - start == size and self._octets[start : start + size] == name:
                return self._owners.get(number) or self._read(number, name)
            at = at + 1 & mask
        return None

    def _read(self, number: int, name: bytes) -> Owner:
        """Make an owner from the section, and keep it: enclosers are asked for often."""
        rrsets = {}
        for at in range(self._rrset_at[number - 1], self._rrset_at[number]):
            rtype, steer = self._rtype[at], self._steer[at]
            if steer != NO_STEER and steer not in self.steers:
                self.steers[steer] = self._read_steer(steer, name, self._ttl[at])
            rdata = tuple(
                bytes(self._rdata[self._rdata_end[item] : self._rdata_end[item + 1]])
                for item in range(self._rdata_at[at], self._rdata_at[at + 1])
            )
            rrsets[rtype] = RRset(rtype, self._ttl[at], rdata, None if steer == NO_STEER else steer)
        if len(self._owners) >= OWNERS_MAX:
            self._owners.clear()
        owner = self._owners[number] = Owner(name, self._flags[number - 1], rrsets)
        return owner

    def _read_steer(self, number: int, name: bytes, ttl: int) -> SteerTable:
        return SteerTable(
            name,
            self.views[number],
            ttl,
            self._steer_ttl_min[number],
            bool(self._steer_flags[number] & STEER_ECS),
            self._salt[number],
        )

    def closest_encloser(self, name: bytes) -> Owner:
        """The longest existing ancestor of a name in this zone (RFC 4592 section 3.3.1)."""
        while name != self.apex:
            name = name[name[0] + 1 :]
            owner = self.owner(name)
            if owner is not None:
                return owner
        raise ConfigError(f"Zone {names.to_url(self.apex)} has no apex in its section.")

    def barrier_above(self, name: bytes) -> Owner | None:
        """The owner that keeps ``name`` from being answered here, the topmost of several.

        Shape: a cut at the name or above it, or a DNAME above it. What lies below one in the
        zone is occluded (RFC 6672 section 2.4, RFC 2181 section 6).
        """
        barrier = None
        kinds = CUT
        while True:
            owner = self.owner(name)
            if owner is not None and owner.flags & kinds:
                barrier = owner
            if name == self.apex:
                return barrier
            kinds = CUT | REDIRECT
            name = name[name[0] + 1 :]

"""Where an address is: networks, special-purpose blocks, and a list of networks with places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from math import asin, cos, radians, sin, sqrt
from typing import Any, TypeVar

RADIUS_KM = 6371.0088
WIDTH = {4: 32, 6: 64}
"""Bits that tables know of an address: all of IPv4, the upper half of IPv6."""

_SPECIAL4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
    198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
"""
_SPECIAL6 = """
    ::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:db8::/32 2620:4f:8000::/48
    3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""
"""Source: the IANA special-purpose address registries, and multicast."""
SPECIAL4, SPECIAL6 = _SPECIAL4.split(), _SPECIAL6.split()
TRANSITION = {"::ffff:0:0/96": 96, "64:ff9b::/96": 96, "2002::/16": 16}
"""Where the bits of the embedded IPv4 address start. Source: RFC 4291, RFC 6052, RFC 3056."""
TEREDO = "2001::/32"

Point = tuple[float, float]
Thing = TypeVar("Thing")
Prefix = tuple[int, int, int]
"""Family, first value, length; of IPv6 the upper 64 bits, as far as they go."""


@dataclass(frozen=True)
class Place:
    """What a geo database says. Units: degrees."""

    continent: str
    country: str
    subdivision: str
    point: Point
    coarse: bool = False


@dataclass(frozen=True)
class Spot:
    """An address's place; ``kind`` is place, unknown or special."""

    kind: str
    place: Place | None = None


UNKNOWN, SPECIAL = Spot("unknown"), Spot("special")


@cache
def prefix_of(text: str) -> Prefix:
    """A subnet as numbers."""
    network = ip_network(text)
    low = int(network.network_address)
    return (
        (4, low, network.prefixlen) if network.version == 4 else (6, low >> 64, network.prefixlen)
    )


def holds(text: str, family: int, value: int) -> bool:
    """Whether a subnet holds a value."""
    own, low, length = prefix_of(text)
    drop = max(0, WIDTH[own] - length)
    return own == family and value >> drop == low >> drop


def longest(found: Sequence[tuple[str, Thing]], family: int, value: int) -> Thing | None:
    """What the longest subnet says that holds a value."""
    best, told = -1, None
    for text, thing in found:
        if holds(text, family, value) and prefix_of(text)[2] > best:
            best, told = prefix_of(text)[2], thing
    return told


def km(a: Point, b: Point) -> float:
    """Haversine."""
    north_a, north_b, east = radians(a[0]), radians(b[0]), radians(b[1] - a[1])
    half = sin((north_b - north_a) / 2) ** 2 + cos(north_a) * cos(north_b) * sin(east / 2) ** 2
    return 2 * RADIUS_KM * asin(min(1.0, sqrt(half)))


class Geography:
    """Networks with places, networks with AS numbers, and the document's own networks.

    Shape: of nested networks the longest counts. Those of ``geo`` are not longer than /24, /48.
    """

    def __init__(
        self,
        geo: Sequence[tuple[str, Place]],
        asns: Sequence[tuple[str, int]],
        networks: Mapping[str, Any],
    ) -> None:
        self.geo = geo
        self.asns = asns
        self.networks = [
            (subnet, self._painted((body["location"]["lat"], body["location"]["lon"])))
            for body in networks.values()
            for subnet in body["subnets"]
        ]
        blocks6 = [ip_network(text) for text in (*SPECIAL6, *TRANSITION, TEREDO)]
        whole6 = [str(n.supernet(new_prefix=48)) if n.prefixlen > 48 else str(n) for n in blocks6]
        self.special = [*SPECIAL4, *whole6]

    def _painted(self, point: Point) -> Spot:
        """A network lies in the country of the nearest place of a known one, not a coarse one."""
        known = [place for _, place in self.geo if place.country and not place.coarse]
        if not known:
            return Spot("place", Place("", "", "", point))
        near = min(known, key=lambda place: km(point, place.point))
        return Spot("place", Place(near.continent, near.country, near.subdivision, point))

    def spot(self, family: int, value: int) -> Spot:
        """Where a value is."""
        painted = longest(self.networks, family, value)
        if painted is not None:
            return painted
        if any(holds(block, family, value) for block in self.special):
            return SPECIAL
        place = longest(self.geo, family, value)
        return UNKNOWN if place is None else Spot("place", place)

    def asn(self, family: int, value: int) -> int:
        """The autonomous system of a value; 0 if none is known."""
        return longest(self.asns, family, value) or 0

    def subnets(self) -> Iterator[str]:
        """All subnets at whose edges anything changes."""
        for listed in (self.geo, self.asns, self.networks):
            yield from (text for text, _ in listed)
        yield from self.special


def special_block_len(family: int, address: int) -> int:
    """Length of the special-purpose block around a whole address; 0 if it is in none.

    In the transition ranges it is the embedded address's, in IPv6 bits; of Teredo all bits. The
    rest of 2001::/23 is as many blocks as leave Teredo out.
    """
    if family == 4:
        lengths = [prefix_of(text)[2] for text in SPECIAL4 if holds(text, 4, address)]
        return max(lengths, default=0)
    if address in _range(TEREDO):
        return 128
    for text, offset in TRANSITION.items():
        if address in _range(text):
            inner = special_block_len(4, address >> 96 - offset & 0xFFFF_FFFF)
            return offset + inner if inner else 0
    if address in _range("2001::/23"):
        return 129 - (address ^ int(ip_address("2001::"))).bit_length()
    blocks = (ip_network(text) for text in SPECIAL6)
    return max((n.prefixlen for n in blocks if address in _range(str(n))), default=0)


def length_beside_embedded(address: int) -> int:
    """Length of the widest prefix of an IPv6 address that holds no mapped or NAT64 address.

    Tables know whole /48, and these embed addresses in a part of one.
    """
    embedding = [ip_network("::ffff:0:0/96"), ip_network("64:ff9b::/96")]
    for length in range(129):
        around = ip_network((address, length), strict=False)
        if not any(around.overlaps(each) for each in embedding):
            return length
    return 128


def folded(address: int, source: int) -> tuple[int, int] | None:
    """The covered bits of an embedded IPv4 address, the rest zero, and where they start."""
    if address in _range(TEREDO):
        return (~address & 0xFFFF_FFFF, 96) if source == 128 else None
    for text, offset in TRANSITION.items():
        if address in _range(text):
            covered = min(32, source - offset)
            if covered <= 0:
                return None
            drop = 32 - covered
            return (address >> 96 - offset & 0xFFFF_FFFF) >> drop << drop, offset
    return None


@cache
def _range(text: str) -> range:
    network = ip_network(text)
    return range(int(network.network_address), int(network.broadcast_address) + 1)

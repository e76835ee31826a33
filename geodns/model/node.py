"""Node: an edge node, where it stands and what it answers with."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from geodns.model.base import Id, Resource
from geodns.model.rule import Matchers

ADDRESSES_MAX = 16

LOAD_MAX = 1e9
"""Largest load. Source: no reference; whether it is a share or bits per second is the node's."""

LEASE_MIN_S = 3.0
"""Shortest lease of a node. Source: no reference; three heartbeats of a second each."""

_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def _canonical_address(text: str) -> str:
    """An IP address in its canonical text (RFC 5952), without a zone id."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError("an address with a zone id cannot be published")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        # RFC 4291 section 2.5.5.2: how an IPv4 node is shown to programs, no IPv6 node.
        raise ValueError(f"{address} is IPv4 in disguise; write {address.ipv4_mapped}")
    if address.is_multicast or address.is_unspecified or address == _BROADCAST:
        raise ValueError("a multicast, broadcast or unspecified address is no server's")
    if address.is_link_local:
        raise ValueError(f"{address} is link-local: nobody beyond its own link can reach it")
    return str(address)


_V4_PATTERN = (
    r"^(1[0-9]{2}|[1-9][0-9]?|2[01][0-9]|22[0-3]|24[0-9]|25[0-5])"
    r"(\.(1[0-9]{2}|[1-9]?[0-9]|2[0-4][0-9]|25[0-5])){3}$"
)
_V6_PATTERN = r"^(?![fF][fF]|[fF][eE][89aAbB]).*[1-9A-Fa-f]"
"""Neither multicast, link-local nor unspecified: as much of what `_canonical_address` refuses as a
pattern can say."""

Address = Annotated[
    str,
    AfterValidator(_canonical_address),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "ipv4", "pattern": _V4_PATTERN},
                {"type": "string", "format": "ipv6", "pattern": _V6_PATTERN},
            ]
        }
    ),
]


class Location(Resource):
    """A point on earth. Units: degrees, WGS 84, latitude before longitude."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


At = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""A place by name: the IATA code of an airport or city, or a city."""


class Shed(Resource):
    """The reported load from which users are sent away, and at which all of them are."""

    lo: float = Field(ge=0, le=LOAD_MAX)
    hi: float = Field(ge=0, le=LOAD_MAX)


class Node(Resource):
    """An edge node: addresses, or the name of a service elsewhere (``cname``).

    It stands where ``at`` or ``location`` say, else where its first address was found to be.
    Whom it ``refuses`` or, if that is given, does not ``serve`` never gets it. With ``lease_s``
    it is down when nothing has been heard of it for so long.
    """

    addresses: tuple[Address, ...] = Field(default=(), max_length=ADDRESSES_MAX)
    cname: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    at: At | None = None
    location: Location | None = None
    bias: int = Field(default=0, ge=-99, le=99)
    serves: Matchers | None = None
    refuses: Matchers | None = None
    shed: Shed | None = None
    weight: int = Field(default=100, ge=0, le=1000)
    labels: dict[Id, Annotated[str, Field(max_length=63)]] = Field(default={}, max_length=64)
    probe_address: Address | None = None
    lease_s: float | None = Field(default=None, ge=LEASE_MIN_S, le=86_400)

"""Subnets in rules and networks: canonical text, and the integers that tables are made of."""

from __future__ import annotations

import socket
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from geodns.model.base import refused

V6_LENGTH_MAX = 64
"""Longest IPv6 subnet. Source: the tables know the upper 64 bits of an address; below them are
interface identifiers (RFC 4291 section 2.5.4)."""

WIDTHS = {4: 32, 6: 64}
"""How many bits of an address the tables know, by family."""

_SOCKET_FAMILIES = {4: (socket.AF_INET, 32), 6: (socket.AF_INET6, 128)}


class Prefix(NamedTuple):
    """A subnet as integers.

    Shape: ``low`` is its first address, of 32 bits in family 4; in family 6 the upper 64 bits.
    """

    family: int
    low: int
    length: int

    @property
    def size(self) -> int:
        """How many values of its family's width it holds."""
        return 1 << (WIDTHS[self.family] - self.length)


def prefix_of(subnet: str) -> Prefix:
    """The integers of a subnet that was read as `Subnet`."""
    family = 6 if ":" in subnet else 4
    address, _, length = subnet.partition("/")
    octets = socket.inet_pton(_SOCKET_FAMILIES[family][0], address)
    return Prefix(family, int.from_bytes(octets[:8], "big"), int(length))


def _canonical(text: str) -> str:
    """A subnet in its canonical text, its length always written."""
    family = 6 if ":" in text else 4
    kind, bits = _SOCKET_FAMILIES[family]
    address, slash, digits = text.partition("/")
    try:
        octets = socket.inet_pton(kind, address)
    except (OSError, ValueError, UnicodeError):
        raise refused(f"{text[:60]!r} is no subnet like 192.0.2.0/24 or 2001:db8::/32") from None
    shown = socket.inet_ntop(kind, octets)
    if not slash or not (digits.isascii() and digits.isdecimal() and len(digits) <= 3):
        full = min(bits, WIDTHS[family])
        raise refused(f"{text[:60]!r} has no prefix length", f"Write {shown}/{full} or shorter.")
    length = int(digits)
    _check_length(shown, family, length)
    host = int.from_bytes(octets, "big") & ((1 << (bits - length)) - 1)
    if host:
        network = (int.from_bytes(octets, "big") ^ host).to_bytes(bits // 8, "big")
        right = f"{socket.inet_ntop(kind, network)}/{length}"
        raise refused(f"{shown}/{length} has bits beyond its length", f"Did you mean {right}?")
    return f"{shown}/{length}"


def _check_length(shown: str, family: int, length: int) -> None:
    longest = WIDTHS[family]
    if length == 0:
        raise refused(
            f"{shown}/0 is everybody", "That is what the catch-all, pool or split, is for."
        )
    if length > longest:
        why = ": only the upper 64 bits of an IPv6 address are steered by" if family == 6 else ""
        raise refused(f"{shown}/{length} is longer than /{longest}{why}")


_OCTET = r"(1[0-9]{2}|[1-9]?[0-9]|2[0-4][0-9]|25[0-5])"

_PATTERN = (
    rf"^({_OCTET}(\.{_OCTET}){{3}}/([1-9]|[12][0-9]|3[0-2])"
    r"|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/([1-9]|[1-5][0-9]|6[0-4]))$"
)
"""As much of the form as a pattern can say."""

Subnet = Annotated[
    str, AfterValidator(_canonical), WithJsonSchema({"type": "string", "pattern": _PATTERN})
]
"""A subnet in CIDR notation: IPv4 of /1 to /32, IPv6 of /1 to /64, no bits beyond its length."""

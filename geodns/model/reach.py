"""Which addresses may be probed: pure rules, whatever an address is spelled or wrapped like.

An admin of this server can make it connect to addresses of their choosing. Link-local addresses
and the metadata services of clouds hand out credentials to whoever connects from a machine, so
they are never connected to. Loopback and private addresses are where edge nodes often stand:
allowed, and pointed out.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and others
        "fd00:ec2::254",  # AWS over IPv6
        "fd20:ce::254",  # Google over IPv6
        "fd00:42::42",  # Scaleway over IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle's older service
    )
)
"""Source: the providers' documentation."""

_THIS_NETWORK = IPv4Network("0.0.0.0/8")  # RFC 1122 section 3.2.1.3; Linux connects to itself
_BROADCAST = IPv4Address("255.255.255.255")
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, deprecated
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 2765 section 2.1
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214 section 6.1
_LOW_32 = 2**32 - 1


@lru_cache(maxsize=65_536)
def forbidden(text: str) -> str | None:
    """Why an address must not be probed, in words; None if it may be.

    Errors: ValueError when the text is not an address.
    """
    for address in spellings(ip_address(text)):
        why = _why(address)
        if why is not None:
            return f"{text} is {why}" if str(address) == text else f"{text} means {address}: {why}"
    return None


def unusual(text: str) -> str | None:
    """What to point out about an address that may be probed; None if it is a public one.

    Errors: ValueError when the text is not an address.
    """
    for address in spellings(ip_address(text)):
        if address.is_loopback:
            return "a loopback address: every vantage probes itself there"
        if address.is_private and not address.is_unspecified and not _documentation(address):
            return "a private address: only vantages inside that network reach it"
    return None


def spellings(address: Address) -> Iterator[Address]:
    """The address itself, then the IPv4 addresses that translators may take it for."""
    yield address
    if isinstance(address, IPv4Address):
        return
    value = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    wrapped = any(address in net for net in (_TRANSLATED, _NAT64))
    compatible = address in _COMPATIBLE and value > 0xFFFF  # :: and ::1 are what they are
    if wrapped or compatible or (value >> 32) & _LOW_32 in _ISATAP:
        yield IPv4Address(value & _LOW_32)
    if address in _NAT64_LOCAL:
        yield from _translated_locally(value)


def literal(name: str) -> str | None:
    """The address that a name is to a resolver of the C library, as 2852039166 and 0xa9.0xfe.1
    are; None for an ordinary name."""
    bare = name.rstrip(".")
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if not bare or bare[0] not in "0123456789" or not bare.isascii():
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))  # inet_aton(3): decimal, octal, hex
    except OSError:
        return None


def _translated_locally(value: int) -> Iterator[IPv4Address]:
    """RFC 6052 section 2.2 for prefixes of 48, 56, 64 and 96 bits; octet 8 is skipped. Which of
    them is meant cannot be known, so that only what is surely harmful counts."""
    octets = value.to_bytes(16, "big")
    for at in (6, 7, 9, 12):
        taken = IPv4Address(bytes([octets[i] for i in range(at, 16) if i != 8][:4]))
        if taken.is_link_local or taken in METADATA:
            yield taken


def _why(address: Address) -> str | None:
    if address in METADATA:
        return "a cloud's metadata service"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast or address == _BROADCAST:
        return "multicast or broadcast"
    if address.is_unspecified or (address.version == 4 and address in _THIS_NETWORK):
        return "unspecified"
    return None


def _documentation(address: Address) -> bool:
    """Examples in documents are no private network."""
    nets4 = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    if isinstance(address, IPv4Address):
        return any(address in IPv4Network(net) for net in nets4)
    return address in IPv6Network("2001:db8::/32") or address in IPv6Network("3fff::/20")

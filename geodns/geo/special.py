"""Addresses that have no place of their own: special-purpose blocks and IPv4 inside IPv6.

Plain Python and integers, for the packet path. The tables are the IANA IPv4 and IPv6
Special-Purpose Address Registries (RFC 6890, RFC 8190) with their updates, the multicast
blocks, and two ranges that RFC 4291 and RFC 3879 deprecated. Anycast services listed there
are kept although they are routed: an anycast address tells nothing about where it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

SPECIAL4 = (
    "0.0.0.0/8",  # this network, RFC 791 section 3.2
    "10.0.0.0/8",  # private use, RFC 1918
    "100.64.0.0/10",  # shared address space of carrier NAT, RFC 6598
    "127.0.0.0/8",  # loopback, RFC 1122 section 3.2.1.3
    "169.254.0.0/16",  # link local, RFC 3927
    "172.16.0.0/12",  # private use, RFC 1918
    "192.0.0.0/24",  # IETF protocol assignments with all inside, RFC 6890 section 2.1
    "192.0.2.0/24",  # documentation, RFC 5737
    "192.31.196.0/24",  # AS112-v4, RFC 7535
    "192.52.193.0/24",  # AMT, RFC 7450
    "192.88.99.0/24",  # 6to4 relay anycast, deprecated by RFC 7526
    "192.168.0.0/16",  # private use, RFC 1918
    "192.175.48.0/24",  # direct delegation AS112, RFC 7534
    "198.18.0.0/15",  # benchmarking, RFC 2544
    "198.51.100.0/24",  # documentation, RFC 5737
    "203.0.113.0/24",  # documentation, RFC 5737
    "224.0.0.0/4",  # multicast, RFC 5771
    "240.0.0.0/4",  # reserved, and limited broadcast, RFC 1112 section 4, RFC 8190
)
SPECIAL6 = (
    "::/96",  # unspecified, loopback, IPv4-compatible (deprecated), RFC 4291 section 2.5
    "64:ff9b:1::/48",  # IPv4-IPv6 translation, local use, RFC 8215
    "100::/64",  # discard only, RFC 6666
    "100:0:0:1::/64",  # dummy prefix, RFC 9780
    "2001::/23",  # IETF protocol assignments with all inside, RFC 2928
    "2001:db8::/32",  # documentation, RFC 3849
    "2620:4f:8000::/48",  # direct delegation AS112, RFC 7534
    "3fff::/20",  # documentation, RFC 9637
    "5f00::/16",  # segment routing identifiers, RFC 9602
    "fc00::/7",  # unique local, RFC 4193
    "fe80::/10",  # link local, RFC 4291 section 2.5.6
    "fec0::/10",  # site local, deprecated by RFC 3879
    "ff00::/8",  # multicast, RFC 4291 section 2.7
)
MAPPED = "::ffff:0:0/96"  # IPv4-mapped, RFC 4291 section 2.5.5.2
NAT64 = "64:ff9b::/96"  # IPv4-IPv6 translation, RFC 6052
SIX_TO_FOUR = "2002::/16"  # 6to4, RFC 3056
TEREDO = "2001::/32"  # Teredo, RFC 4380
TRANSITION = (MAPPED, NAT64, SIX_TO_FOUR, TEREDO)


def special_prefix_len(value: int, family: int) -> int | None:
    """Length of the special-purpose block around an address; None if it is an ordinary one.

    Shape: ``value`` has 32 bits in family 4, 128 in family 6. Blocks within a special block
           count as the outer one: no answer differs inside it, so the outer length is the
           widest true ECS scope (RFC 7871 section 7.2.1). Teredo is cut out of 2001::/23 for
           the same reason: there answers do differ. In the transition ranges the block is
           that of the embedded IPv4 address, its length counted in IPv6 bits; for Teredo,
           whose client's address only the whole 128 bits tell, it is 128.
    """
    if family == 4:
        return _block_len(value, _TABLE4)
    embedded = _embedded(value)
    if embedded is None:
        return _block_len(value, _TABLE6)
    inner, offset = embedded
    if inner is None:
        return 128
    length = _block_len(inner, _TABLE4)
    return None if length is None else offset + length


def fold(value: int, prefix_len: int) -> tuple[int, int, int] | None:
    """The IPv4 network inside an IPv6 one: its address, its length, and where its bits start.

    Shape: None unless ``prefix_len`` covers at least one embedded bit. The length is the
           number of embedded bits covered, 1 to 32; the address is cut to it. A scope found
           for the IPv4 network is one for the IPv6 network after adding the third item.
           Teredo hides its client behind the server's address and inverts it in the last 32
           bits, so it folds only if all 128 bits are given (RFC 4380 section 4).
    """
    embedded = _embedded(value)
    if embedded is None:
        return None
    inner, offset = embedded
    if inner is None:
        return (~value & _MASK32, 32, 96) if prefix_len >= 128 else None
    covered = min(32, prefix_len - offset)
    return (inner >> (32 - covered) << (32 - covered), covered, offset) if covered > 0 else None


def beside_embedded(value: int) -> int:
    """Length of the widest prefix of an IPv6 address that holds no mapped or NAT64 address.

    For what shares a /48 with them and is in no block itself: it is not told from them by the
    intervals, yet they are steered by the address they embed.
    """
    return max(min(129 - (value ^ prefix).bit_length(), 128) for prefix in _INSIDE_48)


_MASK32 = (1 << 32) - 1
_MAPPED_BITS = int(IPv6Network(MAPPED).network_address) >> 32
_NAT64_BITS = int(IPv6Network(NAT64).network_address) >> 32
_SIX_TO_FOUR_BITS = int(IPv6Network(SIX_TO_FOUR).network_address) >> 112
_TEREDO_BITS = int(IPv6Network(TEREDO).network_address) >> 96

_INSIDE_48 = (_MAPPED_BITS << 32, _NAT64_BITS << 32)


def _embedded(value: int) -> tuple[int | None, int] | None:
    """The embedded IPv4 address and its offset; the address is None for Teredo."""
    if value >> 32 in (_MAPPED_BITS, _NAT64_BITS):
        return value & _MASK32, 96
    if value >> 112 == _SIX_TO_FOUR_BITS:
        return value >> 80 & _MASK32, 16
    if value >> 96 == _TEREDO_BITS:
        return None, 96
    return None


Table = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Disjoint blocks in order: first addresses, last addresses, prefix lengths."""


def _table(networks: Iterable[IPv4Network | IPv6Network]) -> Table:
    ordered = sorted(networks, key=lambda network: int(network.network_address))
    return (
        tuple(int(network.network_address) for network in ordered),
        tuple(int(network.broadcast_address) for network in ordered),
        tuple(network.prefixlen for network in ordered),
    )


def _blocks6() -> list[IPv6Network]:
    """The IPv6 blocks with Teredo, which lies inside one of them, cut out."""
    teredo = IPv6Network(TEREDO)
    blocks: list[IPv6Network] = []
    for block in map(IPv6Network, SPECIAL6):
        blocks += block.address_exclude(teredo) if teredo.subnet_of(block) else [block]
    return blocks


_TABLE4 = _table([IPv4Network(block) for block in SPECIAL4])
_TABLE6 = _table(_blocks6())


def _block_len(value: int, table: Table) -> int | None:
    firsts, lasts, lengths = table
    i = bisect_right(firsts, value) - 1
    return lengths[i] if i >= 0 and value <= lasts[i] else None

"""The keyed 64-bit mix that every choice among nodes draws from.

Both engines must agree on it bit for bit; the test vectors stand in FORMAT.md ("Draws") and in
the unit tests of both.
"""

from __future__ import annotations

MASK = 0xFFFF_FFFF_FFFF_FFFF
GOLDEN = 0x9E37_79B9_7F4A_7C15

SPLIT = int.from_bytes(b"split", "big")
STICKY = int.from_bytes(b"sticky", "big")
SHED = int.from_bytes(b"shed", "big")
"""What a name's salt is mixed with, so that its arms, its nodes and who is sent away by load are
drawn independently of one another."""

DRAW_BITS = {4: 20, 6: 40}
"""Leading bits of an address, by IP version, by which arms are drawn and load sends users away.
Source: as the default of ``sticky_bits``; one is a small network's size, and a million of either
keep shares exact."""


def mix64(x: int) -> int:
    """The finalizer of SplitMix64: a bijection of 64-bit integers that scatters every bit.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    x = (x ^ x >> 30) * 0xBF58_476D_1CE4_E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D0_49BB_1331_11EB & MASK
    return x ^ x >> 31


def scatter(value: int) -> int:
    """What `mix` makes of ``value`` before any key comes in.

    Who mixes one value under many keys scatters it once: mix(key, value) is
    mix64(key ^ scatter(value)).
    """
    x = value + GOLDEN & MASK  # `mix64`, written out: queries wait for it
    x = (x ^ x >> 30) * 0xBF58_476D_1CE4_E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D0_49BB_1331_11EB & MASK
    return x ^ x >> 31


def mix(key: int, value: int) -> int:
    """A 64-bit hash of ``value`` under ``key``; unrelated for different keys.

    Units: both are taken modulo 2**64. Not cryptographic: it spreads load, it keeps no secret.
    """
    x = value + GOLDEN & MASK  # `mix64` twice, written out as well
    x = (x ^ x >> 30) * 0xBF58_476D_1CE4_E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D0_49BB_1331_11EB & MASK
    x = (x ^ x >> 31 ^ key) & MASK
    x = (x ^ x >> 30) * 0xBF58_476D_1CE4_E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D0_49BB_1331_11EB & MASK
    return x ^ x >> 31

"""Weighted rendezvous: each user has a favourite among candidates, by weight and for good.

A candidate's cost is -log2 of its hash, divided by its weight; the least wins. Then each wins its
exact share of users, and one that goes or changes its weight moves nobody else. Integers only, for
both engines must agree bit for bit. Source: Schindelhauer, Schomaker, "Weighted distributed hash
tables", 2005; Thaler, Ravishankar, "A name-based mapping scheme for rendezvous", 1996.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from itertools import pairwise

from geodns.steering.mix import MASK, mix64


def _logarithms() -> list[int]:
    """log2(1 + i/256) x 2**32 for i from 0 to 256, rounded down; by squaring, bit after bit."""
    table = []
    for i in range(256):
        x, bits = (256 + i) << 55, 0
        for _ in range(32):
            x = x * x >> 63
            bits = bits << 1 | x >> 64
            x >>= x >> 64
        table.append(bits)
    return [*table, 1 << 32]


LOGARITHMS = _logarithms()
_STEPS = [above - below for below, above in pairwise(LOGARITHMS)]


def neg_log2(h: int) -> int:
    """-log2((h | 1) / 2**64) x 2**32, between the table's entries in a straight line.

    Shape: ``h`` has 64 bits. At least 1, at most 64 x 2**32, and never more for a greater h.
    """
    h |= 1
    width = h.bit_length()
    h = h << 65 - width & MASK  # what follows the leading bit
    at = h >> 56
    return (65 - width << 32) - LOGARITHMS[at] - (_STEPS[at] * (h >> 24 & 0xFFFF_FFFF) >> 32)


def winner(base: int, keys: Sequence[int], weights: Sequence[int] | None) -> int:
    """The position of the candidate with the least cost, equal costs by the greater hash, equal
    hashes by position.

    Shape: ``base`` is `mix` of the draw's key and the user; weights are positive, None says that
    they are equal: then the greatest hash wins, and no logarithm is needed.
    """
    hashes = _hashes(base, keys)
    best = hashes.index(max(hashes))
    if weights is None or weights[best] == max(weights):  # nobody is cheaper, or weighs more
        return best
    h, least, by = hashes[best], neg_log2(hashes[best]), weights[best]
    for at, other in enumerate(hashes):
        cost = neg_log2(other)
        here, there = cost * by, least * weights[at]
        if here < there or (here == there and other > h):
            best, h, least, by = at, other, cost, weights[at]
    return best


def ranked(base: int, keys: Sequence[int], weights: Sequence[int]) -> list[int]:
    """The positions of all candidates, as `winner` would take them one after the other."""
    hashes = _hashes(base, keys)
    costs = [neg_log2(h) for h in hashes]

    def compare(a: int, b: int) -> int:
        return costs[a] * weights[b] - costs[b] * weights[a] or hashes[b] - hashes[a]

    return sorted(range(len(hashes)), key=cmp_to_key(compare))


def _hashes(base: int, keys: Sequence[int]) -> list[int]:
    """`mix64` of each key under ``base``, written out: a call for each would cost most of it."""
    hashes = []
    for key in keys:
        x = base ^ key
        x = (x ^ x >> 30) * 0xBF58_476D_1CE4_E5B9 & MASK
        x = (x ^ x >> 27) * 0x94D0_49BB_1331_11EB & MASK
        hashes.append(x ^ x >> 31)
    return hashes


def equal_or_none(weights: Sequence[int]) -> Sequence[int] | None:
    """The weights as `winner` takes them: None if they are all equal."""
    return None if len(set(weights)) <= 1 else weights


def is_sent_away(base: int, key: int, share: int) -> bool:
    """Whether a user is among the ``share`` of 65,536 that a loaded node sends away."""
    return mix64(base ^ key) >> 48 < share

"""Weighted rendezvous: each user has a favourite among candidates, by weight and for good.

A candidate's cost is -log2 of its hash, divided by its weight; the least wins. Then each wins its
exact share of users, and one that goes or changes its weight moves nobody else. Integers only, for
both engines must agree bit for bit. Source: Schindelhauer, Schomaker, "Weighted distributed hash
tables", 2005; Thaler, Ravishankar, "A name-based mapping scheme for rendezvous", 1996.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key, lru_cache
from itertools import pairwise
from struct import Struct

from geodns.steering.mix import MASK, mix64

ALL_USERS = 0xFFFF
"""The share that means everybody; 16 bits have no 65,536."""


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


class Rivals:
    """Candidates by key and weight, hashed all at once: the keys stand in one long integer, each
    in a lane of 128 bits, where no product of 64 bits runs over.

    Shape: weights are positive. ``lasting`` ones are worth a table of what can be foreseen.
    """

    def __init__(
        self, keys: Sequence[int], weights: Sequence[int], *, lasting: bool = False
    ) -> None:
        lanes = range(0, 128 * len(keys), 128)
        self._keys = sum(key << lane for key, lane in zip(keys, lanes, strict=True))
        self._ones = sum(1 << lane for lane in lanes)
        self._low = MASK * self._ones
        self._octets = 16 * len(keys)
        self._unpack = Struct("<" + "Q8x" * len(keys)).unpack
        self._weights = weights
        self._are_equal = len(set(weights)) <= 1
        self._floors: tuple[int, ...] = ()
        if lasting and len(keys) == 2 and not self._are_equal:
            self._heavy = int(weights[1] > weights[0])
            self._light = 1 - self._heavy
            self._floors = _floors(weights[self._light], weights[self._heavy])

    def hashes(self, base: int) -> tuple[int, ...]:
        """`mix64` of each key under ``base``."""
        low = self._low
        x = self._keys ^ base * self._ones
        x = ((x ^ x >> 30) & low) * 0xBF58_476D_1CE4_E5B9 & low
        x = ((x ^ x >> 27) & low) * 0x94D0_49BB_1331_11EB & low
        return self._unpack(((x ^ x >> 31) & low).to_bytes(self._octets, "little"))

    def winner(self, base: int) -> int:
        """The position of the candidate with the least cost, equal costs by the greater hash,
        equal hashes by position.

        Shape: ``base`` is `mix` of the draw's key and the user.
        """
        hashes = self.hashes(base)
        if self._are_equal:  # then the greatest hash wins, and no logarithm is needed
            return hashes.index(max(hashes))
        if self._floors and hashes[self._light] < self._floors[hashes[self._heavy] >> 56]:
            return self._heavy
        return _cheapest(hashes, self._weights)

    def ranked(self, base: int) -> list[int]:
        """The positions of all candidates, as `winner` would take them one after the other."""
        hashes, weights = self.hashes(base), self._weights
        costs = [neg_log2(h) for h in hashes]

        def compare(a: int, b: int) -> int:
            return costs[a] * weights[b] - costs[b] * weights[a] or hashes[b] - hashes[a]

        return sorted(range(len(hashes)), key=cmp_to_key(compare))


def _cheapest(hashes: Sequence[int], weights: Sequence[int]) -> int:
    h = max(hashes)
    best = hashes.index(h)
    by = lightest = weights[best]
    least = 0
    for at, weight in enumerate(weights):
        if weight > lightest:  # others cost no less and weigh no more than the first best
            least = least or neg_log2(h)
            cost = neg_log2(hashes[at])
            here, there = cost * by, least * weight
            if here < there or (here == there and hashes[at] > h):
                best, h, least, by = at, hashes[at], cost, weight
    return best


@lru_cache(maxsize=256)
def _floors(light: int, heavy: int) -> tuple[int, ...]:
    """By the first octet of the heavier one's hash: below what hash the lighter of two loses.

    A saving, not a rule, for from there on their costs are compared. So it may err, downwards:
    `neg_log2` is nowhere less than the logarithm, and nowhere 0.00001 of it more.
    """
    costs = (neg_log2(octet << 56) * light / (heavy << 32) for octet in range(256))
    return tuple(int(2.0 ** (64 - cost) * 0.9999) for cost in costs)


def is_sent_away(base: int, key: int, share: int) -> bool:
    """Whether a user is among the ``share`` of 65,536 that a loaded node sends away."""
    return share == ALL_USERS or mix64(base ^ key) >> 48 < share

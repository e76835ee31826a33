"""Draws in plain arithmetic (FORMAT.md, "Draws")."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

MASK = 2**64 - 1
STEP = 0x9E3779B97F4A7C15
ARM, STICKY, LOAD = 0x73706C6974, 0x737469636B79, 0x73686564
USER_BITS = {4: 20, 6: 40}
"""How much of an address splits and load know a user by."""


def key_of(name: str) -> int:
    """The key of a pool or node."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def mix64(x: int) -> int:
    """A step of splitmix64."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def mix(key: int, value: int) -> int:
    """A key and a value as one number."""
    return mix64(key ^ mix64((value + STEP) & MASK))


def user(value: int, version: int, bits: int) -> int:
    """The first bits of an address, the rest zero."""
    drop = {4: 32, 6: 64}[version] - bits
    return value >> drop << drop


@cache
def log_table() -> list[int]:
    """log2(1 + i/256) × 2^32, bit by bit."""
    found = []
    for i in range(256):
        x, bits = (256 + i) << 55, 0
        for _ in range(32):
            x = x * x >> 63
            bits <<= 1
            if x >> 64:
                bits |= 1
                x >>= 1
        found.append(bits)
    return [*found, 2**32]


def neg_log2(h: int) -> int:
    """−log2(h / 2^64) × 2^32, nearly."""
    h |= 1
    n = h.bit_length()
    f = h << (65 - n) & MASK
    i, r = f >> 56, f >> 24 & 0xFFFFFFFF
    table = log_table()
    return (65 - n) * 2**32 - table[i] - ((table[i + 1] - table[i]) * r >> 32)


def rendezvous(base: int, keys: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Positions in the order of lesser cost / weight, greater hash, earlier position."""
    hashes = [mix64(base ^ key) for key in keys]

    def better(one: int, other: int) -> bool:
        costs = neg_log2(hashes[one]) * weights[other], neg_log2(hashes[other]) * weights[one]
        if len(set(weights)) > 1 and costs[0] != costs[1]:
            return costs[0] < costs[1]
        return (-hashes[one], one) < (-hashes[other], other)

    order: list[int] = []
    for position in range(len(keys)):
        at = next((i for i, had in enumerate(order) if better(position, had)), len(order))
        order.insert(at, position)
    return order


def weighted(draw: int, weights: Sequence[int], count: int) -> tuple[list[int], int]:
    """Positions drawn by weight, none twice, and the next draw."""
    left = list(range(len(weights)))
    chosen = []
    for _ in range(min(count, len(weights))):
        point = draw * sum(weights[at] for at in left) >> 64
        total = 0
        for at in left:
            total += weights[at]
            if total > point:
                break
        chosen.append(at)
        left.remove(at)
        draw = mix64((draw + STEP) & MASK)
    return chosen, draw

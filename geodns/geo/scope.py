"""The scope of an answer: how wide a prefix may share it. Plain integers, no NumPy."""

from __future__ import annotations


def scope_of(value: int, low: int, high: int, bits: int) -> int:
    """Length of the widest prefix that holds ``value`` and lies within [low, high).

    Shape: addresses are integers of ``bits`` bits with low <= value < high <= 2**bits.
           ``value`` may have bits set beyond the answer; the interval decides, not the source.
    Source: RFC 7871 section 7.2.1 (the scope an answer is tailored to).
    """
    # A prefix of n bits stays inside when it holds neither neighbour, low - 1 nor high:
    # it must be longer than what value shares with each of them.
    below = (value ^ (low - 1)).bit_length() if low else bits + 1
    above = (value ^ high).bit_length() if high < 1 << bits else bits + 1
    return bits - min(below, above) + 1

"""How many prefixes a table of runs falls into: the scopes that its answers have, counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodns.geo.tree import Word

Bits = npt.NDArray[np.uint64]


def count_prefixes(
    starts: npt.NDArray[Word], least_bits: npt.NDArray[np.integer], counted: npt.NDArray[np.bool_]
) -> int:
    """Of each run that is counted the fewest prefixes, none shorter than its ``least_bits``.

    Shape: parallel arrays; the runs reach to before the next start. Exact.
    """
    bits = starts.itemsize * 8
    if len(starts) == 1:  # its size need not fit 64 bits
        return int(counted[0]) << int(least_bits[0])
    # The last address rather than the end, which need not fit either.
    last = np.append(starts[1:] - starts.dtype.type(1), np.iinfo(starts.dtype).max)
    first, last = starts[counted], last[counted]
    # Below the highest bit in which first and last differ, prefixes grow from the first address
    # to the middle and shrink from there: their sizes are the bits of either side's length.
    below = _smeared(first ^ last) >> starts.dtype.type(1)
    middle = last & ~below
    left, right = middle - first, last - middle + starts.dtype.type(1)
    alone = (left > below) & (right == left)
    right = np.where(alone, left + right, right)
    left = np.where(alone, starts.dtype.type(0), left)
    least = least_bits[counted]
    if not least.any():
        return int(np.bitwise_count(left).sum()) + int(np.bitwise_count(right).sum())
    free = (bits - least).astype(np.uint64)
    return _sizes(left.astype(np.uint64), free) + _sizes(right.astype(np.uint64), free)


def _smeared(value: npt.NDArray[Word]) -> npt.NDArray[Word]:
    """All bits set from the highest one that is."""
    step = 1
    while step < 8 * value.itemsize:
        value = value | value >> value.dtype.type(step)
        step *= 2
    return value


def _sizes(length: Bits, free: Bits) -> int:
    """The prefixes that lengths are the sum of, those with more than ``free`` bits cut to that."""
    wide = free > 63
    shift = np.where(wide, np.uint64(0), free)
    cut = np.where(wide, np.uint64(0), length >> shift)
    rest = np.where(wide, length, length & ((np.uint64(1) << shift) - np.uint64(1)))
    # The sum need not fit 64 bits; those of the halves do.
    high, low = cut >> np.uint64(32), cut & np.uint64(0xFFFF_FFFF)
    return (int(high.sum()) << 32) + int(low.sum()) + int(np.bitwise_count(rest).sum())

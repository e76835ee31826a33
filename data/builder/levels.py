"""Tables of runs seen as binary trees: which prefixes must be nodes, and what ends each path."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Addresses = npt.NDArray[np.uint64]
Values = npt.NDArray[Any]


def inner_nodes(starts: Addresses, bits: int) -> list[Addresses]:
    """For each depth the prefixes within which a run ends, as numbers of that many bits.

    Shape: one array a depth, from 0 (the root) to the last that has any.
    """
    boundaries = starts[1:]
    lowest_bit = boundaries & (~boundaries + np.uint64(1))
    depth_of = bits - np.round(np.log2(lowest_bit.astype(np.float64))).astype(np.int64)
    levels = [np.zeros(1, np.uint64)]
    for depth in range(1, int(depth_of.max(initial=0))):
        crossing = boundaries[depth_of > depth] >> np.uint64(bits - depth)
        levels.append(crossing[np.flatnonzero(np.diff(crossing, prepend=~crossing[:1]))])
    return levels


def children(level: Addresses, side: int) -> Addresses:
    """The left (0) or right (1) child prefix of each node."""
    return level << np.uint64(1) | np.uint64(side)


def positions(nodes: Addresses, level: Addresses | None) -> npt.NDArray[np.int64]:
    """Where each of ``nodes`` stands in a level; -1 for those that are leaves."""
    if level is None:
        return np.full(len(nodes), -1)
    at = np.minimum(np.searchsorted(level, nodes), len(level) - 1)
    return np.where(level[at] == nodes, at, -1)


def value_at(starts: Addresses, values: Values, prefixes: Addresses, shift: int) -> Values:
    """The value of the run that holds the first address of each prefix."""
    return values[np.searchsorted(starts, prefixes << np.uint64(shift), side="right") - 1]

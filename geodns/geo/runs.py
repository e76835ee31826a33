"""Tables of runs over an address space: merged, and painted over.

A table is two parallel arrays, starts and values: a run reaches from its start to before the
next one, the last to the end of the space, and starts[0] is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodns.geo.tree import Word

Words = npt.NDArray[np.uint32]
NOTHING = 0xFFFF_FFFF
"""In a table that is laid over another: what is below shows through."""


def merged(starts: npt.NDArray[Word], values: Words) -> tuple[npt.NDArray[Word], Words]:
    """The same table with neighbours of equal value made one."""
    first = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return starts[first], values[first]


def painted(
    starts: npt.NDArray[Word], values: Words, blocks: list[tuple[int, int]], value: int
) -> tuple[npt.NDArray[Word], Words]:
    """The same table with ``value`` in each of the blocks.

    Shape: blocks are (first, last), both within; not one of them alone may be the whole space.
    """
    end_of_space = int(np.iinfo(starts.dtype).max)
    edges = {first for first, _ in blocks}
    edges |= {last + 1 for _, last in blocks if last < end_of_space}
    wanted = np.array(sorted(edges), starts.dtype)
    at = np.searchsorted(starts, wanted, side="right")
    new = starts[at - 1] != wanted
    all_starts = np.insert(starts, at[new], wanted[new])
    all_values = np.insert(values, at[new], values[at[new] - 1])
    for first, last in blocks:
        low, high = np.searchsorted(all_starts, np.array([first, last], starts.dtype))
        high += int(high < len(all_starts) and int(all_starts[high]) == last)
        all_values[low:high] = value
    return merged(all_starts, all_values)


def laid_over(
    starts: npt.NDArray[Word], values: Words, over: npt.NDArray[Word], over_values: Words
) -> tuple[npt.NDArray[Word], Words]:
    """The same table with those of another laid over it, but where that says NOTHING."""
    starts, values, upper = cut(starts, values, over)
    seen = over_values[upper]
    return merged(starts, np.where(seen == NOTHING, values, seen))


def cut(
    starts: npt.NDArray[Word], values: Words, edges: npt.NDArray[Word]
) -> tuple[npt.NDArray[Word], Words, npt.NDArray[np.int64]]:
    """The same table with runs starting at ``edges``, too; and on which edge each run is.

    Shape: ``edges`` ascend from 0; the third is for each run the last edge not behind it.
    """
    at = np.searchsorted(starts, edges, side="right")
    new = starts[at - 1] != edges
    cut_starts = np.insert(starts, at[new], edges[new])
    cut_values = np.insert(values, at[new], values[at[new] - 1])
    begins = np.searchsorted(cut_starts, edges)
    counts = np.diff(begins, append=len(cut_starts))
    return cut_starts, cut_values, np.repeat(np.arange(len(edges), dtype=np.int64), counts)

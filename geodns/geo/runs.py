"""Tables of runs over an address space: merged, and painted over.

A table is two parallel arrays, starts and values: a run reaches from its start to before the
next one, the last to the end of the space, and starts[0] is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodns.geo.tree import Word

Words = npt.NDArray[np.uint32]


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

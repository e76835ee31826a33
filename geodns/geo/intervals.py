"""The world's intervals made ready to be asked: mapped to classes, and indexed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodns.geo.runs import merged
from geodns.geo.tree import Word
from geodns.geo.world import World

Words = npt.NDArray[np.uint32]
INDEX_BITS = 16
"""Leading address bits by which a table is indexed.

Source: 256 kB an index; it leaves about 7 of the default database's intervals to a bisect.
"""


def classes_of(
    world: World, class_of_location: Words
) -> tuple[npt.NDArray[np.uint32], Words, npt.NDArray[np.uint64], Words]:
    """The world with a class for each place: starts4, class4, starts6, class6.

    Shape: ``class_of_location`` has one entry for each of ``world.locations``; neighbours of
           equal class are merged.
    """
    starts4, class4 = merged(world.starts4, class_of_location[world.location4])
    starts6, class6 = merged(world.starts6, class_of_location[world.location6])
    return starts4, class4, starts6, class6


def block_index(starts: npt.NDArray[Word], bits: int) -> Words:
    """For each value of an address's leading 16 bits, the part of ``starts`` to search.

    Shape: uint32[65537]; index[h] counts the starts <= h << (bits - 16), index[65536] all.
           Of an address v with h = v >> (bits - 16) the interval is number
           ``bisect_right(starts, v, index[h], index[h + 1]) - 1``, because all starts before
           index[h] are <= v and all from index[h + 1] on are > v.
    """
    firsts = np.arange(1 << INDEX_BITS, dtype=np.uint64) << np.uint64(bits - INDEX_BITS)
    index = np.empty((1 << INDEX_BITS) + 1, np.uint32)
    index[:-1] = np.searchsorted(starts, firsts.astype(starts.dtype), side="right")
    index[-1] = len(starts)
    return index

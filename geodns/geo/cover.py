"""Nested prefixes laid over the address space: which is the longest around each address?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic

import numpy as np
import numpy.typing as npt

from geodns.geo.tree import Word
from geodns.model.subnet import WIDTHS, Prefix

Ints = npt.NDArray[np.int64]
NONE = -1
"""Where there is no prefix: no address's, or the parent of an outermost one."""


@dataclass(frozen=True, slots=True)
class Cover(Generic[Word]):
    """A table of runs over one family: the number of the longest prefix around them, or NONE."""

    starts: npt.NDArray[Word]
    number: Ints


@dataclass(frozen=True, slots=True)
class Nest:
    """Distinct prefixes of both families, numbered so that the outer comes before the inner.

    Shape: ``parent[i]`` is the longest prefix around number i, NONE for an outermost one.
    """

    prefixes: tuple[Prefix, ...]
    parent: Ints
    v4: Cover[np.uint32]
    v6: Cover[np.uint64]

    def inherited(self, own: Ints) -> Ints:
        """What each prefix has, else what its nearest parent has; NONE is to have nothing.

        Shape: one more item than there are prefixes, so that NONE as an index finds NONE.
        """
        values = np.append(own, NONE)
        while True:  # a level of nesting a turn
            passed = np.where(values[:-1] == NONE, values[self.parent], values[:-1])
            if np.array_equal(passed, values[:-1]):
                return values
            values[:-1] = passed

    def within(self, chosen: Iterable[Prefix]) -> npt.NDArray[np.bool_]:
        """Whether each prefix lies in a chosen one; shaped as `inherited`."""
        wanted = set(chosen)
        own = [0 if prefix in wanted else NONE for prefix in self.prefixes]
        inside: npt.NDArray[np.bool_] = self.inherited(np.array(own, np.int64)) != NONE
        return inside


def nest(prefixes: Iterable[Prefix]) -> Nest:
    """Lay prefixes over the space, each over those that hold it."""
    distinct = sorted(set(prefixes), key=lambda each: (each.length, each.family, each.low))
    parent = np.full(len(distinct), NONE, np.int64)
    v4 = _cover(distinct, 4, np.uint32, parent)
    v6 = _cover(distinct, 6, np.uint64, parent)
    return Nest(tuple(distinct), parent, v4, v6)


def _cover(prefixes: list[Prefix], family: int, word: type[Word], parent: Ints) -> Cover[Word]:
    """One family's part; writes the parents of its prefixes."""
    of_family = [i for i, prefix in enumerate(prefixes) if prefix.family == family]
    numbers = np.array(of_family, np.int64)
    low = np.array([prefixes[i].low for i in of_family], word)
    lengths = np.array([prefixes[i].length for i in of_family], np.int64)
    last = np.array([prefixes[i].low + prefixes[i].size - 1 for i in of_family], word)
    end_of_space = word((1 << WIDTHS[family]) - 1)
    edges = [np.zeros(1, word), low, last[last < end_of_space] + word(1)]
    starts = np.unique(np.concatenate(edges))
    found = np.full(len(starts), NONE, np.int64)
    first = np.searchsorted(starts, low)
    count = np.searchsorted(starts, last, side="right") - first
    for length in np.unique(lengths).tolist():
        at = np.flatnonzero(lengths == length)
        parent[numbers[at]] = found[first[at]]
        found[ranges(first[at], count[at])] = np.repeat(numbers[at], count[at])
    return Cover(starts, found)


def ranges(first: Ints, count: Ints) -> Ints:
    """The numbers first[i], first[i] + 1 … of each of many ranges, one behind the other."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) + np.repeat(first - ends + count, count)

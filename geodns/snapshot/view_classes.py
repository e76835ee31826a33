"""Classes: users who are led to the same destination, and to the same rows of its pools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geodns.geo.cover import Ints
from geodns.model.config import Config, Destination
from geodns.snapshot.layout import NO_GROUP, SPECIAL_CLASS
from geodns.snapshot.steerings import Steering
from geodns.steering.mix import DRAW_BITS
from geodns.steering.rows import Groups, Ranking

Words = NDArray[np.uint32]
Flags = NDArray[np.bool_]
Rank = Callable[[str, Flags], tuple[Ranking, Groups]]
"""Ranks a pool for the cells that are flagged."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Shape: ``class_of`` has a position in ``record`` for each cell; ``rows`` are those of all
    pools, ``row_group`` a number in ``groups`` for each, which are words of bits."""

    class_of: Words
    record: Words
    count: int
    rows: list[Words]
    row_group: Words
    groups: list[Words]


def class_table(steering: Steering, destination: Ints, rank: Rank) -> Classes:
    """Number the classes of all cells, given the destination of each; NONE is special."""
    by_destination = np.argsort(destination.astype(np.int16), kind="stable")
    bounds = np.searchsorted(destination[by_destination], np.arange(len(steering.destinations) + 1))
    cells_of = [by_destination[a:b] for a, b in pairwise(bounds.tolist())]
    rows = _Rows(steering, destination, rank)
    class_of = np.full(len(destination), SPECIAL_CLASS, np.uint32)
    records: list[Words] = []
    at = count = 0
    for number, (each, cells) in enumerate(zip(steering.destinations, cells_of, strict=True)):
        if len(cells):
            table, which = rows.records(number, each, cells)
            class_of[cells] = at + which * table.shape[1]
            records.append(table)
            at += table.size
            count += len(table)
    return rows.finished(class_of, records, count)


class _Rows:
    """The rankings of a steering's pools, behind one another."""

    def __init__(self, steering: Steering, destination: Ints, rank: Rank) -> None:
        self._rows: list[Words] = []
        self._group: list[Words] = []
        self._groups: list[Words] = []
        self._row_of: dict[str, Words] = {}
        for pool_id in steering.pools:
            leading = [i for i, each in enumerate(steering.destinations) if pool_id in _pools(each)]
            ranking, groups = rank(pool_id, np.isin(destination, leading))
            self._row_of[pool_id] = ranking.row_of + np.uint32(len(self._rows))
            self._rows += ranking.rows
            used = np.where(
                ranking.group == NO_GROUP, NO_GROUP, ranking.group + np.uint32(len(self._groups))
            )
            self._group.append(used.astype(np.uint32))
            if (ranking.group != NO_GROUP).any():
                self._groups += [_words(may) for may in groups.may]

    def records(self, number: int, destination: Destination, cells: Ints) -> tuple[Words, Words]:
        """The distinct records of a destination, and which of them each cell has."""
        pools = _pools(destination)
        of_cell = {pool_id: self._row_of[pool_id][cells] for pool_id in pools}
        combined = of_cell[pools[0]].astype(np.uint64)
        for pool_id in pools[1:]:
            # Numbering again after each pool keeps the product within 64 bits.
            combined = np.unique(combined, return_inverse=True)[1].astype(np.uint64)
            combined = combined * np.uint64(len(self._rows)) + of_cell[pool_id]
        _, first, which = np.unique(combined, return_index=True, return_inverse=True)
        steps = [of_cell[pool_id][first] for arm in destination.arms for pool_id in arm.chain]
        table = np.stack([np.full(len(first), number, np.uint32), *steps], axis=1)
        return table, which.astype(np.uint32)

    def finished(self, class_of: Words, records: list[Words], count: int) -> Classes:
        """Leave out the rows that no record names, and number the rest anew."""
        group = np.concatenate(self._group)
        used = np.zeros(len(self._rows), np.bool_)
        for table in records:
            used[table[:, 1:]] = True
        new = (np.cumsum(used) - 1).astype(np.uint32)
        for table in records:
            table[:, 1:] = new[table[:, 1:]]
        rows = [self._rows[at] for at in np.flatnonzero(used).tolist()]
        record = np.concatenate([table.ravel() for table in records])
        return Classes(class_of, record, count, rows, group[used], self._groups)


def draw_bits(config: Config, steering: Steering) -> tuple[list[int], list[int]]:
    """How many leading bits of an address the draws of each destination depend on."""
    shedding = {node_id for node_id, node in config.nodes.items() if node.shed is not None}
    of_pool = {pool_id: _pool_bits(config, pool_id, shedding) for pool_id in steering.pools}
    bits = [_draw_bits(each, of_pool) for each in steering.destinations]
    return [of4 for of4, _ in bits], [of6 for _, of6 in bits]


def _draw_bits(destination: Destination, of_pool: dict[str, tuple[int, int]]) -> tuple[int, int]:
    split = sum(arm.weight > 0 for arm in destination.arms) > 1
    found = [(DRAW_BITS[4], DRAW_BITS[6]) if split else (0, 0)]
    found += [of_pool[pool_id] for pool_id in _pools(destination)]
    return max(of4 for of4, _ in found), max(of6 for _, of6 in found)


def _pool_bits(config: Config, pool_id: str, shedding: set[str]) -> tuple[int, int]:
    pool = config.pools[pool_id]
    sheds = shedding and not shedding.isdisjoint(config.members(pool_id))
    of4, of6 = (DRAW_BITS[4], DRAW_BITS[6]) if sheds else (0, 0)
    if pool.spread == "sticky":
        return max(of4, pool.sticky_bits.v4), max(of6, pool.sticky_bits.v6)
    return of4, of6


def _pools(destination: Destination) -> list[str]:
    return list(dict.fromkeys(pool_id for arm in destination.arms for pool_id in arm.chain))


def _words(may: Flags) -> Words:
    """Bit i of word w is flag 32 * w + i."""
    padded = np.zeros(-(-len(may) // 32) * 32, np.bool_)
    padded[: len(may)] = may
    return np.packbits(padded, bitorder="little").view(np.uint32)

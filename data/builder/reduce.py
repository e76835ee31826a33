"""A table of true spots reduced to one of cells, as coarse as an error bound allows.

A prefix becomes one leaf when that costs less than keeping its two halves. The cost of a leaf is
its weight times the squared distance (chord on the unit sphere) of its cell from the true spots;
every split costs ``split_cost`` more. So the file is spent where addresses are, and errors are
kept where few feel them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.builder.levels import Addresses, children, inner_nodes, positions, value_at
from data.builder.source import NOWHERE, Table
from geodns.geo.runs import merged

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a family may lose.

    Shape: no leaf is longer than ``cap``; a /``unit`` weighs 1, and no leaf more than
           ``most_weight``; holes of a /``fill`` and wider stay, others may be filled.
    """

    split_cost: float
    cap: int
    unit: int
    most_weight: float
    fill: int


BOUNDS = {
    4: Bound(split_cost=0.03, cap=24, unit=24, most_weight=1e9, fill=17),
    6: Bound(split_cost=0.02, cap=48, unit=40, most_weight=256.0, fill=33),
}
"""Source: measured. 0.03 and 0.02 give 7 MB; README.md has what they lose. An IPv6 /32 is worth
256 units and more is not better, since allocations there say nothing about users."""


@dataclass(slots=True)
class State:
    """What is known of some prefixes: best cell, cost, and the moments that judge other cells.

    Shape: ``hollow`` prefixes have a hole that must stay, so they cannot be one leaf.
    """

    label: Labels
    hollow: npt.NDArray[np.bool_]
    cost: Floats
    weight: Floats
    moment: Floats

    def put(self, rows: Rows, other: State, other_rows: Rows) -> None:
        """Replace some rows by some of another state's."""
        for name in ("label", "hollow", "cost", "weight", "moment"):
            getattr(self, name)[rows] = getattr(other, name)[other_rows]


@dataclass(frozen=True, slots=True)
class Reducer:
    """Bottom-up over the levels of a table's tree."""

    table: Table
    bound: Bound
    spot_vectors: Floats
    cell_vectors: Floats
    cell_of_spot: Labels

    def reduce(self) -> tuple[Addresses, Labels]:
        """The reduced table, as runs of cells."""
        levels = inner_nodes(self.table.starts, self.table.bits)
        below: State | None = None
        kept: list[tuple[Labels, npt.NDArray[np.bool_]]] = []
        for depth in reversed(range(len(levels))):
            deeper = levels[depth + 1] if depth + 1 < len(levels) else None
            left, right = (
                self._child_state(children(levels[depth], side), depth + 1, deeper, below)
                for side in (0, 1)
            )
            below, whole = self._joined(left, right, depth)
            kept.append((below.label, whole))
        return self._runs(levels, kept[::-1])

    def _child_state(
        self, nodes: Addresses, depth: int, level: Addresses | None, below: State | None
    ) -> State:
        state = self._leaf_state(nodes, depth)
        at = positions(nodes, level)
        inner = np.flatnonzero(at >= 0)
        if below is not None and len(inner):
            state.put(inner, below, at[inner])
        return state

    def _leaf_state(self, nodes: Addresses, depth: int) -> State:
        table = self.table
        spot = value_at(table.starts, table.spots, nodes, table.bits - depth)
        weight = np.where(
            spot == NOWHERE, 0.0, min(2.0 ** (self.bound.unit - depth), self.bound.most_weight)
        )
        moment = self.spot_vectors[spot] * weight[:, None]
        label = self.cell_of_spot[spot]
        hollow = np.zeros(len(nodes), bool)
        return State(label, hollow, self._error(label, weight, moment), weight, moment)

    def _joined(self, a: State, b: State, depth: int) -> tuple[State, npt.NDArray[np.bool_]]:
        """The state of the parents, and which of them are to be one leaf."""
        weight, moment = a.weight + b.weight, a.moment + b.moment
        cost_a, cost_b = (self._error(half.label, weight, moment) for half in (a, b))
        hole_a, hole_b = a.label == NOWHERE, b.label == NOWHERE
        first = hole_b | (cost_a <= cost_b) & ~hole_a
        label = np.where(first, a.label, b.label)
        cost = np.where(first, cost_a, cost_b)
        hollow = a.hollow | b.hollow
        if depth < self.bound.fill:
            hollow |= hole_a ^ hole_b
        split = a.cost + b.cost + self.bound.split_cost
        whole = ((cost <= split) | (depth >= self.bound.cap)) & ~hollow
        return State(label, hollow, np.where(whole, cost, split), weight, moment), whole

    def _error(self, label: Labels, weight: Floats, moment: Floats) -> Floats:
        """Sum of weight times squared chord from the cells to what the moments stand for."""
        along = np.einsum("ij,ij->i", self.cell_vectors[label], moment)
        return np.asarray(2 * np.maximum(weight - along, 0.0), dtype=np.float64)

    def _runs(
        self, levels: list[Addresses], kept: list[tuple[Labels, npt.NDArray[np.bool_]]]
    ) -> tuple[Addresses, Labels]:
        """Top-down: the leaves that are left, in address order."""
        bits, starts, labels = self.table.bits, [], []
        alive = np.zeros(1, np.int64)
        for depth, (level, (label, whole)) in enumerate(zip(levels, kept, strict=True)):
            done, going = alive[whole[alive]], alive[~whole[alive]]
            starts.append(_shifted(level[done], bits - depth))
            labels.append(label[done])
            deeper = levels[depth + 1] if depth + 1 < len(levels) else None
            nodes = np.concatenate([children(level[going], side) for side in (0, 1)])
            at = positions(nodes, deeper)
            leaves = nodes[at < 0]
            starts.append(leaves << np.uint64(bits - depth - 1))
            labels.append(self._leaf_state(leaves, depth + 1).label)
            alive = at[at >= 0]
        order = np.argsort(all_starts := np.concatenate(starts))
        return merged(all_starts[order], np.concatenate(labels)[order])


def _shifted(prefixes: Addresses, by: int) -> Any:
    return prefixes << np.uint64(by) if by < 64 else np.zeros_like(prefixes)

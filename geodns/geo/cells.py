"""The world cut where subnets and autonomous systems that matter begin and end.

A *cell* is the addresses of one location, one longest subnet and one AS number, of those that
somebody asks about. Each location is a cell of its own, for the addresses nobody asks about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodns.geo.asn import AsnTable
from geodns.geo.cover import NONE, Cover, Ints, Nest, nest
from geodns.geo.runs import Words, cut, merged
from geodns.geo.tree import Word
from geodns.geo.world import World
from geodns.model.subnet import Prefix


@dataclass(frozen=True, slots=True)
class Cells:
    """Every address's cell, as sorted intervals, and what its addresses have in common.

    Shape: the first ``plain`` cells are the locations, in order. ``subnet`` is a number in
           ``nest``, NONE for none; ``asn`` is 0 where nobody asks.
    """

    starts4: npt.NDArray[np.uint32]
    cell4: Words
    starts6: npt.NDArray[np.uint64]
    cell6: Words
    location: Words
    subnet: Ints
    asn: Words
    nest: Nest
    plain: int

    def __len__(self) -> int:
        return len(self.location)

    @property
    def overlaid(self) -> bool:
        """Whether anything but the location matters."""
        return len(self) > self.plain


def cells_of(
    world: World, prefixes: Iterable[Prefix], asns: Iterable[int], table: AsnTable | None
) -> Cells:
    """Cut a world by prefixes and AS numbers; without ``table`` no address has a number."""
    nested = nest(prefixes)
    wanted = np.array(sorted(set(asns)), np.uint32) if table else np.zeros(0, np.uint32)
    plain = len(world.locations)
    if table is None or not len(wanted):
        table = _NO_ASNS
    if not nested.prefixes and not len(wanted):
        return _plain_cells(world, nested)
    starts4, location4, atom4 = _cut(
        world.starts4, world.location4, nested.v4, table.starts4, table.asn4, wanted
    )
    starts6, location6, atom6 = _cut(
        world.starts6, world.location6, nested.v6, table.starts6, table.asn6, wanted
    )
    pairs4, pairs6 = (
        atom[atom > 0].astype(np.uint64) * np.uint64(plain) + location[atom > 0]
        for atom, location in ((atom4, location4), (atom6, location6))
    )
    pairs = np.unique(np.concatenate([pairs4, pairs6]))
    location4[atom4 > 0] = plain + np.searchsorted(pairs, pairs4)
    location6[atom6 > 0] = plain + np.searchsorted(pairs, pairs6)
    atom = (pairs // np.uint64(plain)).astype(np.int64)
    numbers = np.append(np.uint32(0), wanted)
    return Cells(
        starts4,
        location4,
        starts6,
        location6,
        location=np.append(np.arange(plain), pairs % np.uint64(plain)).astype(np.uint32),
        subnet=np.append(np.full(plain, NONE), atom // len(numbers) - 1),
        asn=np.append(np.zeros(plain, np.uint32), numbers[atom % len(numbers)]),
        nest=nested,
        plain=plain,
    )


def _plain_cells(world: World, nested: Nest) -> Cells:
    plain = len(world.locations)
    return Cells(
        world.starts4,
        world.location4,
        world.starts6,
        world.location6,
        location=np.arange(plain, dtype=np.uint32),
        subnet=np.full(plain, NONE),
        asn=np.zeros(plain, np.uint32),
        nest=nested,
        plain=plain,
    )


def _cut(
    starts: npt.NDArray[Word],
    location: Words,
    cover: Cover[Word],
    asn_starts: npt.NDArray[Word],
    asn: Words,
    wanted: Words,
) -> tuple[npt.NDArray[Word], Words, Ints]:
    """One family's runs and locations, and what covers each: 0, or subnet and AS number in one.

    Shape: (number of the subnet + 1) * (wanted AS numbers + 1) + number of the AS's among them.
    """
    at = np.searchsorted(wanted, asn)
    known = (np.append(wanted, np.uint32(0))[at] == asn) & (asn > 0)
    asn_starts, which = merged(asn_starts, np.where(known, at + 1, 0).astype(np.uint32))
    edges = np.union1d(cover.starts, asn_starts)
    subnet = cover.number[np.searchsorted(cover.starts, edges, side="right") - 1]
    system = which[np.searchsorted(asn_starts, edges, side="right") - 1].astype(np.int64)
    starts, location, upper = cut(starts, location, edges)
    return starts, location, ((subnet + 1) * (len(wanted) + 1) + system)[upper]


_NO_ASNS = AsnTable(
    np.zeros(1, np.uint32),
    np.zeros(1, np.uint32),
    np.zeros(1, np.uint64),
    np.zeros(1, np.uint32),
    "",
)

"""What is chosen among: targets, members, pools, and a pool's places in a class's order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from geodns.steering.mix import DRAW_BITS

V4, V6, NAME = 4, 6, 0
"""What is answered with: an IP version, or the name of a service elsewhere (CNAME)."""

TIER_START = 1 << 31
"""Marks the first place of a tier in a row's items."""

WHOLE = 1 << 30
"""Marks, on a row's first item, that no place follows which the row does not name."""

PLACE = WHOLE - 1
"""The place's number in a row's item."""

FIRST, WEIGHTED, STICKY = 0, 1, 2
"""How a pool's tier is spread: its first answer, one by weight, each user's own."""

TAILS_MAX_ITEMS = 1 << 20
"""Items of tails that a pool remembers. Source: 4 MB; one of 10,000 places takes 6 ms to sort."""

Words = Sequence[int]


@dataclass(frozen=True, slots=True)
class Target:
    """One address (packed) or name (wire form) of a node as one monitor sees it, and where its
    status word stands."""

    address: bytes
    slot: int
    tag: int


@dataclass(frozen=True, slots=True)
class Member:
    """A node within a pool.

    Shape: ``node`` is its number in the generation's names, ``key`` what its draws know it by;
    ``shed`` says that it may send users away when loaded.
    """

    node: int
    weight: int
    v4: tuple[Target, ...]
    v6: tuple[Target, ...]
    names: tuple[Target, ...] = ()
    key: int = 0
    shed: bool = False

    def targets(self, family: int) -> tuple[Target, ...]:
        """Its targets of one IP version, or its names."""
        if family == NAME:
            return self.names
        return self.v4 if family == V4 else self.v6

    def all_targets(self) -> tuple[Target, ...]:
        """Its targets of every kind."""
        return (*self.v4, *self.v6, *self.names)


Point = tuple[int, int, int]
"""A place on the unit sphere, in units of its own (FORMAT.md, POOLS)."""


@dataclass(frozen=True, slots=True)
class PoolTable:
    """A pool as it is steered by.

    Shape: ``places[p]`` holds the members that stand together, at ``points[p]``;
    ``sticky_bits`` is by IP version.
    """

    places: tuple[tuple[Member, ...], ...]
    points: Sequence[Point] = ()
    spread: int = WEIGHTED
    answers: int = 1
    min_answers: int = 1
    min_up: int = 1
    near: bool = True
    open: bool = True
    sticky_bits: Mapping[int, int] = field(default_factory=lambda: DRAW_BITS)
    number: int = 0
    _tails: dict[int, Sequence[int]] = field(default_factory=dict, compare=False, repr=False)

    def members(self) -> Iterator[Member]:
        """All its members, place by place."""
        return (member for place in self.places for member in place)

    def tail(self, place: int) -> Sequence[int]:
        """All places by distance from one of them, equally far ones by number."""
        tail = self._tails.get(place)
        if tail is None:
            if (len(self._tails) + 1) * len(self.points) > TAILS_MAX_ITEMS:
                self._tails.clear()
            x, y, z = self.points[place]
            far = [(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 for a, b, c in self.points]
            tail = self._tails[place] = array("I", sorted(range(len(far)), key=far.__getitem__))
        return tail


@dataclass(frozen=True, slots=True)
class Link:
    """One pool of a chain, with the order of its places for one class.

    Shape: items of ``row`` are place numbers, TIER_START set on the first of each tier, WHOLE on
    the row's first. Bit i of the words of ``group`` says that place i may answer; None: all may.
    """

    pool: PoolTable
    row: Sequence[int]
    group: Sequence[int] | None = None

    def tiers(self) -> Iterator[list[Member]]:
        """The members, tier by tier; places beyond the row are tiers of their own."""
        tier: list[Member] = []
        for item in self.row:
            if item & TIER_START and tier:
                yield tier
                tier = []
            tier.extend(self.pool.places[item & PLACE])
        if tier:
            yield tier
        yield from self._tail()

    def serves(self, place: int) -> bool:
        """Whether the members at a place may answer this class at all."""
        if self.group is not None:
            return bool(self.group[place >> 5] >> (place & 31) & 1)
        if self.row and not self.row[0] & WHOLE:
            return True
        return any(item & PLACE == place for item in self.row)

    def _tail(self) -> Iterator[list[Member]]:
        row = self.row
        if not row or row[0] & WHOLE or len(row) == len(self.pool.places):
            return
        named = {item & PLACE for item in row}
        for place in self.pool.tail(row[0] & PLACE):
            if place not in named and self.serves(place):
                yield list(self.pool.places[place])


Chain = Sequence[Link]

"""Which places, in what order, for every location of the world at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodns.geo.database import COARSE_RADIUS_KM
from geodns.geo.vectors import Floats, unit_vectors
from geodns.steering.nearest import Near, PlaceSet, nearest, updated
from geodns.steering.rows import (
    Band,
    Part,
    Words,
    alike,
    distinct_tables,
    items_of,
    reach,
)
from geodns.steering.tables import TIER_START

NEAREST = 8
"""Places a row keeps; beyond them the order is by distance from the row's first place.

Source: measured, every one of 10,000 nodes stays reachable while the classes of a City
database stay below 70,000 (lists of 8 absorb seven failures without a recompile).
"""

COARSE_REACH_KM = 2.0 * COARSE_RADIUS_KM
"""How far the first tier of a whole country reaches at least.

Source: who is within the radius of its middle may be nearest to a place that is farther from
there than the first by twice the radius, and to none beyond.
"""

COARSE_PLACES = 64
"""Most places in the first tier of a whole country: its nearest ones.

Source: a City database has 5,000 such points, their rows take 1 MB.
"""

REMEMBERED = 16
"""Results kept. Source: 12 MB each for a City database; pools beyond are ranked anew."""


@dataclass(frozen=True, slots=True)
class Field:
    """Points from which places are near or far; NaN where none is known.

    Shape: fields of one ``key`` are equal.
    """

    vectors: Floats
    coarse: NDArray[np.bool_]
    key: str

    def at(self, chosen: Words) -> Field:
        """Some of the points, by number."""
        if np.array_equal(chosen, np.arange(len(self.vectors))):
            return self
        digest = hash(chosen.tobytes())
        return Field(self.vectors[chosen], self.coarse[chosen], f"{self.key}/{digest:x}")


def field_of(
    latitude: Floats, longitude: Floats, coarse: NDArray[np.bool_], key: str = ""
) -> Field:
    """A field of points. Units: degrees."""
    return Field(unit_vectors(latitude, longitude), coarse, key)


@dataclass(slots=True)
class Memory:
    """What was found for the last places of each field, to be brought up to date."""

    _kept: OrderedDict[tuple[str, int], list[tuple[PlaceSet, Near]]] = field(
        default_factory=OrderedDict
    )
    _ranked: OrderedDict[tuple[object, ...], Part] = field(default_factory=OrderedDict)

    def near(self, key: str, points: Floats, places: PlaceSet, count: int) -> Near:
        """As `nearest`, with less work where it was asked for nearly the same before."""
        kept = self._kept.setdefault((key, count), [])
        self._kept.move_to_end((key, count))
        for at, (had, found) in enumerate(kept):
            again = updated(found, had, points, places, count)
            if again is not None:
                del kept[at]
                kept.append((places, again))
                return again
        found = nearest(points, places, count)
        kept.append((places, found))
        self._forget()
        return found

    def ranked(self, key: tuple[object, ...]) -> Part | None:
        """The rows kept under a key."""
        if key in self._ranked:
            self._ranked.move_to_end(key)
        return self._ranked.get(key)

    def keep(self, key: tuple[object, ...], part: Part) -> Part:
        """Keep rows for the next time."""
        self._ranked[key] = part
        if len(self._ranked) > REMEMBERED:
            self._ranked.popitem(last=False)
        return part

    def _forget(self) -> None:
        while sum(map(len, self._kept.values())) > REMEMBERED:
            oldest = next(iter(self._kept.values()))
            if oldest:
                oldest.pop(0)
            if not oldest:
                self._kept.popitem(last=False)


def rank_nearest(users: Field, places: PlaceSet, band: Band, memory: Memory) -> Part:
    """Every user gets the nearest places, nearest first, equal distances by number.

    Shape: who is nowhere gets all places in one tier: spread by weight rather than pretend to
    know. So does who may be anywhere in a country, of the places that may be the nearest.
    Source: chord distance on the sphere, monotonic in the great circle.
    """
    key = (users.key, places.points.tobytes(), places.factor.tobytes(), band)
    return memory.ranked(key) or memory.keep(key, _rank_nearest(users, places, band, memory))


def _rank_nearest(users: Field, places: PlaceSet, band: Band, memory: Memory) -> Part:
    count = len(users.vectors)
    everywhere = np.arange(len(places), dtype=np.uint32)
    if len(places) < 2:
        return alike(np.arange(count, dtype=np.uint32), everywhere, one_tier=True)
    located = ~np.isnan(users.vectors[:, 0])
    tables = _coarse(users, np.flatnonzero(located & users.coarse), places, band, memory)
    exact, nowhere = np.flatnonzero(located & ~users.coarse), np.flatnonzero(~located)
    if len(exact):
        near = memory.near(users.key, users.vectors[exact], places, NEAREST)
        tables.append((exact, items_of(near.number, near.km, band)))
    if len(nowhere):
        everywhere[0] |= np.uint32(TIER_START)
        tables.append((nowhere, np.tile(everywhere, (len(nowhere), 1))))
    return distinct_tables(count, tables)


def _coarse(
    users: Field, chosen: NDArray[np.int64], places: PlaceSet, band: Band, memory: Memory
) -> list[tuple[NDArray[np.int64], Words]]:
    """All places of the first tier, and the next ones up to `NEAREST`: a table for each length."""
    if not len(chosen):
        return []
    near = memory.near(f"{users.key}/coarse", users.vectors[chosen], places, COARSE_PLACES)
    wide = Band(band.percent, max(band.width, COARSE_REACH_KM))
    length = (near.km <= reach(near.km[:, :1], wide)).sum(axis=1)
    length = np.maximum(length, min(NEAREST, near.km.shape[1]))
    items = items_of(near.number, near.km, band, first=wide)
    return [
        (chosen[length == each], items[length == each, :each])
        for each in np.unique(length).tolist()
    ]

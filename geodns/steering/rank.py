"""Which places, in what order, for every location of the world at once.

A *row* is one order of a pool's places, cut into tiers of equally good ones. Locations with
the same row share it; what differs between two locations is only the number of their row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodns.geo.vectors import chord_to_km, unit_vectors
from geodns.steering.tables import TIER_START

NEAREST = 8
"""Places a row keeps; beyond them the order is by distance from the row's first place.

Source: measured, every one of 10,000 nodes stays reachable while the classes of a City
database stay below 70,000 (lists of 8 absorb seven failures without a recompile).
"""

TAIL = 256
"""Places ordered by distance behind a row's eight. Source: no reference; 10,000 places
make 10 MB of it, and 256 dead places in a row are no longer a question of distance."""

Rows = list[NDArray[np.uint32]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Shape: ``row_of[location]`` indexes ``rows``; a row's items are place numbers, with
    TIER_START set on the first of each tier."""

    row_of: NDArray[np.uint32]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Band:
    """How far a tier reaches beyond its first place: the larger of the two."""

    percent: float
    km: float


def rank_alike(locations: int, places: int, *, one_tier: bool) -> Ranking:
    """Every location gets the pool's own order: one tier for all, or one for each place."""
    row = np.arange(places, dtype=np.uint32)
    row[: 1 if one_tier else None] |= np.uint32(TIER_START)
    return Ranking(np.zeros(locations, np.uint32), [row])


def rank_nearest(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    places: NDArray[np.float64],
    band: Band,
) -> Ranking:
    """Every location gets its nearest places, nearest first, equal distances by number.

    Shape: ``places`` is (n, 2) of latitude, longitude. A location without coordinates (nan)
    gets all places in one tier: spread by weight rather than pretend to know.
    Units: degrees. Source: chord distance on the sphere, monotonic in the great circle.
    """
    everywhere = rank_alike(len(latitude), len(places), one_tier=True)
    known = np.flatnonzero(~np.isnan(latitude))
    if len(places) < 2 or not len(known):
        return everywhere
    chords, order = _nearest(
        unit_vectors(latitude[known], longitude[known]),
        unit_vectors(places[:, 0], places[:, 1]),
        min(NEAREST, len(places)),
    )
    items = order.astype(np.uint32)
    items[_tier_starts(chord_to_km(chords), band)] |= np.uint32(TIER_START)
    rows, row_of_known = _distinct_rows(items)
    row_of = np.zeros(len(latitude), np.uint32)
    row_of[known] = row_of_known + 1
    return Ranking(row_of, [*everywhere.rows, *rows])


def tails(places: NDArray[np.float64]) -> list[NDArray[np.uint32]]:
    """For each place the order of all others behind it: by distance, then by number.

    Shape: as ``places`` in `rank_nearest`; each tail starts with the place itself.
    """
    count = len(places)
    vectors = unit_vectors(places[:, 0], places[:, 1])
    _, near = _nearest(vectors, vectors, min(TAIL, count))
    everyone = np.arange(count, dtype=np.uint32)
    if count <= TAIL:
        return list(near.astype(np.uint32))
    return [np.concatenate([row, np.setdiff1d(everyone, row)]).astype(np.uint32) for row in near]


def _nearest(
    points: NDArray[np.float64], places: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Chord length and number of the ``count`` nearest places of each point."""
    chords, order = cKDTree(places).query(points, k=count)
    chords, order = chords.reshape(len(points), count), order.reshape(len(points), count)
    # Equal distances must come in the order of the places' numbers on every machine:
    # 1e-9 of the radius is 6 mm, far below any difference that means something.
    by_number = np.argsort(order, axis=1, kind="stable")
    chords = np.take_along_axis(chords, by_number, axis=1)
    order = np.take_along_axis(order, by_number, axis=1)
    by_distance = np.argsort(np.round(chords, 9), axis=1, kind="stable")
    return (
        np.take_along_axis(chords, by_distance, axis=1),
        np.take_along_axis(order, by_distance, axis=1),
    )


def _tier_starts(km: NDArray[np.float64], band: Band) -> NDArray[np.bool_]:
    """Where a tier begins: the first place farther than its tier's anchor reaches."""

    def reach(anchor: NDArray[np.float64]) -> NDArray[np.float64]:
        return anchor + np.maximum(anchor * band.percent / 100, band.km)

    starts = np.zeros(km.shape, np.bool_)
    starts[:, 0] = True
    limit = reach(km[:, 0])
    for column in range(1, km.shape[1]):
        starts[:, column] = beyond = km[:, column] > limit
        limit = np.where(beyond, reach(km[:, column]), limit)
    return starts


def _distinct_rows(items: NDArray[np.uint32]) -> tuple[Rows, NDArray[np.uint32]]:
    whole = np.ascontiguousarray(items).view(np.dtype((np.void, items.itemsize * items.shape[1])))
    _, first, row_of = np.unique(whole.ravel(), return_index=True, return_inverse=True)
    return list(items[first]), row_of.astype(np.uint32)

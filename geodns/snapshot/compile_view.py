"""The world as steering sees it: the geo section, and a view for each chain of pools.

A *view* maps every address to a class, and a class to its chain: for each pool the order of
its places. A *direct* view has intervals of its own, so that scopes are minimal; an
*indirect* one shares the geo section's intervals and has only a class for each location.
Columns: see FORMAT.md.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from geodns.geo.intervals import block_index, classes_of
from geodns.geo.locations import SPECIAL, UNKNOWN, Locations
from geodns.geo.world import World
from geodns.model.pool import Pool
from geodns.snapshot.compile_pools import Places
from geodns.snapshot.compile_zone import view_key
from geodns.snapshot.layout import DEGREE_SCALE, SPECIAL_CLASS
from geodns.snapshot.order import Point
from geodns.snapshot.section import Column, Kind, encode
from geodns.steering.rank import Band, Ranking, rank_alike, rank_nearest

Tables = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64], NDArray[np.uint32]]


def compile_geo(world: World) -> bytes:
    """The geo section: address to location, and what a location is called."""
    labels, label_of = _labels(world.locations)
    about = {
        "name": world.info.name,
        "build_date": world.info.build_date.isoformat(),
        "sha256": world.info.sha256,
        "labels": labels,
    }
    return encode(
        Kind.GEO,
        {
            **_intervals(world.starts4, world.location4, world.starts6, world.location6),
            "latitude": _scaled(world.locations.latitude),
            "longitude": _scaled(world.locations.longitude),
            "label": label_of,
            "about": json.dumps(about).encode(),
        },
    )


def rank_pool(world: World, default: Point | None, pool: Pool, places: Places) -> Ranking:
    """The order of a pool's places for every location of the world."""
    count = len(places.members)
    if pool.order != "nearest":
        return rank_alike(len(world.locations), count, one_tier=pool.order == "equal")
    band = Band(pool.band_percent, pool.band_km)
    return _rank_nearest(_Keyed(world), default, places.points.tobytes(), band)


class View:
    """One view worked out, before it is laid out.

    Shape: ``class_of`` has a class for every location; ``rankings`` are those of the chain's
    pools, and row i of ``links`` has a row of each for class i.
    """

    def __init__(self, world: World, chain: Sequence[str], rankings: Sequence[Ranking]) -> None:
        self._world = world
        self._keys = [view_key((pool_id,)) for pool_id in chain]
        self._rankings = rankings
        self.class_of, self.links = _combine(rankings)

    @cached_property
    def intervals(self) -> Tables:
        """The view's own intervals: starts4, class4, starts6, class6."""
        return classes_of(self._world, self.class_of)

    def direct_size(self) -> int:
        """Octets that the view takes with intervals of its own."""
        starts4, _, starts6, _ = self.intervals
        return 8 * len(starts4) + 12 * len(starts6) + 2 * 4 * 65_537

    def encode(self, *, direct: bool) -> bytes:
        """The view's section."""
        if direct:
            columns: dict[str, Column] = _intervals(*self.intervals)
        else:
            columns = {"class_of": self.class_of}
        return encode(Kind.VIEW, {**columns, **self._chain_columns()})

    def _chain_columns(self) -> dict[str, Column]:
        """``pool`` the chain's pool keys; ``link`` per class a row for each; the rows' items."""
        rows = [row for ranking in self._rankings for row in ranking.rows]
        counts = [len(ranking.rows) for ranking in self._rankings]
        first_row = np.cumsum([0, *counts[:-1]], dtype=np.uint32)
        lengths = np.fromiter(map(len, rows), np.uint32, len(rows))
        return {
            "pool": array("Q", self._keys),
            "unknown": array("I", [int(self.class_of[UNKNOWN])]),
            "link": np.ascontiguousarray(self.links + first_row),
            "row_at": np.concatenate([np.zeros(1, np.uint32), np.cumsum(lengths, dtype=np.uint32)]),
            "row": np.concatenate([np.zeros(0, np.uint32), *rows]),
        }


class _Keyed:
    """A world that hashes by its database, so that rankings can be kept between compiles."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __hash__(self) -> int:
        return hash(self.world.info.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self.world.info.sha256 == other.world.info.sha256


@lru_cache(maxsize=256)
def _rank_nearest(keyed: _Keyed, default: Point | None, points: bytes, band: Band) -> Ranking:
    latitude = keyed.world.locations.latitude.copy()
    longitude = keyed.world.locations.longitude.copy()
    if default is not None:
        latitude[UNKNOWN], longitude[UNKNOWN] = default
    places = np.frombuffer(points, np.float64).reshape(-1, 2)
    return rank_nearest(latitude, longitude, places, band)


def _combine(rankings: Sequence[Ranking]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Number the distinct combinations of rows, one row from each pool of the chain."""
    combined = rankings[0].row_of.astype(np.uint64)
    for ranking in rankings[1:]:
        # Numbering again after each pool keeps the product within 64 bits.
        _, renumbered = np.unique(combined, return_inverse=True)
        combined = renumbered.astype(np.uint64) * np.uint64(len(ranking.rows)) + ranking.row_of
    _, first, class_of = np.unique(combined, return_index=True, return_inverse=True)
    links = np.stack([ranking.row_of[first] for ranking in rankings], axis=1)
    classes = class_of.astype(np.uint32)
    classes[SPECIAL] = SPECIAL_CLASS
    return classes, links


def _intervals(
    starts4: NDArray[np.uint32],
    value4: NDArray[np.uint32],
    starts6: NDArray[np.uint64],
    value6: NDArray[np.uint32],
) -> dict[str, Column]:
    return {
        "start4": starts4,
        "value4": value4,
        "index4": block_index(starts4, 32),
        "start6": starts6,
        "value6": value6,
        "index6": block_index(starts6, 64),
    }


def _labels(locations: Locations) -> tuple[list[str], NDArray[np.uint32]]:
    """The distinct regions, as "EU-IT", and each location's number among them."""
    texts = [
        "-".join(filter(None, parts))
        for parts in zip(locations.continent, locations.country, locations.subdivision, strict=True)
    ]
    labels = sorted(set(texts))
    number = {text: i for i, text in enumerate(labels)}
    return labels, np.array([number[text] for text in texts], np.uint32)


def _scaled(degrees: NDArray[np.float64]) -> NDArray[np.uint32]:
    scaled = np.round((np.nan_to_num(degrees) + 180) * DEGREE_SCALE)
    return scaled.astype(np.uint32)

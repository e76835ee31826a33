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
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class View:
    """A compiled view before it is laid out: a class for every location, links per class."""

    class_of: NDArray[np.uint32]
    links: list[tuple[int, ...]]
    rankings: tuple[Ranking, ...]
    keys: tuple[int, ...]


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


def compile_view(
    world: World, chain: Sequence[str], rankings: Sequence[Ranking], *, direct: bool
) -> bytes:
    """The section of one view; ``rankings`` are those of the chain's pools."""
    view = _combine(chain, rankings)
    if direct:
        starts4, class4, starts6, class6 = classes_of(world, view.class_of)
        columns: dict[str, Column] = _intervals(starts4, class4, starts6, class6)
    else:
        columns = {"class_of": view.class_of}
    return encode(Kind.VIEW, {**columns, **_chain_columns(view)})


def direct_size(world: World, rankings: Sequence[Ranking]) -> int:
    """Octets that a direct view takes for its intervals."""
    starts4, _, starts6, _ = classes_of(world, _combine((), rankings).class_of)
    return 8 * len(starts4) + 12 * len(starts6) + 2 * 4 * 65_537


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


def _combine(chain: Sequence[str], rankings: Sequence[Ranking]) -> View:
    """Number the distinct combinations of rows, one row from each pool of the chain."""
    combined = rankings[0].row_of.astype(np.uint64)
    for ranking in rankings[1:]:
        # Numbering again after each pool keeps the product within 64 bits.
        _, renumbered = np.unique(combined, return_inverse=True)
        combined = renumbered.astype(np.uint64) * np.uint64(len(ranking.rows)) + ranking.row_of
    _, first, class_of = np.unique(combined, return_index=True, return_inverse=True)
    links = [tuple(int(ranking.row_of[at]) for ranking in rankings) for at in first]
    classes = class_of.astype(np.uint32)
    classes[SPECIAL] = SPECIAL_CLASS
    return View(classes, links, tuple(rankings), tuple(view_key((pool,)) for pool in chain))


def _chain_columns(view: View) -> dict[str, Column]:
    """``pool`` the chain's pool keys; ``link`` per class a row for each; the rows' items."""
    row_at, items, first_row = array("I", [0]), array("I"), []
    for ranking in view.rankings:
        first_row.append(len(row_at) - 1)
        for row in ranking.rows:
            items.frombytes(row.astype(np.uint32).tobytes())
            row_at.append(len(items))
    link = array("I")
    for rows in view.links:
        link.extend(first + row for first, row in zip(first_row, rows, strict=True))
    unknown = array("I", [int(view.class_of[UNKNOWN])])
    return {
        "pool": array("Q", view.keys),
        "unknown": unknown,
        "link": link,
        "row_at": row_at,
        "row": items,
    }


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

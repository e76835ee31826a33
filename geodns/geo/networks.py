"""The operator's networks painted into the world: places known better than the database's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geodns.geo.cover import NONE, Ints, nest
from geodns.geo.locations import Locations
from geodns.geo.runs import NOTHING, Words, laid_over
from geodns.geo.vectors import Floats, unit_vectors
from geodns.geo.world import World
from geodns.model.subnet import Prefix


@dataclass(frozen=True, slots=True)
class PlacedNetwork:
    """Prefixes and where they are. Units: degrees."""

    id: str
    prefixes: tuple[Prefix, ...]
    latitude: float
    longitude: float


def with_networks(world: World, networks: Sequence[PlacedNetwork]) -> World:
    """The world with a location for each network, behind the database's.

    Shape: of nested prefixes the longest counts. A network lies in the country and subdivision
    of the location nearest to it, of those that stand for no whole country.
    """
    if not networks:
        return world
    first = len(world.locations)
    owner = {prefix: i for i, each in enumerate(networks) for prefix in each.prefixes}
    nested = nest(owner)
    numbers = np.array([first + owner[prefix] for prefix in nested.prefixes], np.uint32)

    def location(number: Ints) -> Words:
        return np.where(number == NONE, np.uint32(NOTHING), numbers[number])

    starts4, location4 = laid_over(
        world.starts4, world.location4, nested.v4.starts, location(nested.v4.number)
    )
    starts6, location6 = laid_over(
        world.starts6, world.location6, nested.v6.starts, location(nested.v6.number)
    )
    return replace(
        world,
        starts4=starts4,
        location4=location4,
        starts6=starts6,
        location6=location6,
        locations=_with_places(world.locations, networks),
        networks=tuple(each.id for each in networks),
        painted=_digest(networks),
    )


def _with_places(locations: Locations, networks: Sequence[PlacedNetwork]) -> Locations:
    latitude = np.array([each.latitude for each in networks])
    longitude = np.array([each.longitude for each in networks])
    at = _nearest_known(locations, unit_vectors(latitude, longitude))
    return Locations(
        latitude=np.append(locations.latitude, latitude),
        longitude=np.append(locations.longitude, longitude),
        continent=[*locations.continent, *(locations.continent[i] for i in at)],
        country=[*locations.country, *(locations.country[i] for i in at)],
        subdivision=[*locations.subdivision, *(locations.subdivision[i] for i in at)],
        coarse=np.append(locations.coarse, np.zeros(len(networks), np.bool_)),
    )


def _nearest_known(locations: Locations, points: Floats) -> list[int]:
    """For each point the nearest location of a known country, of equally near ones the first;
    0, the unknown one, if there is none."""
    named = np.array([bool(country) for country in locations.country])
    known = np.flatnonzero(named & ~locations.coarse & ~np.isnan(locations.latitude))
    if not len(known):
        return [0] * len(points)
    vectors = unit_vectors(locations.latitude[known], locations.longitude[known])
    # One point a turn: the products of all would be as large as both tables together.
    return [int(known[np.argmin(((vectors - point) ** 2).sum(axis=1))]) for point in points]


def _digest(networks: Sequence[PlacedNetwork]) -> str:
    told = [[n.id, n.prefixes, n.latitude, n.longitude] for n in networks]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()

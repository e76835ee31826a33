"""The world as the compiler keeps it from one generation to the next."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from geodns.document.places import location_of
from geodns.errors import Unavailable
from geodns.geo.asn import AsnTable
from geodns.geo.cells import Cells, cells_of
from geodns.geo.locations import SPECIAL, UNKNOWN
from geodns.geo.networks import PlacedNetwork, with_networks
from geodns.geo.prefixes import count_prefixes
from geodns.geo.regions import Regions, regions_of
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.model.subnet import Prefix
from geodns.snapshot.order import Point
from geodns.steering.rank import Field, Memory, field_of
from geodns.steering.users import Users, users_of

CELLS_KEPT = 8
"""Worlds cut for views that are kept. Source: 50 MB each for a City database."""

Asns = Callable[[], AsnTable | None]


@dataclass(slots=True)
class Atlas:
    """A world with the networks of one Config in it, and all that is worked out from both."""

    world: World
    regions: Regions
    points: Field
    asns: Asns
    memory: Memory = field(default_factory=Memory)
    _cells: OrderedDict[str, Users] = field(default_factory=OrderedDict)
    _scopes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, default: Point | None, asns: Asns) -> Atlas:
        """The atlas of a world. ``default`` is where users of unknown place are taken to be."""
        latitude, longitude = world.locations.latitude.copy(), world.locations.longitude.copy()
        if default is not None:
            latitude[UNKNOWN], longitude[UNKNOWN] = default
        key = f"{world.key} {default}"
        points = field_of(latitude, longitude, world.locations.coarse, key)
        return cls(world, regions_of(world.locations), points, asns)

    def users(self, prefixes: Iterable[Prefix], asns: Iterable[int]) -> Users:
        """Everybody, told apart by these prefixes and AS numbers.

        Errors: Unavailable when there are AS numbers and no database of them.
        """
        prefixes, numbers = sorted(set(prefixes)), sorted(set(asns))
        key = hashlib.sha256(repr((prefixes, numbers)).encode()).hexdigest()
        users = self._cells.get(key)
        if users is None:
            users = users_of(self._cut(prefixes, numbers), self.regions)
            self._cells[key] = users
            if len(self._cells) > CELLS_KEPT:
                self._cells.popitem(last=False)
        self._cells.move_to_end(key)
        return users

    @property
    def scopes(self) -> dict[str, int]:
        """How many scopes all indirect views have that nothing is laid over."""
        if not self._scopes:
            world = self.world
            everywhere4, everywhere6 = world.location4 != SPECIAL, world.location6 != SPECIAL
            least4, least6 = np.zeros(len(everywhere4), int), np.zeros(len(everywhere6), int)
            self._scopes["v4"] = count_prefixes(world.starts4, least4, everywhere4)
            self._scopes["v6"] = count_prefixes(world.starts6, least6, everywhere6)
        return self._scopes

    def _cut(self, prefixes: list[Prefix], asns: list[int]) -> Cells:
        table = self.asns() if asns else None
        if asns and table is None:
            raise Unavailable("Rules name AS numbers, and there is no asn_db to look them up in.")
        return cells_of(self.world, prefixes, asns, table)


def networks_of(config: Config) -> list[PlacedNetwork]:
    """The networks of a Config, those that have a place."""
    found = []
    for network_id in sorted(config.networks):
        network = config.networks[network_id]
        point = location_of(network)
        if point is not None:
            found.append(PlacedNetwork(network_id, network.prefixes, point.lat, point.lon))
    return found


@dataclass(slots=True)
class Atlases:
    """Makes the atlas of each Config, the last one's again if nothing of it has changed."""

    world: World
    asns: Asns
    _last: tuple[object, Atlas] | None = None

    def get(self, config: Config, default: Point | None) -> Atlas:
        """The atlas for a Config."""
        networks = networks_of(config)
        key = (networks, default)
        if self._last is None or self._last[0] != key:
            world = with_networks(self.world, networks)
            self._last = (key, Atlas.of(world, default, self.asns))
        return self._last[1]

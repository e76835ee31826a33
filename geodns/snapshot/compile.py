"""A Config and a World become the sections and the manifest of the next generation.

What has not changed since the last generation is not made again: an entry of the manifest
carries the digest of all that went into its section (its *recipe*).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from geodns.geo.asn import AsnTable
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.model.zone import Zone
from geodns.snapshot.atlas import Asns, Atlas, Atlases
from geodns.snapshot.compile_geo import compile_geo
from geodns.snapshot.compile_pools import compile_pools
from geodns.snapshot.compile_view import Size, View
from geodns.snapshot.compile_zone import compile_zone
from geodns.snapshot.keep import Keep
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry, Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.overrides import SECTION_NAME as OVERRIDES
from geodns.snapshot.overrides import book_of, encode_book
from geodns.snapshot.places import Places, places_of, points_of
from geodns.snapshot.recipes import ZoneRecipes, digest, pools_recipe, view_recipe
from geodns.snapshot.section import Kind, Section
from geodns.snapshot.slots import Slots
from geodns.snapshot.steerings import Contents, Steering, ZoneContents, contents_of

_POOL_SECTIONS = ((Kind.POOLS, "pools"), (Kind.TARGETS, "targets"))


SMALL_OCTETS = 8 * 2**20
"""Views this small are direct however little that narrows their scopes.

Source: measured, writing, checking and mapping 8 MB takes 30 ms from change to answer.
"""

WORTH_SHARE = 0.75
"""Larger ones are direct when they have at most so many intervals for each of the world's.

Source: measured with a City database, 8 nodes have 0.66 and 100 have 0.95.
"""


def no_asns() -> AsnTable | None:
    """For who has no database of AS numbers."""
    return None


@dataclass(slots=True)
class Compiler:
    """Makes generations in one data directory, reusing what the last one already has.

    Shape: ``asns`` gives the table of AS numbers when it is first needed.
    """

    data_dir: Path
    world: World
    clock: Callable[[], float] = time.time
    asns: Asns = no_asns
    _sizes: dict[int, tuple[str, Size]] = field(default_factory=dict)
    _recipes: ZoneRecipes = field(default_factory=ZoneRecipes)
    _atlases: Atlases = field(init=False)

    def __post_init__(self) -> None:
        self._atlases = Atlases(self.world, self.asns)

    def compile(self, order: Order, before: Manifest | None) -> Manifest:
        """Write the sections that are new; the manifest is the caller's to publish.

        Errors: ConfigError for what the format cannot hold, Unavailable when the directory
        cannot be written.
        """
        known = {(entry.kind, entry.name): entry for entry in before.sections} if before else {}
        keep = Keep(self.data_dir / SNAPSHOT_DIR, known)
        try:
            entries = list(self._entries(order, keep))
        finally:
            keep.settle()
        created = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        return Manifest(order.generation, created, tuple(entries), order.forced)

    def _entries(self, order: Order, keep: Keep) -> Iterator[Entry]:
        config = order.config
        contents = contents_of(config)
        points = points_of(config)
        places = {pool_id: places_of(config, pool_id, points) for pool_id in config.pools}
        atlas = self._atlases.get(config, order.default_location)
        world = atlas.world
        yield keep.entry(Kind.GEO, "geo", digest([world.key]), lambda: compile_geo(world))
        yield from _pools(order, places, points, keep)
        book = book_of(config)
        yield keep.entry(Kind.OVERRIDES, OVERRIDES, digest(book), partial(encode_book, book))
        yield from self._views(order, _Making(config, atlas, contents, places, keep))
        for zone_id in sorted(config.zones):
            zone, inside = config.zones[zone_id], contents.zones[zone_id]
            make = partial(self._zone, keep, zone_id, zone, inside)
            yield keep.entry(Kind.ZONE, zone_id, self._recipes.of(zone_id, zone, inside), make)
        self._recipes.forget_but(config.zones)

    def _zone(self, keep: Keep, zone_id: str, zone: Zone, contents: ZoneContents) -> bytes:
        serial = self._serial(keep.section(Kind.ZONE, zone_id))
        return compile_zone(zone, contents, zone_id, serial)

    def _views(self, order: Order, making: _Making) -> Iterator[Entry]:
        """The views, in the order of their keys; each is direct that is worth its room."""
        spent = 0
        views = making.contents.views
        for key in sorted(views):
            recipe = making.recipe(views[key])
            # Both its size and its section need the view; it is worked out once, if at all.
            make = cache(partial(making.view, views[key]))
            size = self._sizes.get(key)
            if size is None or size[0] != recipe:
                size = self._sizes[key] = (recipe, make().size)
            direct = _worth(size[1]) and spent + size[1].octets <= order.view_budget
            spent += size[1].octets if direct else 0
            encode = partial(_encode_view, make, direct)
            made_from = digest([recipe, direct])
            yield making.keep.entry(Kind.VIEW, f"{key:016x}", made_from, encode)
        self._sizes = {key: self._sizes[key] for key in views}

    def _serial(self, before: Section | None) -> int:
        """RFC 1982 serials grow; the Unix time tells a person when the zone last changed."""
        now = int(self.clock())
        return max(before.column("serial")[0] + 1, now) & 0xFFFF_FFFF if before else now


@dataclass(frozen=True, slots=True)
class _Making:
    """What the views of one generation are made from."""

    config: Config
    atlas: Atlas
    contents: Contents
    places: dict[str, Places]
    keep: Keep

    def recipe(self, steering: Steering) -> str:
        """The digest of all that goes into a view, but the leaders of the last generation."""
        return digest(view_recipe(self.config, self.atlas, steering, self.places))

    def view(self, steering: Steering) -> View:
        """Work a view out."""
        by_latency = any(self.config.pools[each].order == "latency" for each in steering.pools)
        leaders = self.keep.leaders(f"{steering.key:016x}") if by_latency else {}
        return View(self.atlas, self.config, steering, self.places, leaders)


def _pools(
    order: Order,
    places: dict[str, Places],
    points: dict[str, tuple[float, float]],
    keep: Keep,
) -> Iterator[Entry]:
    """Pools and targets are made together: they name the same slots."""
    config = order.config
    recipe = digest(pools_recipe(config, order.slots, points))
    kept = [keep.reuse(*section, recipe) for section in _POOL_SECTIONS]
    if all(kept):
        yield from filter(None, kept)
        return
    slots = Slots(order.slots, order.generation, keep.targets(), order.acknowledged)
    pools = compile_pools(config, places, points, slots)
    for section, octets in zip(_POOL_SECTIONS, (pools, slots.encode(config)), strict=True):
        yield keep.write(*section, octets, recipe)


def _worth(size: Size) -> bool:
    return size.octets <= SMALL_OCTETS or size.share <= WORTH_SHARE


def _encode_view(make: Callable[[], View], direct: bool) -> bytes:
    return make().encode(direct=direct)

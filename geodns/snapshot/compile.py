"""A Config and a World become the sections and the manifest of the next generation.

What has not changed since the last generation is not made again: an entry of the manifest
carries the digest of all that went into its section (its *recipe*).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from geodns.errors import Unavailable
from geodns.geo.world import World
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.snapshot.compile_pools import Places, compile_pools, places_of
from geodns.snapshot.compile_view import View, compile_geo, rank_pool
from geodns.snapshot.compile_zone import compile_zone, steered_types, view_key
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry, Manifest, write_durably
from geodns.snapshot.order import Order
from geodns.snapshot.overrides import SECTION_NAME as OVERRIDES
from geodns.snapshot.overrides import book_of, encode_book
from geodns.snapshot.section import Kind, Section, content_hash
from geodns.snapshot.slots import Slots, decode_targets

_POOL_SECTIONS = ((Kind.POOLS, "pools"), (Kind.TARGETS, "targets"))

OPTIONAL_KINDS = (Kind.TARGETS, Kind.OVERRIDES)
"""What a DNS engine can do without."""

Chain = tuple[str, ...]

RECIPE_FORMAT = 3
"""Raised whenever a section comes out different for the same input."""


@dataclass(slots=True)
class Compiler:
    """Makes generations in one data directory, reusing what the last one already has."""

    data_dir: Path
    world: World
    clock: Callable[[], float] = time.time
    _sizes: dict[Chain, tuple[str, int]] = field(default_factory=dict)

    def compile(self, order: Order, before: Manifest | None) -> Manifest:
        """Write the sections that are new; the manifest is the caller's to publish.

        Errors: ConfigError for what the format cannot hold, Unavailable when the directory
        cannot be written.
        """
        known = {(entry.kind, entry.name): entry for entry in before.sections} if before else {}
        entries = list(self._entries(order, known))
        created = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        return Manifest(order.generation, created, tuple(entries), order.forced)

    def _entries(self, order: Order, known: dict[tuple[int, str], Entry]) -> Iterator[Entry]:
        config = order.config
        database = self.world.info.sha256
        keep = _Keep(self.data_dir / SNAPSHOT_DIR, known)
        yield keep.entry(Kind.GEO, "geo", [database], lambda: compile_geo(self.world))
        places = {pool_id: places_of(config, pool_id) for pool_id in config.pools}
        yield from self._pools(order, places, keep)
        book = book_of(config)
        yield keep.entry(Kind.OVERRIDES, OVERRIDES, book, partial(encode_book, book))
        yield from self._views(order, places, keep)
        for zone_id in sorted(config.zones):
            recipe = _zone_recipe(config, zone_id)
            serial = self._serial(keep.section(Kind.ZONE, zone_id))
            make = partial(compile_zone, config, zone_id, serial)
            yield keep.entry(Kind.ZONE, zone_id, recipe, make)

    def _pools(self, order: Order, places: dict[str, Places], keep: _Keep) -> Iterator[Entry]:
        """Pools and targets are made together: they name the same slots."""
        config = order.config
        parts = (config.nodes, config.pools, config.monitors)
        recipe = [order.slots, *({k: _plain(v) for k, v in part.items()} for part in parts)]
        kept = [keep.reuse(*section, recipe) for section in _POOL_SECTIONS]
        if all(kept):
            yield from filter(None, kept)
            return
        slots = Slots(order.slots, order.generation, keep.targets(), order.acknowledged)
        pools = compile_pools(config, places, slots)
        for section, octets in zip(_POOL_SECTIONS, (pools, slots.encode(config)), strict=True):
            yield keep.write(*section, octets, recipe)

    def _views(self, order: Order, places: dict[str, Places], keep: _Keep) -> Iterator[Entry]:
        config = order.config
        chains = sorted({config.chain(steer.pool) for steer in config.steers.values()})
        spent = 0
        for chain in chains:
            pools = [config.pools[pool_id] for pool_id in chain]
            recipe: list[object] = [self.world.info.sha256, order.default_location, chain]
            recipe += [[p.order, p.band_percent, p.band_km] for p in pools]
            recipe += [places[pool_id].points.tolist() for pool_id in chain]
            # Both its size and its section need the view; it is worked out once, if at all.
            make = cache(partial(self._view, order, chain, places))
            size = self._sizes.get(chain, ("", 0))
            if size[0] != _digest(recipe):
                size = self._sizes[chain] = (_digest(recipe), make().direct_size())
            spent += size[1]
            direct = spent <= order.view_budget
            name = f"{view_key(chain):016x}"
            encode = partial(_encode_view, make, direct)
            yield keep.entry(Kind.VIEW, name, [*recipe, direct], encode)
        self._sizes = {chain: self._sizes[chain] for chain in chains}

    def _view(self, order: Order, chain: Chain, places: dict[str, Places]) -> View:
        pools, default = order.config.pools, order.default_location
        rankings = [rank_pool(self.world, default, pools[each], places[each]) for each in chain]
        return View(self.world, chain, rankings)

    def _serial(self, before: Section | None) -> int:
        """RFC 1982 serials grow; the Unix time tells a person when the zone last changed."""
        now = int(self.clock())
        return max(before.column("serial")[0] + 1, now) & 0xFFFF_FFFF if before else now


class _Keep:
    """The section files: those of the last generation, and those being added."""

    def __init__(self, directory: Path, known: dict[tuple[int, str], Entry]) -> None:
        self._directory = directory
        self._known = known

    def entry(self, kind: Kind, name: str, recipe: object, make: Callable[[], bytes]) -> Entry:
        """The last generation's entry if it was made from the same, else a new one."""
        return self.reuse(kind, name, recipe) or self.write(kind, name, make(), recipe)

    def reuse(self, kind: Kind, name: str, recipe: object) -> Entry | None:
        """The last generation's entry, if it was made from the same and is still there."""
        before = self._known.get((kind, name))
        if before is None or before.recipe != _digest(recipe) or not self._path(before).exists():
            return None
        return before

    def write(self, kind: Kind, name: str, octets: bytes, recipe: object) -> Entry:
        """Write a section, durably, unless a file of that content is already there."""
        digest = _digest(recipe)
        optional = kind in OPTIONAL_KINDS
        entry = Entry(kind, name, content_hash(octets), len(octets), optional, digest)
        path = self._path(entry)
        try:
            if not path.exists():
                self._directory.mkdir(exist_ok=True)
                write_durably(path, octets)
        except OSError as error:
            raise Unavailable(f"Section {path} cannot be written: {error}.") from None
        return entry

    def section(self, kind: Kind, name: str) -> Section | None:
        """A section of the last generation; None if there is none or it has gone bad."""
        entry = self._known.get((kind, name))
        try:
            octets = self._path(entry).read_bytes() if entry else b""
        except OSError:
            return None
        return Section(octets) if entry and content_hash(octets) == entry.hash else None

    def targets(self) -> dict[str, Any] | None:
        section = self.section(Kind.TARGETS, "targets")
        return decode_targets(section) if section else None

    def _path(self, entry: Entry) -> Path:
        return self._directory / entry.hash


def _zone_recipe(config: Config, zone_id: str) -> list[object]:
    """All that a zone's section is made from, but its serial."""
    steers = [(owner, steer) for (zone, owner), steer in config.steers.items() if zone == zone_id]
    types = {pool: steered_types(config, pool) for pool in {steer.pool for _, steer in steers}}
    return [
        _plain(config.zones[zone_id]),
        [
            [owner, _plain(steer), config.chain(steer.pool), types[steer.pool]]
            for owner, steer in steers
        ],
        [
            [owner, rtype, _plain(rrset)]
            for (zone, owner, rtype), rrset in config.rrsets.items()
            if zone == zone_id
        ],
    ]


def _plain(resource: Resource) -> dict[str, Any]:
    return resource.model_dump(mode="json")


def _digest(recipe: object) -> str:
    text = json.dumps([RECIPE_FORMAT, recipe], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _encode_view(make: Callable[[], View], direct: bool) -> bytes:
    return make().encode(direct=direct)

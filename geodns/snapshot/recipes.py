"""Recipes: all that a section is made from, as plain data. Equal recipes make equal sections."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from operator import itemgetter

from geodns.document.remember import once
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.model.pool import Pool
from geodns.model.zone import Zone
from geodns.snapshot.atlas import Atlas
from geodns.snapshot.places import Places
from geodns.snapshot.steerings import Steering, ZoneContents

RECIPE_FORMAT = 4
"""Raised whenever a section comes out different for the same input."""


def digest(recipe: object) -> str:
    """What tells recipes apart."""
    text = json.dumps([RECIPE_FORMAT, recipe], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def pools_recipe(
    config: Config, slots: int, points: Mapping[str, tuple[float, float]]
) -> list[object]:
    """What the sections of all pools and of all targets are made from."""
    parts = (config.nodes, config.pools, config.monitors)
    told = ({key: _text_once(each) for key, each in part.items()} for part in parts)
    return [slots, dict(points), *told]


def view_recipe(
    config: Config, atlas: Atlas, steering: Steering, places: Mapping[str, Places]
) -> list[object]:
    """What a view is made from, the leaders of the last generation left out."""
    pools = [config.pools[pool_id] for pool_id in steering.pools]
    shedding = {node_id for node_id, node in config.nodes.items() if node.shed is not None}
    return [
        atlas.points.key,
        _asn_database(atlas, steering, pools, [places[pool_id] for pool_id in steering.pools]),
        steering.key,
        [places[pool_id].digest for pool_id in steering.pools],
        [sorted(shedding & config.members(pool_id).keys()) for pool_id in steering.pools],
        [pool.model_dump(mode="json", include=_RANKED_BY) for pool in pools],
        [_text(config.latencies[pool.latency]) for pool in pools if pool.latency is not None],
    ]


_RANKED_BY = {
    "order",
    "band_percent",
    "band_km",
    "band_ms",
    "hysteresis_ms",
    "hysteresis_percent",
    "latency",
    "spread",
    "sticky_bits",
}
"""The fields of a pool that its views depend on beyond its places."""


def _asn_database(
    atlas: Atlas, steering: Steering, pools: Iterable[Pool], places: Iterable[Places]
) -> str | None:
    """The digest of the database of AS numbers, if it may be needed at all."""
    terms = (term for each in places for pair in each.terms for term in pair if term is not None)
    by_table = any(pool.latency is not None for pool in pools)
    if not by_table and not any(matchers.asns for matchers in (*steering.rules, *terms)):
        return None
    table = atlas.asns()
    return table.sha256 if table else None


class ZoneRecipes:
    """The digests of zones, worked out anew only for those in which something is another object."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Zone, ZoneContents, str]] = {}

    def of(self, zone_id: str, zone: Zone, contents: ZoneContents) -> str:
        """The digest of a zone's recipe."""
        known = self._known.get(zone_id)
        if known is None or known[0] is not zone or not known[1].is_same(contents):
            known = self._known[zone_id] = zone, contents, digest(zone_recipe(zone, contents))
        return known[2]

    def forget_but(self, zones: Container[str]) -> None:
        """Let go of zones that are no more."""
        for zone_id in [each for each in self._known if each not in zones]:
            del self._known[zone_id]


def zone_recipe(zone: Zone, contents: ZoneContents) -> list[object]:
    """What a zone's section is made from, its serial left out.

    In order: a document and the store that kept it list the same in different ones.
    """
    return [
        _text(zone),
        [
            [owner, steer.ttl, steer.ttl_min, steer.ecs, f"{how.key:016x}", how.types]
            for owner, steer, how in sorted(contents.steers, key=itemgetter(0))
        ],
        [
            [owner, rtype, _text(rrset)]
            for owner, rtype, rrset in sorted(contents.rrsets, key=itemgetter(0, 1))
        ],
    ]


def _text(resource: Resource) -> str:
    return resource.model_dump_json()


_text_once = once(_text)

"""Where the members of a pool stand, and whom they may answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodns.document.places import location_of
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.rule import Matchers
from geodns.steering.nearest import PlaceSet, bias_factor

PLACE_DEGREES = 3
"""Decimals of a degree within which nodes stand together: 0.001 degrees are some 100 m."""

Terms = tuple[Matchers | None, Matchers | None]
"""Whom a node serves (None: everybody), and whom of those it refuses."""


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a pool.

    Shape: ``set.points`` is (n, 2) of latitude, longitude; ``members[p]`` are the node ids at
    place p, ``terms[p]`` theirs; ``digest`` tells all but the members. Unless it is ordered by
    distance, a pool has one place for each member.
    """

    set: PlaceSet
    members: tuple[tuple[str, ...], ...]
    terms: tuple[Terms, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.members)


def places_of(config: Config, pool_id: str, points: dict[str, tuple[float, float]]) -> Places:
    """The places of a pool, numbered by their first member's position in the pool."""
    pool = config.pools[pool_id]
    nearest, symmetric = pool.order == "nearest", pool.bias_mode == "symmetric"
    together: dict[object, list[str]] = {}
    for node_id in config.members(pool_id):
        node = config.nodes[node_id]
        spot = (points[node_id], node.bias, node.serves, node.refuses)
        together.setdefault(spot if nearest else node_id, []).append(node_id)
    members = tuple(tuple(ids) for ids in together.values())
    first = [config.nodes[ids[0]] for ids in members]
    factor = [bias_factor(node.bias, symmetric=symmetric) if nearest else 1.0 for node in first]
    where: NDArray[np.float64] = np.array([points[ids[0]] for ids in members], np.float64)
    stand = PlaceSet(where.reshape(len(members), 2), np.array(factor, np.float64))
    terms = tuple((node.serves, node.refuses) for node in first)
    return Places(stand, members, terms, _digest(stand, members, terms, pool.order == "latency"))


def _digest(
    stand: PlaceSet, members: tuple[tuple[str, ...], ...], terms: tuple[Terms, ...], named: bool
) -> str:
    """Of latency pools the members count, too: tables know nodes by their ids."""
    told = hashlib.sha256(stand.points.tobytes() + stand.factor.tobytes())
    told.update(repr(members if named else len(members)).encode())
    for number, pair in enumerate(terms):
        for matchers in pair if any(pair) else ():
            told.update(f"{number} {matchers and matchers.model_dump_json()}".encode())
    return told.hexdigest()


def points_of(config: Config) -> dict[str, tuple[float, float]]:
    """Latitude and longitude of every node, by id."""
    return {node_id: _point(node_id, node) for node_id, node in config.nodes.items()}


def _point(node_id: str, node: Node) -> tuple[float, float]:
    location = location_of(node)
    if location is None:  # `document.check` requires one
        raise AssertionError(f"node {node_id} has no location")
    return round(location.lat, PLACE_DEGREES), round(location.lon, PLACE_DEGREES)

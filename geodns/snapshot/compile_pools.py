"""All pools into one section, and the targets that their members are watched as.

Columns (see FORMAT.md): per pool ``key param place_at``, per place ``member_at tail_at`` with
``tail``, per member ``node weight v4_at v6_at cname_at``, per target ``v4_address v4_slot v4_tag``
and ``v6_high v6_low v6_slot v6_tag``, ``cname_end cname_octets cname_slot cname_tag``;
``names`` is JSON, for people.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from geodns.dns import names
from geodns.model.config import Config
from geodns.model.pool import Pool
from geodns.snapshot.compile_zone import view_key
from geodns.snapshot.layout import ORDERS
from geodns.snapshot.section import Kind, encode
from geodns.snapshot.slots import Slots
from geodns.steering.rank import NEAREST, tails

PLACE_DEGREES = 3
"""Decimals of a degree within which nodes stand together: 0.001 degrees are some 100 m."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the members of a pool stand.

    Shape: ``points`` is (n, 2) of latitude, longitude; ``members[p]`` are the node ids at
    place p. A pool that is not ordered by distance has one place for each member.
    """

    points: NDArray[np.float64]
    members: tuple[tuple[str, ...], ...]


def places_of(config: Config, pool_id: str) -> Places:
    """The places of a pool, numbered by their first member's position in the pool."""
    nearest = config.pools[pool_id].order == "nearest"
    together: dict[object, list[str]] = {}
    for node_id in config.members(pool_id):
        point = _point(config, node_id)
        together.setdefault(point if nearest else node_id, []).append(node_id)
    members = tuple(tuple(ids) for ids in together.values())
    points = [_point(config, ids[0]) for ids in members]
    return Places(np.array(points, np.float64).reshape(len(points), 2), members)


def _point(config: Config, node_id: str) -> tuple[float, float]:
    location = config.nodes[node_id].location
    if location is None:  # `document.check` requires one
        raise AssertionError(f"node {node_id} has no location")
    return round(location.lat, PLACE_DEGREES), round(location.lon, PLACE_DEGREES)


def compile_pools(config: Config, places: dict[str, Places], slots: Slots) -> bytes:
    """The section of all pools. Takes a slot for every target it names."""
    columns = _Columns()
    nodes = sorted(config.nodes)
    number_of = {node_id: number for number, node_id in enumerate(nodes)}
    for pool_id in sorted(config.pools):
        columns.add_pool(config, pool_id, places[pool_id], number_of, slots)
    texts = {
        "pools": sorted(config.pools),
        "orders": [config.pools[pool_id].order for pool_id in sorted(config.pools)],
        "monitors": [config.pools[pool_id].monitor for pool_id in sorted(config.pools)],
        "nodes": nodes,
        "points": [_point(config, node_id) for node_id in nodes],
    }
    return encode(Kind.POOLS, {**vars(columns), "names": json.dumps(texts).encode()})


class _Columns:
    """The section's columns as they grow; the attributes are their names."""

    def __init__(self) -> None:
        self.key = array("Q")
        self.param = array("I")
        self.place_at = array("I", [0])
        self.member_at = array("I", [0])
        self.tail_at = array("I", [0])
        self.tail = array("I")
        self.node = array("I")
        self.weight = array("I")
        self.v4_at = array("I", [0])
        self.v4_address = array("I")
        self.v4_slot = array("I")
        self.v4_tag = array("I")
        self.v6_at = array("I", [0])
        self.v6_high = array("Q")
        self.v6_low = array("Q")
        self.v6_slot = array("I")
        self.v6_tag = array("I")
        self.cname_at = array("I", [0])
        self.cname_end = array("I", [0])
        self.cname_octets = bytearray()
        self.cname_slot = array("I")
        self.cname_tag = array("I")

    def add_pool(
        self,
        config: Config,
        pool_id: str,
        places: Places,
        number_of: dict[str, int],
        slots: Slots,
    ) -> None:
        pool = config.pools[pool_id]
        weights = config.members(pool_id)
        self.key.append(view_key((pool_id,)))
        self.param.extend(_params(pool))
        for ids in places.members:
            for node_id in ids:
                self.node.append(number_of[node_id])
                self.weight.append(weights[node_id])
                self._add_targets(config, node_id, pool.monitor, slots)
            self.member_at.append(len(self.node))
        self._add_tails(places, pool)
        self.place_at.append(len(self.member_at) - 1)

    def _add_targets(self, config: Config, node_id: str, monitor: str | None, slots: Slots) -> None:
        node = config.nodes[node_id]
        for text in node.addresses:
            address = ip_address(text)
            slot, tag = slots.take(text, monitor, node_id, node.probe_address)
            if address.version == 4:
                self.v4_address.append(int(address))
                self.v4_slot.append(slot)
                self.v4_tag.append(tag)
            else:
                self.v6_high.append(int(address) >> 64)
                self.v6_low.append(int(address) & 0xFFFF_FFFF_FFFF_FFFF)
                self.v6_slot.append(slot)
                self.v6_tag.append(tag)
        if node.cname is not None:
            slot, tag = slots.take(node.cname, monitor, node_id, node.probe_address)
            self.cname_octets += names.from_text(node.cname)
            self.cname_end.append(len(self.cname_octets))
            self.cname_slot.append(slot)
            self.cname_tag.append(tag)
        self.cname_at.append(len(self.cname_slot))
        self.v4_at.append(len(self.v4_slot))
        self.v6_at.append(len(self.v6_slot))

    def _add_tails(self, places: Places, pool: Pool) -> None:
        needed = pool.order == "nearest" and len(places.members) > NEAREST
        for tail in tails(places.points) if needed else [()] * len(places.members):
            self.tail.frombytes(np.asarray(tail, np.uint32).tobytes())
            self.tail_at.append(len(self.tail))


def _params(pool: Pool) -> list[int]:
    return [
        ORDERS.index(pool.order),
        int(pool.spread == "weighted"),
        pool.answers,
        pool.min_answers,
        pool.min_up,
        int(pool.families == "near"),
        int(pool.all_down == "open"),
        0,
    ]

"""All pools into one section, and the targets that their members are watched as.

Columns: see FORMAT.md.
"""

from __future__ import annotations

import json
from array import array
from socket import AF_INET, AF_INET6, inet_pton

import numpy as np

from geodns.dns import names
from geodns.geo.vectors import unit_vectors
from geodns.model.config import Config
from geodns.model.pool import Pool
from geodns.snapshot.layout import ORDERS, POINT_SCALE, SPREADS
from geodns.snapshot.places import Places
from geodns.snapshot.section import Kind, encode
from geodns.snapshot.slots import Slots
from geodns.snapshot.steerings import key_of


def compile_pools(
    config: Config,
    places: dict[str, Places],
    points: dict[str, tuple[float, float]],
    slots: Slots,
) -> bytes:
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
        "points": [points[node_id] for node_id in nodes],
    }
    return encode(Kind.POOLS, {**vars(columns), "names": json.dumps(texts).encode()})


class _Columns:
    """The section's columns as they grow; the attributes are their names."""

    def __init__(self) -> None:
        self.key = array("Q")
        self.param = array("I")
        self.place_at = array("I", [0])
        self.member_at = array("I", [0])
        self.x = array("I")
        self.y = array("I")
        self.z = array("I")
        self.node = array("I")
        self.node_key = array("Q")
        self.weight = array("I")
        self.shed = array("B")
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
        self.key.append(key_of(pool_id))
        self.param.extend(_params(pool))
        for ids in places.members:
            for node_id in ids:
                self.node.append(number_of[node_id])
                self.node_key.append(key_of(node_id))
                self.weight.append(weights[node_id])
                self.shed.append(config.nodes[node_id].shed is not None)
                self._add_targets(config, node_id, pool, slots)
            self.member_at.append(len(self.node))
        self._add_points(places)
        self.place_at.append(len(self.member_at) - 1)

    def _add_targets(self, config: Config, node_id: str, pool: Pool, slots: Slots) -> None:
        node = config.nodes[node_id]

        def take(target: str) -> tuple[int, int]:
            return slots.take(target, pool.monitor, node_id, node, pool.slow_start_s)

        for text in node.addresses:
            slot, tag = take(text)
            if ":" not in text:
                self.v4_address.append(int.from_bytes(inet_pton(AF_INET, text), "big"))
                self.v4_slot.append(slot)
                self.v4_tag.append(tag)
            else:
                octets = inet_pton(AF_INET6, text)
                self.v6_high.append(int.from_bytes(octets[:8], "big"))
                self.v6_low.append(int.from_bytes(octets[8:], "big"))
                self.v6_slot.append(slot)
                self.v6_tag.append(tag)
        if node.cname is not None:
            slot, tag = take(node.cname)
            self.cname_octets += names.from_text(node.cname)
            self.cname_end.append(len(self.cname_octets))
            self.cname_slot.append(slot)
            self.cname_tag.append(tag)
        self.cname_at.append(len(self.cname_slot))
        self.v4_at.append(len(self.v4_slot))
        self.v6_at.append(len(self.v6_slot))

    def _add_points(self, places: Places) -> None:
        points = places.set.points
        scaled = np.round((unit_vectors(points[:, 0], points[:, 1]) + 1) * POINT_SCALE)
        for column, values in zip((self.x, self.y, self.z), scaled.T, strict=True):
            column.frombytes(values.astype(np.uint32).tobytes())


def _params(pool: Pool) -> list[int]:
    return [
        ORDERS.index(pool.order),
        SPREADS.index(pool.spread),
        pool.answers,
        pool.min_answers,
        pool.min_up,
        int(pool.families == "near"),
        int(pool.all_down == "open"),
        pool.sticky_bits.v4 | pool.sticky_bits.v6 << 8,
    ]

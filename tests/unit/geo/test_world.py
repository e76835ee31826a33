from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pytest

from geodns.geo.locations import SPECIAL, UNKNOWN
from geodns.geo.world import World, load_world

from .conftest import FRANCE, MILAN, PARIS, ROME, TINY, MakeDatabase

Address = IPv4Address | IPv6Address
HOMELESS = ["0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "192.168.0.0/16"]
HOMELESS += ["224.0.0.0/4", "240.0.0.0/4", "::/48", "fc00::/7", "fe80::/10", "fec0::/10"]
HOMELESS += ["ff00::/8", "2001::/23", "2001:db8::/32", "2002::/16", "64:ff9b::/48"]
HOMELESS += ["64:ff9b:1::/48"]


def number_of(world: World, address: Address) -> int:
    if address.version == 4:
        return int(world.location4[bisect_right(world.starts4.tolist(), int(address)) - 1])
    return int(world.location6[bisect_right(world.starts6.tolist(), int(address) >> 64) - 1])


def place(world: World, text: str) -> tuple[Any, ...] | int:
    number = number_of(world, ip_address(text))
    if number in (UNKNOWN, SPECIAL):
        return number
    at = world.locations
    return (
        float(at.latitude[number]),
        float(at.longitude[number]),
        at.country[number],
        at.subdivision[number],
        bool(at.coarse[number]),
    )


def told(record: Any) -> tuple[Any, ...] | int:
    point = record.get("location") if record else None
    if not point:
        return UNKNOWN
    parts = record.get("subdivisions") or [{"iso_code": ""}]
    radius_km = point.get("accuracy_radius", 0)
    return (
        point["latitude"],
        point["longitude"],
        record["country"]["iso_code"],
        parts[0]["iso_code"],
        radius_km >= 1000,
    )


def expected(text: str) -> tuple[Any, ...] | int:
    """From the networks as written: the largest known share of the address's /24 or /48."""
    address = ip_address(text)
    if any(address in ip_network(block) for block in HOMELESS):
        return SPECIAL
    block = ip_network((address, 24 if address.version == 4 else 48), strict=False)
    shares: Counter[Any] = Counter()
    for name, record in TINY.items():
        network = ip_network(name)
        if network.version == block.version and network.overlaps(block):
            smaller = min(network.num_addresses, block.num_addresses)
            shares[told(record)] += smaller if told(record) != UNKNOWN else 0
    return max(shares, key=lambda found: shares[found]) if +shares else UNKNOWN


@pytest.fixture(scope="module")
def world(tiny: Path) -> World:
    return load_world(tiny, None)


def edges() -> list[str]:
    """Addresses on both sides of every edge of the small database."""
    found: set[str] = set()
    for name in (*TINY, *HOMELESS):
        network = ip_network(name)
        top = (1 << network.max_prefixlen) - 1
        kind = type(network.network_address)
        for edge in (int(network[0]), int(network[-1])):
            found |= {str(kind(edge + d)) for d in (-1, 0, 1) if 0 <= edge + d <= top}
    return sorted(found)


@pytest.mark.parametrize("address", edges())
def test_each_edge_has_the_place_of_its_network(world: World, address: str) -> None:
    assert place(world, address) == expected(address)


def test_the_largest_share_speaks_for_a_block(world: World) -> None:
    assert place(world, "2.0.1.200") == told(PARIS)
    assert place(world, "2.0.2.200") == told(PARIS)
    assert place(world, "2a01:2:3::") == told(PARIS)
    assert place(world, "2a01:2:5:ffff::") == told(ROME)


def test_a_place_known_by_country_alone_is_coarse(world: World) -> None:
    assert place(world, "2.0.4.1") == told(FRANCE)
    assert told(FRANCE) != told(PARIS)


def test_tables_cover_all_in_whole_blocks_and_merge_equals(world: World) -> None:
    for starts, values, step in (
        (world.starts4, world.location4, 1 << 8),
        (world.starts6, world.location6, 1 << 16),
    ):
        assert starts[0] == 0
        assert (np.diff(starts.astype(object)) > 0).all()
        assert not (starts % starts.dtype.type(step)).any()
        assert (values[1:] != values[:-1]).all()
        assert int(values.max()) < len(world.locations)
    assert (world.starts4.dtype, world.starts6.dtype) == (np.uint32, np.uint64)


def test_only_the_first_two_locations_have_no_coordinates(world: World) -> None:
    assert np.isnan(world.locations.latitude[:2]).all()
    assert not np.isnan(world.locations.latitude[2:]).any()
    assert len(world.locations) == 2 + len({told(r) for r in (ROME, MILAN, PARIS, FRANCE)})


def test_a_file_of_ipv4_alone_leaves_ipv6_unknown(make_database: MakeDatabase) -> None:
    world = load_world(make_database({"2.0.0.0/8": MILAN}, ip_version=4), None)
    assert place(world, "2.1.2.3") == told(MILAN)
    assert place(world, "2a01:1::") == UNKNOWN


def test_a_default_place_for_all_of_ipv4_fills_it(make_database: MakeDatabase) -> None:
    world = load_world(make_database({"0.0.0.0/0": MILAN}), None)
    assert place(world, "8.8.8.8") == told(MILAN)
    assert place(world, "10.0.0.1") == SPECIAL
    assert place(world, "2a01:1::") == UNKNOWN


def test_a_branch_that_is_the_ipv4_tree_again_is_not_followed(tiny: Path, tmp_path: Path) -> None:
    aliased = tmp_path / "aliased.mmdb"
    aliased.write_bytes(with_alias(tiny.read_bytes(), node_bits="2a01:1::", depth=32))
    world = load_world(aliased, None)
    assert place(world, "2a01:1::") == UNKNOWN
    assert place(world, "2a00::1") == told(ROME)
    assert len(world.starts6) < len(load_world(tiny, None).starts6)


def with_alias(content: bytes, node_bits: str, depth: int) -> bytes:
    """Point the child at a prefix to where ::/96 leads. Records are of 24 bits."""

    def child(node: int, bit: int) -> int:
        return int.from_bytes(content[node * 6 + bit * 3 :][:3], "big")

    def follow(bits: str) -> int:
        node = 0
        for bit in bits:
            node = child(node, int(bit))
        return node

    bits = f"{int(IPv6Address(node_bits)):0128b}"[:depth]
    at = follow(bits[:-1]) * 6 + int(bits[-1]) * 3
    return content[:at] + follow("0" * 96).to_bytes(3, "big") + content[at + 3 :]


def test_the_default_database_is_walked_as_maxminddb_reads_it(default_database: Path) -> None:
    world, rng = load_world(default_database, None), random.Random(7)
    starts4, starts6 = world.starts4.tolist(), world.starts6.tolist()
    four = [IPv4Address(rng.getrandbits(32)) for _ in range(4000)]
    four += [IPv4Address(start) for start in rng.sample(starts4, 4000)]
    six = [IPv6Address(start << 64 | 1) for start in rng.sample(starts6, 4000)]
    with maxminddb.open_database(default_database) as reader:
        for address in (*four, *six):
            starts, values = (
                (starts4, world.location4) if address.version == 4 else (starts6, world.location6)
            )
            value = int(address) >> (64 if address.version == 6 else 0)
            number = int(values[bisect_right(starts, value) - 1])
            record: Any = reader.get(address)
            point = record["location"] if record else {"latitude": None, "longitude": None}
            if number in (UNKNOWN, SPECIAL):
                assert record is None, address
            else:
                assert world.locations.latitude[number] == point["latitude"], address
                assert world.locations.longitude[number] == point["longitude"], address
                assert world.locations.country[number] == record["country"]["iso_code"], address

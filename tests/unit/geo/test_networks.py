"""The operator's networks in the world."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import ip_network
from pathlib import Path

import pytest

from geodns.geo.locations import SPECIAL, UNKNOWN
from geodns.geo.networks import PlacedNetwork, with_networks
from geodns.geo.world import World, load_world
from geodns.model.subnet import prefix_of


def network(name: str, at: tuple[float, float], *subnets: str) -> PlacedNetwork:
    return PlacedNetwork(name, tuple(map(prefix_of, subnets)), *at)


def location(world: World, address: str) -> int:
    value = ip_network(address)
    if value.version == 4:
        at = bisect_right(world.starts4.tolist(), int(value.network_address)) - 1
        return int(world.location4[at])
    at = bisect_right(world.starts6.tolist(), int(value.network_address) >> 64) - 1
    return int(world.location6[at])


@pytest.fixture(scope="module")
def plain(tiny: Path) -> World:
    return load_world(tiny, None)


def test_networks_win_over_the_database_over_special_blocks_and_the_longer_over_the_wider(
    plain: World,
) -> None:
    office = network("office", (45.4, 9.2), "1.2.0.0/16", "10.0.0.0/8", "2a00:5::/64")
    lab = network("lab", (48.8, 2.3), "1.2.3.4/32", "10.9.0.0/16")
    world = with_networks(plain, [office, lab])
    first = len(plain.locations)
    assert [location(world, a) for a in ("1.2.0.0", "1.2.3.4", "1.2.3.5")] == [
        first, first + 1, first
    ]  # fmt: skip
    assert [location(world, a) for a in ("10.0.0.1", "10.9.255.255")] == [first, first + 1]
    assert location(world, "2a00:5::") == first
    for elsewhere in (
        "1.1.255.255",
        "1.3.0.0",
        "192.168.0.1",
        "2a00:4::",
        "2a00:5:0:1::",
        "9.9.9.9",
    ):
        assert location(world, elsewhere) == location(plain, elsewhere)
    assert location(world, "192.168.0.1") == SPECIAL
    assert location(world, "9.9.9.9") == UNKNOWN


def test_a_network_lies_in_the_region_nearest_to_it(plain: World) -> None:
    world = with_networks(plain, [network("office", (45.4, 9.2), "10.0.0.0/8")])
    columns = world.locations
    at = len(plain.locations)
    assert (columns.latitude[at], columns.longitude[at]) == (45.4, 9.2)
    assert (columns.continent[at], columns.country[at], columns.subdivision[at]) == (
        "EU",
        "IT",
        "25",
    )
    assert not columns.coarse[at]
    assert world.networks == ("office",)


def test_worlds_are_told_apart_by_their_networks(plain: World) -> None:
    assert with_networks(plain, []) is plain
    keys = {
        with_networks(plain, [network(name, at, subnet)]).key
        for name in ("a", "b")
        for at in ((1.0, 2.0), (1.0, 3.0))
        for subnet in ("1.0.0.0/8", "2.0.0.0/8")
    }
    assert len(keys | {plain.key}) == 9

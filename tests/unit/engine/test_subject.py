"""Whom we steer by when a subnet only embeds an IPv4 address."""

from __future__ import annotations

import pytest
from support.build import NEW_YORK, ROME, config, node, zone
from support.lab import Lab, addresses_of, scope_of

from geodns.geo.world import World

IN_ROME, IN_NEW_YORK = "198.18.0.1", "198.18.0.2"
RESOLVER = "3.1.1.1"  # New York


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    nodes = {"rome": node(ROME, IN_ROME), "york": node(NEW_YORK, IN_NEW_YORK)}
    zones = {"example.test": zone({"www": "web"})}
    made = config(zones, nodes, {"web": {"nodes": list(nodes)}})
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, made)


@pytest.mark.parametrize(
    ("subnet", "scope"),
    [
        ("2002:102:304::/48", 16 + 8),  # 1.0.0.0/8 is Rome
        ("2002:100::/24", 16 + 8),
        ("64:ff9b::102:304/128", 96 + 8),
        ("::ffff:1.2.3.0/120", 96 + 8),
    ],
)
def test_a_subnet_that_shows_an_embedded_address_is_steered_by_it(
    lab: Lab, subnet: str, scope: int
) -> None:
    reply = lab.ask("www.example.test", subnet=subnet, resolver=RESOLVER)
    assert (addresses_of(reply), scope_of(reply)) == ({IN_ROME}, scope)


@pytest.mark.parametrize(
    ("subnet", "scope"),
    [
        ("2002::/16", 16 + 8),  # 0.0.0.0/8 is special
        ("2002:a00::/32", 16 + 8),  # 10.0.0.0/8
        ("64:ff9b::/96", 96 + 8),
        ("64:ff9b::a00:0/104", 96 + 8),
        ("2001::/32", 128),  # Teredo shows its client with all 128 bits only
        ("2001:db8::/48", 32),
        ("64:ff9b:0:8000::/64", 49),  # up to where NAT64 addresses, steered otherwise, begin
        ("::5:0:0/96", 81),  # and mapped ones
    ],
)
def test_a_subnet_that_shows_none_or_a_special_one_is_steered_by_its_resolver(
    lab: Lab, subnet: str, scope: int
) -> None:
    reply = lab.ask("www.example.test", subnet=subnet, resolver=RESOLVER)
    assert (addresses_of(reply), scope_of(reply)) == ({IN_NEW_YORK}, scope)


@pytest.mark.parametrize("resolver", ["2a00::1", "2002:102:304::1", "::ffff:1.2.3.4", "1.2.3.4%lo"])
def test_a_resolver_of_either_family_is_in_its_place(lab: Lab, resolver: str) -> None:
    assert addresses_of(lab.ask("www.example.test", resolver=resolver)) == {IN_ROME}


def test_a_subnet_of_no_bits_is_steered_by_its_resolver(lab: Lab) -> None:
    reply = lab.ask("www.example.test", subnet="0.0.0.0/0", resolver=RESOLVER)
    assert (addresses_of(reply), scope_of(reply)) == ({IN_NEW_YORK}, 0)

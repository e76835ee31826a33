"""Faults of one resource's fields, in words that name the bound and what was meant."""

from __future__ import annotations

import pytest

from geodns.errors import ConfigError
from geodns.model.base import Resource, read
from geodns.model.monitor import Monitor
from geodns.model.node import Node
from geodns.model.pool import Pool
from geodns.model.zone import Zone


def faults(kind: type[Resource], body: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(kind, body)
    return [f"{each.pointer}: {each.detail} {each.hint}".strip() for each in caught.value.reasons]


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        (Node, {"location": {"lat": 95.2, "lon": 0}}, "/location/lat: Must be at most 90."),
        (Node, {"location": {"lat": "x", "lon": 0}}, "/location/lat: Must be a valid number."),
        (Node, {"weight": 1001}, "/weight: Must be at most 1000."),
        (Node, {"adresses": []}, "/adresses: There is no such field. Did you mean addresses?"),
        (Node, {"location": {"lat": 0}}, "/location/lon: This field is required."),
        (Pool, {"nodes": []}, "/nodes: Must have at least 1, not 0."),
        (Pool, {"order": "far"}, "/order: Must be 'nearest', 'listed', 'equal' or 'latency'."),
        (Monitor, {"type": "tcp", "timeout_s": 0}, "/timeout_s: Must be at least 0.05."),
        (Zone, {"nameservers": [{}]}, "/nameservers/0/name: This field is required."),
    ],
)
def test_a_fault_names_the_field_and_its_bound(
    kind: type[Resource], body: object, told: str
) -> None:
    assert faults(kind, body) == [told]


def test_an_unknown_field_like_no_other_is_told_which_there_are() -> None:
    (told,) = faults(Node, {"xyz": 1})
    assert told.startswith(
        "/xyz: There is no such field. Known are addresses, cname, at, location,"
    )


def test_all_faults_are_told_at_once() -> None:
    body = {"weight": -1, "location": {"lat": 95, "lon": 181}, "labels": {"A": "x"}}
    assert len(faults(Node, body)) == 4


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("169.254.0.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "zone id"),
        ("::ffff:192.0.2.1", "write 192.0.2.1"),
        ("192.0.2.300", "does not appear to be"),
    ],
)
def test_an_address_that_no_user_can_reach_is_refused(address: str, why: str) -> None:
    (told,) = faults(Node, {"addresses": [address]})
    assert told.startswith("/addresses/0: ")
    assert why in told


@pytest.mark.parametrize("address", ["127.0.8.1", "10.0.0.1", "100.64.0.1", "fd00::1", "::1"])
def test_an_address_of_a_network_of_ones_own_is_taken(address: str) -> None:
    assert read(Node, {"addresses": [address]}).addresses == (address,)

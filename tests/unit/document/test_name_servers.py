"""Where the address of a zone's name server may come from."""

from __future__ import annotations

from typing import Any

import pytest
from support.build import zone

from geodns.document.check import check
from geodns.document.load import from_document

ADDRESSED = [{"name": "ns1.example.test.", "addresses": ["192.0.2.53"]}]


def codes(zones: dict[str, Any]) -> list[str]:
    return [fault.code for fault in check(from_document({"geodns": 1, "zones": zones}))]


def test_a_server_of_one_zone_may_serve_another_without_its_address_again() -> None:
    zones = {
        "example.test": zone(nameservers=ADDRESSED),
        "other.test": zone(nameservers=["NS1.example.test."]),
    }
    assert codes(zones) == []


def test_a_server_below_a_cut_of_ours_has_its_address_elsewhere() -> None:
    cut = {"sub": {"NS": ["ns.far.invalid."]}}
    for server in ("sub.example.test.", "ns.sub.example.test."):
        zones = {
            "example.test": zone(nameservers=ADDRESSED, rrsets=cut),
            "other.test": zone(nameservers=[server]),
        }
        assert codes(zones) == []


@pytest.mark.parametrize("server", ["ns2.example.test.", "ns1.sub-not.example.test."])
def test_a_server_inside_our_zones_without_any_address_is_refused(server: str) -> None:
    zones = {
        "example.test": zone(nameservers=ADDRESSED, rrsets={"not": {"NS": ["ns.far.invalid."]}}),
        "other.test": zone(nameservers=[server]),
    }
    assert codes(zones) == ["glue_missing"]


def test_a_zone_too_long_for_a_hostmaster_needs_a_contact() -> None:
    name = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 51])  # 245 octets, and 11 more
    far = ["ns1.far.invalid."]
    assert codes({name: zone(nameservers=far)}) == ["required"]
    assert codes({name[1:]: zone(nameservers=far)}) == []
    assert codes({name: zone(nameservers=far, contact="dns@far.invalid")}) == []

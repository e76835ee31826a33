"""What is allowed but seldom meant."""

from __future__ import annotations

import pytest

from geodns.document.check import check, warnings
from geodns.document.load import from_document

NODE = {"addresses": ["192.0.2.1"], "location": {"lat": 0, "lon": 0}}
POOL = {"nodes": ["n"], "monitor": "m"}
ZONE = {"nameservers": ["ns.example.net"], "steers": {"www": {"pool": "p"}}}


def found(
    zone: dict[str, object] | None = None, pool: dict[str, object] | None = None, **sections: object
) -> list[tuple[str, str]]:
    document = {
        "geodns": 1,
        "zones": {"z.example": ZONE | (zone or {})},
        "pools": {"p": POOL | (pool or {})},
        "nodes": {"n": NODE},
        "monitors": {"m": {"type": "tcp", "port": 80}},
    }
    for name, section in sections.items():
        document[name] = document[name] | section  # type: ignore[operator]
    config = from_document(document)
    assert check(config) == []
    return [(reason.pointer, reason.code) for reason in warnings(config)]


def test_a_common_document_has_no_warning() -> None:
    assert found() == []


def test_a_pool_without_monitor_is_noted() -> None:
    assert ("/pools/p/monitor", "unmonitored") in found(pool={"monitor": None})


def test_a_selection_of_no_nodes_is_noted() -> None:
    noted = found(pool={"nodes": None, "select": {"tier": "edge"}})
    assert noted == [("/pools/p", "empty_pool"), ("/nodes/n", "unused")]


def test_a_min_up_above_the_number_of_nodes_is_noted() -> None:
    assert found(pool={"min_up": 2}) == [("/pools/p/min_up", "unreachable")]


def test_a_closed_pool_is_noted() -> None:
    assert found(pool={"all_down": "closed"}) == [("/pools/p/all_down", "closed")]


@pytest.mark.parametrize(("families", "count"), [("near", 1), ("each", 0)])
def test_uneven_families_are_noted_where_the_nearest_decides(families: str, count: int) -> None:
    nodes = {"v6": NODE | {"addresses": ["2001:db8::1"]}}
    noted = found(pool={"nodes": ["n", "v6"], "families": families}, nodes=nodes)
    assert noted == [("/pools/p/families", "uneven_families")] * count


@pytest.mark.parametrize(
    ("zone", "pointer"),
    [
        ({"ttl": 604_801}, "/zones/z.example/ttl"),
        ({"negative_ttl": 10_801}, "/zones/z.example/negative_ttl"),
        ({"rrsets": {"a": {"A": {"values": ["192.0.2.9"], "ttl": 604_801}}}},
         "/zones/z.example/rrsets/a/A/ttl"),
        ({"steers": {"www": {"pool": "p", "ttl": 301}}}, "/zones/z.example/steers/www/ttl"),
    ],
)  # fmt: skip
def test_a_ttl_that_outlives_its_use_is_noted(zone: dict[str, object], pointer: str) -> None:
    assert found(zone=zone) == [(pointer, "long_ttl")]


def test_what_nothing_uses_is_noted() -> None:
    noted = found(
        pools={"spare": POOL},
        nodes={"extra": NODE | {"addresses": ["192.0.2.2"]}},
        monitors={"old": {"type": "tcp", "port": 1}},
    )
    assert noted == [("/pools/spare", "unused"), ("/nodes/extra", "unused"),
                     ("/monitors/old", "unused")]  # fmt: skip


A, NS, TXT = {"A": ["192.0.2.1"]}, {"NS": ["ns.example.net."]}, {"TXT": ['"x"']}
DNAME = {"DNAME": ["other.example."]}
RRSETS = "/zones/z.example/rrsets"


@pytest.mark.parametrize(
    ("rrsets", "occluded"),
    [
        ({"sub": {"NS": ["NS.sub"]}, "ns.sub": A}, []),
        ({"sub": {"NS": ["sub"]} | A}, []),
        ({"sub": NS, "ns.sub": A}, [f"{RRSETS}/ns.sub/A"]),
        ({"sub": NS | A}, [f"{RRSETS}/sub/A"]),
        ({"sub": NS, "a.sub": TXT}, [f"{RRSETS}/a.sub/TXT"]),
        ({"sub": NS | TXT}, [f"{RRSETS}/sub/TXT"]),
        ({"sub": NS, "asub": TXT}, []),
        ({"old": DNAME | TXT}, []),
        ({"old": DNAME, "a.old": A}, [f"{RRSETS}/a.old/A"]),
        ({"@": DNAME, "a": TXT}, [f"{RRSETS}/a/TXT", "/zones/z.example/steers/www"]),
        ({"a.inner": TXT}, [f"{RRSETS}/a.inner/TXT"]),
        ({"inner": NS}, []),
        ({"sub": NS, "a.sub": NS}, [f"{RRSETS}/a.sub/NS"]),
    ],
)
def test_data_under_a_delegation_is_noted_but_for_glue(
    rrsets: dict[str, object], occluded: list[str]
) -> None:
    inner = {"inner.z.example": {"nameservers": ["ns.example.net"]}}
    noted = found(zone={"rrsets": rrsets}, zones={"z.example": ZONE | {"rrsets": rrsets}} | inner)
    assert noted == [(pointer, "occluded") for pointer in occluded]


@pytest.mark.parametrize(
    ("owner", "server", "noted"),
    [("sub", "ns.sub", 1), ("sub", "sub", 1), ("sub", "ns.far.invalid.", 0), ("inner", "inner", 0)],
)
def test_a_delegation_that_cannot_be_followed_is_noted(owner: str, server: str, noted: int) -> None:
    zone = ZONE | {"rrsets": {owner: {"NS": ["ns.example.net.", server]}}}
    inner = {"nameservers": ["ns.example.net"]}
    at = f"{RRSETS}/{owner}/NS/values/1"
    assert (
        found(zones={"z.example": zone, "inner.z.example": inner}) == [(at, "glue_missing")] * noted
    )


def test_a_steer_under_a_delegation_is_noted() -> None:
    zone = {"rrsets": {"sub": NS}, "steers": {"www.sub": {"pool": "p"}}}
    assert found(zone=zone) == [("/zones/z.example/steers/www.sub", "occluded")]


def test_an_owner_that_repeats_its_zone_is_noted() -> None:
    noted = found(zone={"rrsets": {"a.z.example": A}})
    assert noted == [(f"{RRSETS}/a.z.example/A", "doubled_name")]


def test_addresses_of_a_name_server_elsewhere_are_noted() -> None:
    server = {"name": "ns.example.net", "addresses": ["192.0.2.1"]}
    noted = found(zone={"nameservers": [server]})
    assert noted == [("/zones/z.example/nameservers/0/addresses", "unused")]

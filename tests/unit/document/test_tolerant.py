"""What was read and what was not are told of together, and nothing twice."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.errors import ConfigError, Reason
from geodns.model.config import Config

SOUND: dict[str, Any] = {
    "geodns": 1,
    "zones": {
        "example.com": {
            "nameservers": ["ns.example.com"],
            "steers": {
                "@": {"pool": "eu"},
                "www": {"pool": "eu", "ttl": 60, "ttl_min": 50},
                "cdn": {"pool": "names"},
                "beta": {"split": {"eu": 9, "all": 1},
                         "rules": [{"geos": ["EU27"], "pool": "quick"}]},
            },
            "rrsets": {"@": {"HTTPS": ["1 . ipv4hint=auto"]}, "ns": {"A": ["192.0.2.53"]}},
        },
        "child.example.com": {"nameservers": ["ns.example.com"]},
    },
    "pools": {
        "eu": {"nodes": ["fra1", "mil1"], "weights": {"fra1": 5}, "monitor": "web",
               "answers": 3, "min_answers": 2, "fallback": "all"},
        "all": {"select": {"tier": "edge"}, "weights": {"mil1": 7}},
        "names": {"select": {"tier": "cdn"}},
        "quick": {"nodes": ["at1"], "order": "latency", "latency": "measured"},
    },
    "nodes": {
        "fra1": {"addresses": ["192.0.2.10"], "location": {"lat": 50, "lon": 8.6},
                 "labels": {"tier": "edge"}},
        "mil1": {"addresses": ["192.0.2.20"], "location": {"lat": 45.6, "lon": 8.7},
                 "labels": {"tier": "edge"}},
        "at1": {"addresses": ["192.0.2.30"], "at": "FRA", "shed": {"lo": 1, "hi": 2}},
        "cdn1": {"cname": "edge.example.net", "location": {"lat": 0, "lon": 0},
                 "labels": {"tier": "cdn"}},
        "cdn2": {"cname": "edge2.example.net", "location": {"lat": 0, "lon": 0},
                 "labels": {"tier": "cdn"}},
    },
    "monitors": {
        "web": {"type": "https", "host": "www.example.com", "interval_s": 9, "timeout_s": 8},
    },
    "networks": {"office": {"subnets": ["10.0.0.0/8"], "at": "MXP"}},
    "latency": {"measured": [["EU-DE", "at1", 1, 1]]},
}  # fmt: skip

ZONE = "/zones/example.com"


def reasons(*changes: tuple[str, Any]) -> tuple[Reason, ...]:
    """Why the sound document is refused with values put at pointers (None takes them out)."""
    document = copy.deepcopy(SOUND)
    for at, value in changes:
        *path, last = at.split("/")[1:]
        parent: Any = document
        for step in path:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        if isinstance(parent, list):
            parent[int(last)] = value
        elif value is None:
            del parent[last]
        else:
            parent[last] = value
    with pytest.raises(ConfigError) as refused:
        from_document(document)
    return refused.value.reasons


def found(*changes: tuple[str, Any]) -> list[tuple[str, str]]:
    return [(reason.pointer, reason.code) for reason in reasons(*changes)]


def test_the_sound_document_has_no_fault() -> None:
    assert check(from_document(SOUND)) == []


def test_a_field_out_of_range_hides_no_unknown_node() -> None:
    wide, unknown = reasons(("/nodes/fra1/location/lat", 95.2), ("/pools/eu/nodes/1", "mil9"))
    assert (wide.pointer, wide.code) == ("/nodes/fra1/location/lat", "out_of_range")
    assert (unknown.pointer, unknown.code) == ("/pools/eu/nodes/1", "unknown_reference")
    assert unknown.hint == "Did you mean mil1?"


TOGETHER: list[tuple[list[tuple[str, Any]], set[str]]] = [
    ([("/pools/eu/order", "bad"), ("/pools/eu/monitor", "none")], {"/pools/eu/monitor"}),
    ([("/pools/names/order", "bad"), ("/pools/names/select", None)], {"/pools/names"}),
    ([("/pools/eu/order", "bad"), ("/pools/eu/min_answers", 9)], {"/pools/eu/min_answers"}),
    ([(f"{ZONE}/ttl", -1), (f"{ZONE}/nameservers", ["a..b"])], {f"{ZONE}/nameservers/0"}),
    ([(f"{ZONE}/ttl", -1), (f"{ZONE}/rrsets/ns", {"TXT": ['"x"']})],
     {f"{ZONE}/nameservers/0", "/zones/child.example.com/nameservers/0"}),
    ([(f"{ZONE}/nameservers", []), (f"{ZONE}/rrsets/ns/A", ["no"])],
     {f"{ZONE}/rrsets/ns/A/values/0"}),
    ([("/nodes/fra1", 5), (f"{ZONE}/steers/www/pool", "none")], {f"{ZONE}/steers/www/pool"}),
    ([("/nodes/fra1/weight", -1), ("/nodes/fra1/addresses", ["192.0.2.20"])],
     {"/nodes/mil1/addresses/0"}),
    ([("/nodes/fra1/weight", -1), ("/pools/names/answers", 2)], {"/pools/names/answers"}),
    ([(f"{ZONE}/steers/beta/ttl", -1), (f"{ZONE}/steers/beta/rules/0/geos", ["EU27", "EU27"])],
     {f"{ZONE}/steers/beta/rules/0/geos/1"}),
    ([("/pools/quick/band_ms", -1), ("/pools/quick/latency", "none")], {"/pools/quick/latency"}),
    ([("/nodes/at1/bias", 100), ("/nodes/at1/at", "Springfield")], {"/nodes/at1/at"}),
    ([("/monitors/web/rise", 0), ("/monitors/web/timeout_s", 10)], {"/monitors/web/timeout_s"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "further"), TOGETHER)
def test_faults_of_both_sorts_are_told_together(
    changes: list[tuple[str, Any]], further: set[str]
) -> None:
    own, *others = reasons(*changes)
    assert own.pointer.startswith(changes[0][0])
    assert {reason.pointer for reason in others} == further


ALONE: list[tuple[str, Any]] = [
    (f"{ZONE}/nameservers", None),
    (f"{ZONE}/nameservers", [5]),
    (f"{ZONE}/nameserver", ["ns1.example.net"]),
    (f"{ZONE}/rrset", {}),
    (f"{ZONE}/contact", 5),
    (f"{ZONE}/steers", []),
    (f"{ZONE}/steers/@/pool", 5),
    (f"{ZONE}/steers/www/ttl", -1),
    (f"{ZONE}/rrsets", []),
    (f"{ZONE}/rrsets/ns/A", 5),
    (f"{ZONE}/rrsets/@/HTTPS", []),
    ("/zones", []),
    ("/pools/eu/nodes", ["Not an id"]),
    ("/pools/eu/nodes", 5),
    ("/pools/eu/answers", 0),
    ("/pools/eu", 5),
    ("/pools/all/select", {}),
    ("/pools/all/Select", {}),
    ("/pools", 5),
    ("/nodes/fra1", []),
    ("/nodes/fra1/addresses", ["nonsense"]),
    ("/nodes/fra1/location", {"lat": 5}),
    ("/nodes/mil1/labels", 5),
    ("/nodes/cdn1/cname", 5),
    ("/nodes/Fra1", {}),
    ("/nodes", 5),
    (f"{ZONE}/steers/beta/split", {"eu": -1}),
    (f"{ZONE}/steers/beta/rules", [{"geos": ["EU28"], "pool": "nope"}]),
    (f"{ZONE}/steers/beta/rules", [{"subnets": ["10.0.0.1/8"]}]),
    ("/pools/quick/order", "fast"),
    ("/pools/quick/latency", "Not an id"),
    ("/nodes/at1/at", 5),
    ("/nodes/at1/shed", {"lo": -1, "hi": 2}),
    ("/nodes/at1/serves", {"geos": ["nowhere"]}),
    ("/networks/office/at", ""),
    ("/networks/office/subnets", []),
    ("/networks", 5),
    ("/latency/measured", [["EU-DE", "at1", 0, 1]]),
    ("/latency/measured", 5),
    ("/latency", []),
    ("/monitors/web/type", "icmp"),
    ("/monitors/web/host", 5),
    ("/monitors/web/interval_s", -1),
    ("/monitors", ["web"]),
    ("/geodns", 2),
]


@pytest.mark.parametrize(("at", "value"), ALONE)
def test_a_fault_of_a_field_has_no_echo(at: str, value: Any) -> None:
    assert all(pointer.startswith(at) for pointer, _ in found((at, value)))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("/pools/all/select", "/pools/all/selects"),
        ("/nodes/mil1/labels", "/nodes/mil1/label"),
        ("/nodes/mil1/addresses", "/nodes/mil1/address"),
        ("/monitors/web/host", "/monitors/web/hosts"),
        ("/pools/quick/latency", "/pools/quick/latencies"),
        ("/pools/quick/order", "/pools/quick/ordered"),
        ("/nodes/at1/at", "/nodes/at1/place"),
        ("/networks/office/at", "/networks/office/place"),
        ("/latency", "/latencies"),
        (f"{ZONE}/steers/beta/split", f"{ZONE}/steers/beta/splits"),
        ("/nodes", "/node"),
        ("/pools", "/pool"),
        ("/monitors", "/monitor"),
        (f"{ZONE}/rrsets", f"{ZONE}/rrset"),
        (f"{ZONE}/steers", f"{ZONE}/steer"),
    ],
)
def test_a_misspelt_field_has_no_echo(right: str, wrong: str) -> None:
    value: Any = SOUND
    for step in right.split("/")[1:]:
        value = value[step]
    assert found((right, None), (wrong, value)) == [(wrong, "unknown_field")]


def _resource(at: str) -> str:
    return "/".join(at.split("/")[:3])


SPOILT = st.sampled_from([each for each in ALONE if each[0].count("/") > 2])


@given(st.lists(SPOILT, min_size=1, max_size=4, unique_by=lambda each: _resource(each[0])))
def test_every_fault_of_a_field_is_told_first(changes: list[tuple[str, Any]]) -> None:
    joined = found(*changes)
    single = [fault for change in changes for fault in found(change)]
    assert sorted(joined[: len(single)]) == sorted(single)
    assert len(joined) == len(single)


def test_what_cannot_be_judged_is_not_guessed() -> None:
    def broken(_: Config) -> Config:
        raise RuntimeError

    with pytest.raises(ConfigError) as refused:
        from_document({"geodns": 1, "nodes": {"a": {"weight": -1}}}, broken)
    assert [reason.pointer for reason in refused.value.reasons] == ["/nodes/a/weight"]

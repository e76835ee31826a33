"""Contradictions between rules, splits, nodes, networks and tables: each by one small change."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest

from geodns.document.check import check, warnings
from geodns.document.load import from_document, to_document
from geodns.errors import ConfigError, Reason
from geodns.model.config import Config

MEMBER_STATES = (  # europa.eu, 2026
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
)

SOUND: dict[str, Any] = {
    "geodns": 1,
    "zones": {
        "example.com": {
            "nameservers": ["ns1.example.net"],
            "steers": {
                "www": {
                    "pool": "web",
                    "rules": [
                        {"geos": ["EU27", "unknown"], "pool": "eu", "fence": True},
                        {"subnets": ["198.51.100.0/24", "10.0.0.0/8"], "pool": "office"},
                        {"asns": [64500], "geos": ["NA-US-CA"], "split": {"web": 1, "eu": 1}},
                    ],
                },
                "beta": {"split": {"web": 95, "eu": 5}},
                "alias": {"pool": "names"},
            },
        },
    },
    "pools": {
        "web": {"nodes": ["fra1", "mil1"]},
        "eu": {"nodes": ["mil1"], "order": "latency", "latency": "measured"},
        "office": {"nodes": ["hq"], "fallback": "web"},
        "names": {"nodes": ["cdn1"]},
    },
    "nodes": {
        "fra1": {"addresses": ["192.0.2.10"], "at": "FRA", "shed": {"lo": 0.5, "hi": 0.9}},
        "mil1": {"addresses": ["192.0.2.20"], "at": "Milan", "bias": -99,
                 "serves": {"geos": ["EU", "AF"]}, "refuses": {"geos": ["EU-FR"], "asns": [1]}},
        "hq": {"addresses": ["192.0.2.30"], "location": {"lat": 45, "lon": 9}},
        "cdn1": {"cname": "edge.example.net", "location": {"lat": 0, "lon": 0}},
    },
    "networks": {
        "office": {"subnets": ["198.51.100.0/24", "2001:db8::/32"], "at": "MXP"},
        "lab": {"subnets": ["198.51.100.128/25"], "location": {"lat": 1, "lon": 2}},
    },
    "latency": {"measured": [["EU-DE", "mil1", 12.5, 100], ["AS64500", "fra1", 8, 3]]},
}  # fmt: skip

WWW = "/zones/example.com/steers/www"
RULES = f"{WWW}/rules"
BETA = "/zones/example.com/steers/beta"


def changed(*changes: tuple[str, Any]) -> Config:
    """The sound document with values put at pointers (None takes them out)."""
    document = copy.deepcopy(SOUND)
    for pointer, value in changes:
        *path, last = pointer.split("/")[1:]
        parent: Any = document
        for step in path:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        if value is None:
            del parent[last]
        elif isinstance(parent, list):
            parent[int(last) :] = [*value, *parent[int(last) + 1 :]]
        else:
            parent[last] = value
    return from_document(document)


def found(config: Config, **how: bool) -> list[tuple[str, str]]:
    return [(reason.pointer, reason.code) for reason in check(config, **how)]


def test_the_sound_document_has_no_fault_and_is_written_as_it_was() -> None:
    assert found(changed()) == []
    assert to_document(changed()) == SOUND


@pytest.mark.parametrize(
    ("at", "value", "pointer", "code"),
    [
        # Pool or split
        (f"{WWW}/pool", None, f"{WWW}/pool", "required"),
        (f"{WWW}/split", {"web": 1}, f"{WWW}/split", "contradiction"),
        (f"{BETA}/split", {"web": 0, "eu": 0}, f"{BETA}/split", "contradiction"),
        (f"{BETA}/split", {"web": 1, "nope": 1}, f"{BETA}/split/nope", "unknown_reference"),
        (f"{RULES}/0/pool", None, f"{RULES}/0/pool", "required"),
        (f"{RULES}/0/pool", "nope", f"{RULES}/0/pool", "unknown_reference"),
        (f"{RULES}/0/split", {"web": 1}, f"{RULES}/0/split", "contradiction"),
        (f"{RULES}/2/split", {"web": 0}, f"{RULES}/2/split", "contradiction"),
        (f"{RULES}/2/split", {"nope": 1}, f"{RULES}/2/split/nope", "unknown_reference"),
        # Names and addresses
        (f"{RULES}/0/pool", "names", f"{RULES}/0/pool", "contradiction"),
        (f"{RULES}/2/split", {"web": 1, "names": 1}, f"{RULES}/2/split/names", "contradiction"),
        (f"{BETA}/split", {"web": 1, "names": 1}, f"{BETA}/split/names", "contradiction"),
        ("/pools/office/fallback", "names", f"{RULES}/1/pool", "contradiction"),
        # Overlaps
        (f"{RULES}/0/geos", [], f"{RULES}/0", "required"),
        (f"{RULES}/0/geos", ["EU27", "EU27"], f"{RULES}/0/geos/1", "duplicate"),
        (f"{RULES}/2/geos", ["unknown"], f"{RULES}/2/geos/0", "duplicate"),
        (f"{RULES}/1/subnets", ["10.0.0.0/8", "10.0.0.0/8"], f"{RULES}/1/subnets/1", "duplicate"),
        (f"{RULES}/2/asns", [5, 5], f"{RULES}/2/asns/1", "duplicate"),
        # Fallbacks
        ("/pools/web/fallback", "office", "/pools/web/fallback", "cycle"),
        # Latency
        ("/pools/eu/latency", None, "/pools/eu/latency", "required"),
        ("/pools/eu/latency", "nope", "/pools/eu/latency", "unknown_reference"),
        ("/pools/web/latency", "measured", "/pools/web/latency", "meaningless"),
        ("/latency/measured/1", [["AS64500", "nope", 8, 3]], "/latency/measured/rows/1/1",
         "unknown_reference"),
        ("/latency/measured/1", [["EU-DE", "mil1", 8, 3]], "/latency/measured/rows/1", "duplicate"),
        # Nodes
        ("/nodes/fra1/location", {"lat": 1, "lon": 2}, "/nodes/fra1/location", "contradiction"),
        ("/nodes/fra1/at", "QQQ", "/nodes/fra1/at", "unknown_place"),
        ("/nodes/fra1/at", "Springfield", "/nodes/fra1/at", "ambiguous"),
        ("/nodes/fra1/shed", {"lo": 1, "hi": 1}, "/nodes/fra1/shed/hi", "out_of_range"),
        ("/nodes/hq/serves", {}, "/nodes/hq/serves", "required"),
        ("/nodes/hq/refuses", {}, "/nodes/hq/refuses", "required"),
        ("/nodes/mil1/serves", {"geos": ["EU", "EU"]}, "/nodes/mil1/serves/geos/1", "duplicate"),
        ("/nodes/mil1/serves", {"geos": ["EU-FR-IDF"], "asns": [1]}, "/nodes/mil1/refuses",
         "contradiction"),
        # Networks
        ("/networks/lab/location", None, "/networks/lab/location", "required"),
        ("/networks/lab/at", "FRA", "/networks/lab/location", "contradiction"),
        ("/networks/office/at", "Nowhere at all", "/networks/office/at", "unknown_place"),
        ("/networks/lab/subnets", ["198.51.100.0/24"], "/networks/lab/subnets/0", "duplicate"),
        ("/networks/lab/subnets", ["198.51.100.0/25", "198.51.100.128/25", "2001:db8::/33",
                                   "2001:db8:8000::/33"], "/networks/office", "unreachable"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_at_its_place(
    at: str, value: Any, pointer: str, code: str
) -> None:
    assert found(changed((at, value))) == [(pointer, code)]


def rules(*matchers: dict[str, Any]) -> Config:
    return changed((RULES, [{**each, "pool": "web"} for each in matchers]))


COUNTRIES = [f"EU-{code}" for code in MEMBER_STATES.split()]


@pytest.mark.parametrize(
    ("matchers", "dead"),
    [
        ([{"geos": ["EU27"]}, {"geos": COUNTRIES}], [0]),
        ([{"geos": ["EU27"]}, {"geos": COUNTRIES[:-1]}], []),
        ([{"geos": ["EEA"]}, {"geos": ["EU27", "EU-IS", "EU-LI", "EU-NO"]}], [0]),
        ([{"geos": ["EEA"]}, {"geos": ["EU27", "EU-IS", "EU-LI"]}], []),
        ([{"geos": ["EEA"]}, {"geos": ["EU27"]}, {"geos": [*COUNTRIES, "EU-IS", "EU-NO"]}], [1]),
        ([{"geos": ["EU"]}, {"geos": ["EEA"]}], []),
        ([{"subnets": ["10.0.0.0/23"]}, {"subnets": ["10.0.0.0/24", "10.0.1.0/24"]}], [0]),
        ([{"subnets": ["10.0.0.0/23"]}, {"subnets": ["10.0.0.0/24"]}], []),
        ([{"subnets": ["10.0.0.0/23", "10.0.0.0/24"]}, {"subnets": ["10.0.1.0/24"]}], []),
        ([{"subnets": ["10.0.0.0/22", "10.0.0.0/23"]},
          {"subnets": ["10.0.2.0/23", "10.0.0.0/24", "10.0.1.0/24"]}], [0]),
        ([{"subnets": ["2001:db8::/63"]}, {"subnets": ["2001:db8::/64", "2001:db8:0:1::/64"]}],
         [0]),
        ([{"subnets": ["128.0.0.0/1"]}, {"subnets": ["8000::/1"]}], []),
        ([{"asns": [1]}, {"geos": ["EU"]},
          {"subnets": ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]}], [0, 1]),
        ([{"asns": [1], "geos": ["NA"]}, {"subnets": ["0.0.0.0/1", "128.0.0.0/1"]}], []),
    ],
)  # fmt: skip
def test_a_rule_is_unreachable_when_more_specific_matchers_leave_it_nobody(
    matchers: list[dict[str, Any]], dead: list[int]
) -> None:
    assert found(rules(*matchers)) == [(f"{RULES}/{number}", "unreachable") for number in dead]


def test_a_matcher_left_with_nobody_in_a_rule_that_has_others_is_a_warning() -> None:
    config = rules(
        {"subnets": ["10.0.0.0/23", "11.0.0.0/8"]}, {"subnets": ["10.0.0.0/24", "10.0.1.0/24"]}
    )
    assert found(config) == []
    told = [(reason.pointer, reason.code) for reason in warnings(config)]
    assert (f"{RULES}/0/subnets/0", "unreachable") in told


def test_private_subnets_in_rules_are_no_matter_but_in_networks_they_are_told() -> None:
    config = changed(("/networks/lab/subnets", ["11.0.0.0/8", "10.1.0.0/16", "192.168.0.0/15"]))
    found = {r.pointer: r for r in warnings(config) if r.code == "special_purpose"}
    assert set(found) == {"/networks/office/subnets", "/networks/lab/subnets"}
    assert found["/networks/lab/subnets"].value == "10.1.0.0/16"
    assert "1 more" in found["/networks/lab/subnets"].detail


# --- Autonomous systems without a database ---


def test_without_a_database_nothing_may_ask_for_autonomous_systems() -> None:
    refused = check(changed(), asns=False)
    assert {(reason.pointer, reason.code) for reason in refused} == {
        (f"{RULES}/2/asns", "no_asn_db"),
        ("/nodes/mil1/refuses/asns", "no_asn_db"),
    }
    assert "asn_db is not set" in refused[0].detail
    assert "--asn-db" in refused[0].hint


def test_rows_from_autonomous_systems_are_a_warning_then() -> None:
    (told,) = [each for each in warnings(changed(), asns=False) if each.code == "no_asn_db"]
    assert told.pointer == "/latency/measured/rows/1"
    assert not [each for each in warnings(changed()) if each.code == "no_asn_db"]


def test_subdivisions_match_nobody_where_the_database_knows_none() -> None:
    told = warnings(changed(), subdivisions=False)
    found = [each for each in told if each.code == "no_subdivisions"]
    assert [(each.pointer, each.value) for each in found] == [(f"{RULES}/2/geos", "NA-US-CA")]
    assert "knows no subdivisions" in found[0].detail
    assert not [each for each in warnings(changed()) if each.code == "no_subdivisions"]


# --- In words ---


def reasons(fields: dict[str, Any]) -> list[Reason]:
    with pytest.raises(ConfigError) as refused:
        changed((f"{RULES}/0", [{"pool": "web", **fields}]))
    return list(refused.value.reasons)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"geos": ["EU-US"]}, "Did you mean NA-US?"),
        ({"geos": ["US"]}, "Did you mean NA-US?"),
        ({"geos": ["UK"]}, "Did you mean EU-GB?"),
        ({"geos": ["eu-de"]}, "Did you mean EU-DE?"),
        ({"geos": ["EU28"]}, "Did you mean EU27?"),
        ({"geos": ["unkown"]}, "Did you mean unknown?"),
        ({"geos": ["na_us_ca"]}, "Did you mean NA-US-CA?"),
        ({"geos": ["??"]}, "Geo codes are like"),
        ({"subnets": ["192.0.2.1/24"]}, "Did you mean 192.0.2.0/24?"),
        ({"subnets": ["2001:db8::1/32"]}, "Did you mean 2001:db8::/32?"),
        ({"subnets": ["2001:db8::/65"]}, "only the upper 64 bits"),
        ({"subnets": ["192.0.2.0"]}, "Write 192.0.2.0/32 or shorter."),
        ({"subnets": ["2001:db8::"]}, "Write 2001:db8::/64 or shorter."),
        ({"subnets": ["0.0.0.0/0"]}, "catch-all"),
        ({"subnets": ["192.0.2.0/33"]}, "longer than /32"),
        ({"subnets": ["192.0.2.0/²"]}, "no prefix length"),
        ({"subnets": ["nonsense"]}, "no subnet like"),
        ({"subnets": ["010.0.0.0/8"]}, "no subnet like"),
        ({"subnets": ["10.0.0.0\0/8"]}, "no subnet like"),
        ({"asns": [0]}, "Must be at least 1."),
        ({"asns": [2**32]}, "Must be at most 4294967295."),
        ({"asn": [1]}, "There is no such field."),
    ],
)
def test_a_matcher_that_is_none_is_refused_with_what_was_meant(
    fields: dict[str, Any], told: str
) -> None:
    (reason,) = [each for each in reasons(fields) if each.pointer.startswith(RULES)]
    assert told in str(reason)


def test_subnets_have_one_spelling() -> None:
    config = rules({"subnets": ["2001:DB8:0::/32", "1.2.3.4/32"]})
    assert config.steers["example.com", "www"].rules[0].subnets == ("2001:db8::/32", "1.2.3.4/32")


def test_all_faults_are_told_at_once() -> None:
    config = changed(
        (f"{RULES}/0/pool", "web2"), (f"{WWW}/split", {"web": 1}), ("/nodes/fra1/at", "MI")
    )
    told = {reason.pointer: reason for reason in check(config)}
    assert set(told) == {f"{RULES}/0/pool", f"{WWW}/split", "/nodes/fra1/at"}
    assert told[f"{RULES}/0/pool"].hint == "Did you mean web?"


# --- Speed ---


def subnets(count: int) -> list[str]:
    return [f"{i >> 8 & 255}.{i & 255}.{7 * i % 256}.0/24" for i in range(256, 256 + count)]


@pytest.mark.parametrize("where", ["rule", "network"])
def test_the_longest_list_of_subnets_is_judged_in_less_than_a_second(where: str) -> None:
    many = subnets(65_536 - 256)
    if where == "rule":
        config = rules({"subnets": many}, {"subnets": ["1.0.0.0/8"]})
    else:
        config = changed(("/networks/lab/subnets", many))
    before = time.process_time()
    faults = check(config)
    assert time.process_time() - before < 1
    assert faults == []
    again = time.process_time()
    check(config)
    assert time.process_time() - again < 0.1  # it is the same objects as before


def test_a_list_that_is_there_twice_is_told_in_a_hundred_lines() -> None:
    many = subnets(5000)
    told = found(rules({"subnets": many}, {"subnets": many, "geos": ["EU"]}))
    assert len(told) == 101
    assert told[0] == (f"{RULES}/1/subnets/0", "duplicate")
    assert told[-1] == ("/zones/example.com/steers/www/rules", "duplicate")

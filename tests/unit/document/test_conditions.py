"""What the JSON Schema says of fields that depend on one another is what the reader does."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.document.schema import document_schema
from geodns.errors import ConfigError
from geodns.model.geocode import CONTINENT_OF

VALIDATOR = jsonschema_rs.Draft202012Validator(document_schema(), validate_formats=True)
POINT = {"lat": 1.0, "lon": 2.0}
NODE = {"addresses": ["192.0.2.1"], "location": POINT}


def document(section: str, **fields: Any) -> dict[str, Any]:
    """A document that would be good with these fields."""
    if section == "steers":
        zone = {"nameservers": ["ns1.example.net"], "steers": {"www": fields}}
        return {"geodns": 1, "zones": {"example.com": zone}, **FLEET}
    return {"geodns": 1, **FLEET, section: {**FLEET.get(section, {}), "x": fields}}


FLEET: dict[str, Any] = {
    "nodes": {"a": NODE},
    "pools": {"p": {"nodes": ["a"]}, "q": {"nodes": ["a"]}},
    "monitors": {"m": {"type": "icmp"}},
    "latency": {"t": [["EU-DE", "a", 1.5, 10]]},
}

OTHER = {"location": POINT, "addresses": ["192.0.2.2"]}

CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("nodes", OTHER, True),
    ("nodes", {**OTHER, "cname": None}, True),
    ("nodes", {"location": POINT, "cname": "x.example.net."}, True),
    ("nodes", {"location": POINT, "cname": "x.example.net.", "addresses": []}, True),
    ("nodes", {**OTHER, "serves": {"geos": ["EU"]}}, True),
    ("nodes", {**OTHER, "serves": {}}, False),
    ("nodes", {**OTHER, "refuses": {"geos": []}}, False),
    ("nodes", {"location": POINT}, False),
    ("nodes", {**OTHER, "cname": "x.example.net."}, False),
    ("nodes", {**OTHER, "addresses": ["224.0.0.1"]}, False),
    ("nodes", {**OTHER, "addresses": ["192.0.2.01"]}, False),
    ("nodes", {**OTHER, "addresses": ["2001:db8::1"]}, True),
    ("nodes", {**OTHER, "addresses": ["fe80::1"]}, False),
    ("nodes", {**OTHER, "addresses": ["::"]}, False),
    ("networks", {"subnets": ["198.51.100.0/24"], "location": POINT}, True),
    ("networks", {"subnets": ["198.51.100.0/24"]}, False),
    ("networks", {"subnets": ["198.51.100.0/24"], "location": POINT, "at": "FRA"}, False),
    ("networks", {"subnets": ["198.51.100.0/0"], "location": POINT}, False),
    ("networks", {"subnets": ["2001:db8::/65"], "location": POINT}, False),
    ("networks", {"subnets": ["2001:db8::/64"], "location": POINT}, True),
    ("pools", {"nodes": ["a"]}, True),
    ("pools", {"select": {"tier": "edge"}}, True),
    ("pools", {}, False),
    ("pools", {"nodes": ["a"], "select": {"tier": "edge"}}, False),
    ("pools", {"nodes": ["a"], "order": "latency"}, False),
    ("pools", {"nodes": ["a"], "order": "latency", "latency": "t"}, True),
    ("pools", {"nodes": ["a"], "latency": "t"}, False),
    ("pools", {"nodes": ["a"], "order": "nearest", "latency": None}, True),
    ("steers", {"pool": "p"}, True),
    ("steers", {"split": {"p": 9, "q": 1}}, True),
    ("steers", {}, False),
    ("steers", {"pool": "p", "split": {"q": 1}}, False),
    ("steers", {"pool": "p", "rules": [{"geos": ["EU27"], "pool": "q"}]}, True),
    ("steers", {"pool": "p", "rules": [{"geos": ["EU27"]}]}, False),
    ("steers", {"pool": "p", "rules": [{"pool": "q"}]}, False),
    ("steers", {"pool": "p", "rules": [{"geos": ["EU-US"], "pool": "q"}]}, False),
    ("steers", {"pool": "p", "rules": [{"geos": ["NA-US-CA"], "pool": "q"}]}, True),
    ("monitors", {"type": "http"}, True),
    ("monitors", {"type": "https"}, False),
    ("monitors", {"type": "https", "host": "www.example.com"}, True),
    ("monitors", {"type": "tcp"}, False),
    ("monitors", {"type": "tcp", "port": 80, "path": "/x"}, False),
    ("monitors", {"type": "tcp", "port": 80, "path": "/"}, True),
    ("monitors", {"type": "icmp", "expect": {"body": "x"}}, False),
    ("monitors", {"type": "all", "of": ["m"]}, True),
    ("monitors", {"type": "all", "of": []}, False),
    ("monitors", {"type": "not", "of": ["m", "m"]}, False),
    ("monitors", {"type": "push", "lease_s": 30}, True),
    ("monitors", {"type": "push", "lease_s": 30, "interval_s": 7}, False),
    ("monitors", {"type": "dns", "query": "www.example.com A"}, True),
    ("monitors", {"type": "script", "argv": ["check", "/x"]}, True),
    ("monitors", {"type": "script", "argv": ["/bin/check"]}, False),
    ("overrides", {"match": {}, "state": "down", "reason": "x"}, False),
    ("overrides", {"match": {"nodes": ["a"]}, "state": "up", "reason": "x"}, True),
    ("overrides", {"match": {"nodes": ["a"]}, "state": "up", "reason": "x",
                   "until": "2030-02-30T99:00:00Z"}, False),
    ("webhooks", {"url": "https://hooks.example.com/x"}, True),
    ("webhooks", {"url": "ftp://hooks.example.com/x"}, False),
    ("webhooks", {"url": "https://u:p@hooks.example.com/x"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("section", "fields", "good"), CASES)
def test_the_schema_and_the_reader_agree(section: str, fields: dict[str, Any], good: bool) -> None:
    data = document(section, **fields)
    try:
        refused = check(from_document(data))
    except ConfigError as error:
        refused = list(error.reasons)
    assert (not refused) is good, refused
    assert VALIDATOR.is_valid(data) is good


def test_every_country_is_known_to_the_schema() -> None:
    for country, continent in CONTINENT_OF.items():
        rule = {"geos": [f"{continent}-{country}"], "pool": "q"}
        assert VALIDATOR.is_valid(document("steers", pool="p", rules=[rule]))


@pytest.mark.parametrize("key", ["A", "a_b", "", "a" * 64, "é", "a\n"])
def test_keys_have_a_form(key: str) -> None:
    assert not VALIDATOR.is_valid({"geodns": 1, "nodes": {key: NODE}})
    assert not VALIDATOR.is_valid({"geodns": 1, "nodes": {"a": {**NODE, "labels": {key: "x"}}}})

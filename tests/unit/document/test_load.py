"""The document becomes a Config and a Config the document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.cli.output import to_yaml
from geodns.document.load import from_document, read_yaml, to_document
from geodns.errors import ConfigError
from geodns.model.config import Config
from geodns.model.latency import Latency, LatencyRow
from geodns.model.monitor import Expect, Monitor
from geodns.model.network import Network
from geodns.model.node import Location, Node, Shed
from geodns.model.pool import Pool
from geodns.model.rule import Matchers, Rule
from geodns.model.zone import NameServer, RRset, Steer, Zone

DOCUMENT = """
geodns: 1
name: prod
zones:
  Example.COM:
    nameservers: [ns1.example.net]
    steers:
      WWW: {pool: web}
    rrsets:
      "@": {mx: ["10 mail"]}
      10: {PTR: {values: [host], ttl: 60}}
pools:
  web: {nodes: [no]}
nodes:
  no: {addresses: [192.0.2.1, "2001:DB8::1"], location: {lat: 59.9, lon: 10.7}}
monitors:
"""


def test_a_document_becomes_a_config_with_names_in_one_spelling() -> None:
    location = Location(lat=59.9, lon=10.7)
    assert from_document(read_yaml(DOCUMENT)) == Config(
        zones={"example.com": Zone(nameservers=("ns1.example.net",))},
        steers={("example.com", "www"): Steer(pool="web")},
        rrsets={
            ("example.com", "@", "MX"): RRset(values=("10 mail",)),
            ("example.com", "10", "PTR"): RRset(values=("host",), ttl=60),
        },
        pools={"web": Pool(nodes=("no",))},
        nodes={"no": Node(addresses=("192.0.2.1", "2001:db8::1"), location=location)},
    )


def zone(**fields: object) -> dict[str, object]:
    return {"geodns": 1, "zones": {"z": {"nameservers": ["n"]} | fields}}


@pytest.mark.parametrize(
    ("data", "pointer", "code"),
    [
        (None, "", "wrong_type"),
        ([], "", "wrong_type"),
        ({}, "/geodns", "required"),
        ({"geodns": 2}, "/geodns", "unknown_version"),
        ({"geodns": True}, "/geodns", "unknown_version"),
        ({"geodns": 1, "name": "A b"}, "/name", "bad_form"),
        ({"geodns": 1, "name": "a\n"}, "/name", "bad_form"),
        ({"geodns": 1, "zone": {}}, "/zone", "unknown_field"),
        ({"geodns": 1, 5: {}}, "", "wrong_type"),
        ({"geodns": 1, "nodes": []}, "/nodes", "wrong_type"),
        ({"geodns": 1, "nodes": {"A": {}}}, "/nodes/A", "bad_form"),
        ({"geodns": 1, "nodes": {"a\n": {}}}, "/nodes/a\n", "bad_form"),
        (
            {"geodns": 1, "nodes": {"a": {"cname": "b", "weight": -1}}},
            "/nodes/a/weight",
            "out_of_range",
        ),
        ({"geodns": 1, "nodes": {"a": None}}, "/nodes/a", "wrong_type"),
        ({"geodns": 1, "pools": {"a": {"nodez": []}}}, "/pools/a/nodez", "unknown_field"),
        ({"geodns": 1, "zones": {"z": None}}, "/zones/z", "wrong_type"),
        ({"geodns": 1, "zones": {"z.": {}}}, "/zones/z.", "bad_name"),
        (zone(colour=1), "/zones/z/colour", "unknown_field"),
        (zone(steers=[]), "/zones/z/steers", "wrong_type"),
        (zone(steers={"a..b": {}}), "/zones/z/steers/a..b", "bad_name"),
        (zone(steers={"a": {"pool": 5}}), "/zones/z/steers/a/pool", "wrong_type"),
        (zone(steers={"a": {"pool": "p"}, "A": {"pool": "p"}}), "/zones/z/steers/a", "duplicate"),
        (zone(rrsets={"a": []}), "/zones/z/rrsets/a", "wrong_type"),
        (zone(rrsets={"a": {"SOA": []}}), "/zones/z/rrsets/a/SOA", "type_not_allowed"),
        (zone(rrsets={"a": {"A/": []}}), "/zones/z/rrsets/a/A~1", "unknown_type"),
        (zone(rrsets={"a": {"A": [5]}}), "/zones/z/rrsets/a/A/values/0", "wrong_type"),
        (zone(rrsets={"a": {"A": []}}), "/zones/z/rrsets/a/A/values", "too_few"),
        (zone(rrsets={"a": {"A": ["1"], "a": ["1"]}}), "/zones/z/rrsets/a/A", "duplicate"),
    ],
)
def test_a_faulty_document_is_refused_at_the_fault(data: Any, pointer: str, code: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_document(data)
    assert [(r.pointer, r.code) for r in refused.value.reasons] == [(pointer, code)]


def test_every_fault_of_every_resource_is_named() -> None:
    with pytest.raises(ConfigError) as refused:
        from_document({
            "nodez": {},
            "nodes": {"a": {"addresses": ["x"], "weight": -1}, "B": {}},
            "zones": {"z": {"steers": {"a": {"pool": 5}}}},
        })  # fmt: skip
    assert {reason.pointer for reason in refused.value.reasons} == {
        "/geodns", "/nodez", "/nodes/a/addresses/0", "/nodes/a/weight", "/nodes/B",
        "/zones/z/nameservers", "/zones/z/steers/a/pool",
    }  # fmt: skip


def test_depth_is_bounded() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ConfigError, match="levels"):
        from_document({"geodns": 1, "nodes": {"a": deep}})


def test_a_config_is_written_in_order_without_defaults() -> None:
    values = RRset(values=("192.0.2.1",))
    config = Config(
        zones={"z": Zone(nameservers=("n",))},
        rrsets={("z", owner, "A"): values for owner in ("b", "*", "@", "a")},
        nodes={name: Node(addresses=("::1",), weight=100) for name in ("b", "a")},
    )
    rrsets = {owner: {"A": ["192.0.2.1"]} for owner in ("@", "*", "a", "b")}
    written = to_document(config)
    assert written == {
        "geodns": 1,
        "zones": {"z": {"nameservers": ["n"], "rrsets": rrsets}},
        "nodes": {"a": {"addresses": ["::1"]}, "b": {"addresses": ["::1"]}},
    }
    assert list(written["zones"]["z"]["rrsets"]) == ["@", "*", "a", "b"]
    assert list(written["nodes"]) == ["a", "b"]


def test_an_rrset_with_a_ttl_is_written_as_a_mapping() -> None:
    zones = {"z": Zone(nameservers=("n",))}
    config = Config(zones=zones, rrsets={("z", "@", "A"): RRset(values=("::",), ttl=5)})
    assert to_document(config)["zones"]["z"]["rrsets"]["@"]["A"] == {"values": ["::"], "ttl": 5}


ids = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
owners = st.sampled_from(["@", "*", "www", "a.b", r"\047", "_tcp", "no", "10"])
ttls = st.integers(0, 2**31 - 1)
nodes = st.builds(
    Node,
    addresses=st.sampled_from([("192.0.2.1",), ("192.0.2.2", "2001:db8::2")]),
    location=st.none() | st.builds(Location, lat=st.floats(-90, 90), lon=st.floats(-180, 180)),
    weight=st.integers(0, 1000),
    labels=st.dictionaries(ids, st.text(max_size=8), max_size=2),
    at=st.none() | st.sampled_from(["FRA", "no", "1e5", "Springfield, US-IL"]),
    serves=st.none() | st.builds(Matchers, geos=st.sampled_from([("EU",), ("NA-US", "unknown")])),
    shed=st.none() | st.just(Shed(lo=0.5, hi=1)),
)
splits = st.dictionaries(ids, st.integers(0, 1000), min_size=1, max_size=3)
rules = st.builds(
    Rule,
    subnets=st.sampled_from([(), ("10.0.0.0/8",), ("2001:db8::/32", "192.0.2.0/24")]),
    asns=st.lists(st.integers(1, 2**32 - 1), max_size=2).map(tuple),
    pool=st.none() | ids,
    split=st.none() | splits,
    fence=st.booleans(),
)
steers = st.builds(
    Steer,
    pool=st.none() | ids,
    split=st.none() | splits,
    rules=st.lists(rules, max_size=2).map(tuple),
)
networks = st.builds(Network, subnets=st.just(("10.0.0.0/8",)), at=st.just("MXP"))
rows = st.tuples(st.sampled_from(["EU-DE", "AS1", "::/8"]), ids, st.floats(0.1, 9), st.just(1))
tables = st.builds(
    Latency,
    rows=st.lists(rows.map(lambda row: LatencyRow(*row)), min_size=1, max_size=2).map(tuple),
)
pools = st.builds(
    Pool,
    nodes=st.none() | st.lists(ids, min_size=1, max_size=3).map(tuple),
    weights=st.dictionaries(ids, st.integers(0, 1000), max_size=2),
    order=st.sampled_from(["nearest", "listed", "equal"]),
    band_km=st.floats(0, 20_000),
    monitor=st.none() | ids,
)
monitors = st.builds(
    Monitor,
    type=st.sampled_from(["http", "https", "tcp"]),
    expect=st.builds(Expect, body=st.none() | st.text(min_size=1, max_size=8)),
    interval_s=st.floats(0.2, 3600),
)
servers = st.just("ns.example.net") | st.builds(
    NameServer, name=st.just("ns"), addresses=st.sampled_from([(), ("192.0.2.1",)])
)
zones = st.builds(
    Zone,
    nameservers=st.lists(servers, min_size=1, max_size=3).map(tuple),
    ttl=ttls,
    ecs=st.booleans(),
)
rrsets = st.builds(
    RRset,
    values=st.lists(st.text(max_size=8), min_size=1, max_size=3).map(tuple),
    ttl=st.none() | ttls,
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    some = ["@", "example.com", r"a\047b.example", "no"]
    names = draw(st.sets(st.sampled_from(some), min_size=1))
    homes = st.sampled_from(sorted(names))
    types = st.sampled_from(["A", "TXT", "TYPE999"])
    return Config(
        zones={name: draw(zones) for name in names},
        steers=draw(st.dictionaries(st.tuples(homes, owners), steers, max_size=3)),
        rrsets=draw(st.dictionaries(st.tuples(homes, owners, types), rrsets, max_size=3)),
        nodes=draw(st.dictionaries(ids, nodes, max_size=3)),
        pools=draw(st.dictionaries(ids, pools, max_size=3)),
        monitors=draw(st.dictionaries(ids, monitors, max_size=3)),
        networks=draw(st.dictionaries(ids, networks, max_size=2)),
        latencies=draw(st.dictionaries(ids, tables, max_size=2)),
    )


@given(configs())
def test_what_is_written_is_read_as_the_same_config(config: Config) -> None:
    assert from_document(to_document(config)) == config


@given(configs())
def test_what_is_written_survives_yaml(config: Config) -> None:
    assert from_document(read_yaml(to_yaml(to_document(config)))) == config

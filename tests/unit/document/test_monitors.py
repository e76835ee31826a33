"""What each type of monitor needs, takes and cannot mean."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import trustme

from geodns.document.check import check, warnings
from geodns.document.monitors import RULES
from geodns.errors import ConfigError
from geodns.model.base import read
from geodns.model.config import Config
from geodns.model.monitor import Monitor, MonitorType
from geodns.model.node import Node
from geodns.model.pool import Pool

MINIMAL: dict[MonitorType, dict[str, Any]] = {
    "http": {},
    "https": {"host": "www.example.com"},
    "tcp": {"port": 443},
    "tls": {"host": "www.example.com"},
    "udp": {"port": 27015, "send_hex": "ffffffff54"},
    "dns": {"query": "www.example.com A"},
    "icmp": {},
    "grpc": {"port": 50051},
    "script": {"argv": ["check_http", "{address}"]},
    "push": {"lease_s": 60},
    "all": {"of": ["base"]},
    "any": {"of": ["base"]},
    "count": {"of": ["base"], "count": 1},
    "not": {"of": ["base"]},
}
README = Path(__file__).parents[3] / "README.md"
EVERYWHERE = RULES["icmp"].takes
"""What a monitor that only probes takes, so that all others that probe do."""

PEM = trustme.CA().cert_pem.bytes().decode()
OTHER: dict[str, Any] = {
    "port": 99,
    "host": "a.example",
    "path": "/x",
    "method": "HEAD",
    "headers": {"a": "b"},
    "tls": True,
    "verify": False,
    "ca": PEM,
    "service": "shop",
    "send": "x",
    "send_hex": "00",
    "query": "a.example",
    "argv": ["x"],
    "of": ["base"],
    "count": 1,
    "canary": True,
    "interval_s": 9,
    "timeout_s": 3,
    "rise": 3,
    "recheck": 3,
    "recheck_after_s": 0.3,
    "hold_s": 3,
    "damping": False,
    "lease_s": 33,
}
EXPECTED: dict[str, Any] = {
    "status": ["200"],
    "body": "x",
    "regex": "x",
    "body_hex": "00",
    "rcode": "NXDOMAIN",
    "answer": "192.0.2.1",
    "max_latency_ms": 100,
}


def faults(**monitors: dict[str, Any]) -> list[tuple[str, str]]:
    bodies = {"base": {"type": "icmp"}} | monitors
    config = Config(monitors={name: read(Monitor, body) for name, body in bodies.items()})
    return [(r.pointer.removeprefix("/monitors/"), r.code) for r in check(config)]


def test_every_field_and_type_is_tried() -> None:
    assert set(OTHER) == set(Monitor.model_fields) - {"type", "expect"}
    assert set(MINIMAL) == set(RULES)


def test_the_readme_says_what_each_type_takes() -> None:
    rows = {}
    for line in README.read_text().partition("## Health checks")[2].splitlines():
        cells = [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:-1]]
        if len(cells) == 5:
            rows |= {kind: tuple(map(set, cells[2:])) for kind in cells[0]}
    assert set(rows) == set(RULES)
    for kind, (needs, may, expects) in rows.items():
        rules = RULES[kind]
        assert needs == set(rules.needs), kind
        assert needs | may == rules.takes - EVERYWHERE, kind
        assert expects == rules.expects, kind


@pytest.mark.parametrize("kind", MINIMAL)
def test_the_least_of_each_type_is_enough_and_nothing_less(kind: MonitorType) -> None:
    assert faults(it={"type": kind} | MINIMAL[kind]) == []
    for field in MINIMAL[kind]:
        rest = {name: value for name, value in MINIMAL[kind].items() if name != field}
        missing = "send" if field == "send_hex" else field
        assert (f"it/{missing}", "required") in faults(it={"type": kind} | rest)


@pytest.mark.parametrize("kind", MINIMAL)
def test_a_field_that_nobody_would_look_at_is_refused(kind: MonitorType) -> None:
    for field, value in OTHER.items():
        found = faults(it={"type": kind} | MINIMAL[kind] | {field: value})
        refused = (f"it/{field}", "meaningless") in found
        assert refused is (field not in RULES[kind].takes or (kind, field) in WITHOUT_TLS), field
    for field, value in EXPECTED.items():
        found = faults(it={"type": kind} | MINIMAL[kind] | {"expect": {field: value}})
        assert ((f"it/expect/{field}", "meaningless") in found) is (
            field not in RULES[kind].expects
        ), field


WITHOUT_TLS = {("grpc", "verify"), ("grpc", "ca")}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"type": "tcp", "port": 1, "send": "a", "send_hex": "61"}, "send_hex", "contradiction"),
        ({"type": "grpc", "port": 1, "tls": True}, "host", "required"),
        ({"type": "https", "host": "a", "verify": False, "ca": PEM}, "ca", "contradiction"),
        ({"type": "http", "method": "HEAD", "expect": {"regex": "x"}}, "expect/regex",
         "contradiction"),
        ({"type": "http", "expect": {"regex": "("}}, "expect/regex", "bad_form"),
        ({"type": "http", "expect": {"regex": "(?=x)"}}, "expect/regex", "bad_form"),
        ({"type": "http", "expect": {"regex": "((a?){100}){10}b"}}, "expect/regex", "bad_form"),
        ({"type": "http", "expect": {"max_latency_ms": 2001}}, "expect/max_latency_ms",
         "out_of_range"),
        ({"type": "dns", "query": "a..b A"}, "query", "bad_form"),
        ({"type": "dns", "query": "a.b NOTYPE"}, "query", "bad_form"),
        ({"type": "dns", "query": "a.b A", "expect": {"answer": "x"}}, "expect/answer",
         "bad_form"),
        ({"type": "dns", "query": "a.b A", "expect": {"rcode": "NOPE"}}, "expect/rcode",
         "not_a_choice"),
        ({"type": "dns", "query": "a.b A", "expect": {"rcode": "NXDOMAIN", "answer": "::"}},
         "expect/answer", "contradiction"),
        ({"type": "script", "argv": ["../evil"]}, "argv/0", "bad_form"),
        ({"type": "not", "of": ["base", "also"]}, "of", "too_many"),
        ({"type": "count", "of": ["base"], "count": 2}, "count", "out_of_range"),
        ({"type": "all", "of": ["base", "base"]}, "of/1", "duplicate"),
        ({"type": "all", "of": ["bsae"]}, "of/0", "unknown_reference"),
        ({"type": "all", "of": ["it"]}, "of", "cycle"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(body: dict[str, Any], pointer: str, code: str) -> None:
    assert (f"it/{pointer}", code) in faults(it=body, also={"type": "icmp"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("ca", "no PEM"), ("ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
     ("send_hex", "abc"), ("send_hex", "zz"), ("argv", ["a\0b"]), ("count", 0), ("query", "a b c")],
)  # fmt: skip
def test_what_has_no_form_is_refused_when_it_is_read(field: str, value: object) -> None:
    with pytest.raises(ConfigError) as refused:
        read(Monitor, {"type": "http", field: value})
    assert refused.value.reasons[0].pointer.startswith(f"/{field}")


def test_a_circle_is_told_once_and_a_long_chain_is_too_deep() -> None:
    circle = {"a": ["b"], "b": ["c"], "c": ["a", "base"]}
    found = faults(**{name: {"type": "all", "of": of} for name, of in circle.items()})
    assert [code for _, code in found] == ["cycle"]
    chain = {f"m{n}": {"type": "all", "of": [f"m{n + 1}" if n < 30 else "base"]} for n in range(31)}
    assert {code for _, code in faults(**chain)} == {"too_many"}


def test_a_web_of_monitors_is_checked_in_no_time() -> None:
    levels = [[f"l{level}x{n}" for n in range(16)] for level in range(8)]
    bodies = {
        name: {"type": "all", "of": levels[number + 1] if number < 7 else ["base"]}
        for number, level in enumerate(levels)
        for name in level
    }
    assert faults(**bodies) == []


def test_a_canary_may_name_its_own_server() -> None:
    assert faults(it={"type": "icmp", "canary": True, "host": "192.0.2.53"}) == []


# --- Where probes go ---


def node_reasons(**fields: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    body = json.dumps({"location": {"lat": 0, "lon": 0}} | fields)
    config = Config(
        nodes={"n": Node.model_validate_json(body)},
        pools={"p": Pool(nodes=("n",), monitor="m")},
        monitors={"m": Monitor(type="icmp")},
    )
    return tuple(  # type: ignore[return-value]
        [(r.pointer.removeprefix("/nodes/n/"), r.code) for r in found if "/nodes/" in r.pointer]
        for found in (check(config), warnings(config))
    )


def test_addresses_that_nobody_may_probe_are_refused() -> None:
    given = {"addresses": ["192.0.2.1", "64:ff9b::a9fe:a9fe"], "probe_address": "100.100.100.200"}
    forbidden, _ = node_reasons(**given)
    assert forbidden == [
        ("addresses/1", "forbidden_address"),
        ("probe_address", "forbidden_address"),
    ]
    assert node_reasons(cname="2852039166")[0] == [("cname", "bad_name")]


def test_private_addresses_are_pointed_out_where_probes_go() -> None:
    assert node_reasons(addresses=["10.0.0.1"]) == ([], [("addresses/0", "private_address")])
    beside = {"addresses": ["192.0.2.1"], "probe_address": "127.0.0.1"}
    assert node_reasons(**beside) == ([], [("probe_address", "private_address")])
    assert node_reasons(addresses=["10.0.0.1"], probe_address="192.0.2.9") == ([], [])

"""Every fault of `check`, each by the smallest change to a sound document that brings it."""

from __future__ import annotations

import copy
import re
import time
from typing import Any

import pytest

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.document.references import HINTS_MAX
from geodns.model.config import Config
from geodns.model.node import Location, Node
from geodns.model.pool import Pool
from geodns.model.zone import RRset, Steer, Zone

SOUND: dict[str, Any] = {
    "geodns": 1,
    "zones": {
        "example.com": {
            "nameservers": ["ns1.example.net",
                            {"name": "ns.example.com", "addresses": ["192.0.2.53"]}],
            "contact": "host.master@example.com",
            "steers": {"@": {"pool": "web"}, "www": {"pool": "eu"}},
            "rrsets": {
                "@": {"MX": ["10 mail"], "TXT": {"values": ['"v=spf1 -all"'], "ttl": 60}},
                "mail": {"A": ["192.0.2.25", "192.0.2.26"]},
                "alias": {"CNAME": ["www"]},
                "sub": {"NS": ["ns.sub"], "DS": [f"1 13 2 {'00' * 32}"]},
                "ns.sub": {"A": ["192.0.2.99"]},
            },
        },
        "child.example.com": {"nameservers": ["ns.child.example.com"],
                              "rrsets": {"ns": {"AAAA": ["2001:db8::53"]}}},
    },
    "pools": {
        "web": {"select": {"tier": "edge"}, "monitor": "web", "fallback": "eu"},
        "eu": {"nodes": ["fra1", "mil1"], "weights": {"fra1": 5}, "monitor": "port"},
    },
    "nodes": {
        "fra1": {"addresses": ["192.0.2.10"], "location": {"lat": 50, "lon": 8.6},
                 "labels": {"tier": "edge"}},
        "mil1": {"addresses": ["192.0.2.20", "2001:db8::20"],
                 "location": {"lat": 45.6, "lon": 8.7}},
    },
    "monitors": {
        "web": {"type": "https", "host": "www.example.com"},
        "port": {"type": "tcp", "port": 443},
    },
}  # fmt: skip

ZONE = "/zones/example.com"
LABEL = "a" * 63
LARGE = [f'"{number:03d}{"x" * 250}"' for number in range(250)]


def changed(*changes: tuple[str, Any]) -> Config:
    """The sound document with values put at pointers (None takes them out)."""
    document = copy.deepcopy(SOUND)
    for pointer, value in changes:
        *path, last = (part.replace("~1", "/") for part in pointer.split("/")[1:])
        parent: Any = document
        for step in path:
            parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
        if value is None:
            del parent[last]
        else:
            parent[last] = value
    return from_document(document)


def found(config: Config) -> list[tuple[str, str]]:
    return [(reason.pointer, reason.code) for reason in check(config)]


def test_the_sound_document_has_no_fault() -> None:
    assert check(changed()) == []


NS = f"{ZONE}/nameservers"
RR = f"{ZONE}/rrsets"
CASES = [
    # what is put where                                     the pointer and code it must bring
    ("/pools/eu/nodes", ["fra1", "mil9"], "/pools/eu/nodes/1", "unknown_reference"),
    ("/pools/eu/monitor", "nope", "/pools/eu/monitor", "unknown_reference"),
    ("/pools/eu/fallback", "nope", "/pools/eu/fallback", "unknown_reference"),
    ("/pools/eu/weights", {"nope": 1}, "/pools/eu/weights/nope", "unknown_reference"),
    (f"{ZONE}/steers/www/pool", "nope", f"{ZONE}/steers/www/pool", "unknown_reference"),
    ("/pools/eu", {}, "/pools/eu", "required"),
    ("/pools/eu/select", {"tier": "edge"}, "/pools/eu/select", "contradiction"),
    ("/pools/eu/nodes", ["fra1", "mil1", "fra1"], "/pools/eu/nodes/2", "duplicate"),
    ("/pools/web/weights", {"mil1": 1}, "/pools/web/weights/mil1", "not_a_member"),
    ("/pools/web/min_answers", 2, "/pools/web/min_answers", "out_of_range"),
    ("/pools/eu/fallback", "eu", "/pools/eu/fallback", "cycle"),
    ("/pools/eu/fallback", "web", "/pools/web/fallback", "cycle"),
    ("/monitors/web/host", None, "/monitors/web/host", "required"),
    ("/monitors/port/port", None, "/monitors/port/port", "required"),
    ("/monitors/port/host", "a.example", "/monitors/port/host", "meaningless"),
    ("/monitors/port/path", "/x", "/monitors/port/path", "meaningless"),
    ("/monitors/port/method", "HEAD", "/monitors/port/method", "meaningless"),
    ("/monitors/port/headers", {"a": "b"}, "/monitors/port/headers", "meaningless"),
    ("/monitors/port/verify", False, "/monitors/port/verify", "meaningless"),
    ("/monitors/port/expect", {"status": ["200"]}, "/monitors/port/expect/status", "meaningless"),
    ("/monitors/web/timeout_s", 6, "/monitors/web/timeout_s", "out_of_range"),
    ("/nodes/fra1/location", None, "/nodes/fra1/location", "required"),
    ("/nodes/mil1/addresses", ["192.0.2.10"], "/nodes/mil1/addresses/0", "duplicate_address"),
    ("/nodes/mil1/addresses", ["::1", "0:0::1"], "/nodes/mil1/addresses/1", "duplicate_address"),
    (NS, ["ns 1.example.net"], f"{NS}/0", "bad_name"),
    (NS, ["@"], f"{NS}/0", "bad_name"),
    (NS, ["."], f"{NS}/0", "bad_name"),
    (NS, ["a.example.net", "A.example.net."], f"{NS}/1", "duplicate"),
    (NS, [{"name": "ns.example.com", "addresses": ["::1", "::1"]}],
     f"{NS}/0/addresses/1", "duplicate_address"),
    (NS, ["ns1.example.com"], f"{NS}/0", "glue_missing"),
    (NS, ["ns1.child.example.com"], f"{NS}/0", "glue_missing"),
    (NS, ["alias.example.com"], f"{NS}/0", "alias"),
    (NS, [{"name": "mail.example.com", "addresses": ["::1"]}],
     f"{NS}/0/addresses", "contradiction"),
    (NS, [{"name": "www.example.com", "addresses": ["::1"]}],
     f"{NS}/0/addresses", "contradiction"),
    (f"{ZONE}/contact", "two words@example.com", f"{ZONE}/contact", "bad_mailbox"),
    (f"{ZONE}/contact", "a..example", f"{ZONE}/contact", "bad_name"),
    (f"{ZONE}/steers/play", {"pool": "eu", "ttl": 2, "ttl_min": 3},
     f"{ZONE}/steers/play/ttl_min", "out_of_range"),
    (f"{RR}/@/NS", ["ns1.example.net."], f"{RR}/@/NS", "type_not_allowed"),
    (f"{RR}/@/DS", [f"1 13 2 {'00' * 32}"], f"{RR}/@/DS", "type_not_allowed"),
    (f"{RR}/@", {"CNAME": ["www"]}, f"{RR}/@/CNAME", "cname_conflict"),
    (f"{RR}/alias/TXT", ['"x"'], f"{RR}/alias/CNAME", "cname_conflict"),
    (f"{RR}/www/CNAME", ["mail"], f"{RR}/www/CNAME", "cname_conflict"),
    (f"{RR}/alias/CNAME", ["www", "mail"], f"{RR}/alias/CNAME/values/1", "too_many"),
    (f"{RR}/old/DNAME", ["a.example.", "b.example."], f"{RR}/old/DNAME/values/1", "too_many"),
    (f"{RR}/www/A", ["192.0.2.1"], f"{RR}/www/A", "contradiction"),
    (f"{RR}/www/AAAA", ["::1"], f"{RR}/www/AAAA", "contradiction"),
    (f"{RR}/mail/A", ["192.0.2.25", "192.0.2.25"], f"{RR}/mail/A/values/1", "duplicate"),
    (f"{RR}/mail/AAAA", ["::1", "0::1"], f"{RR}/mail/AAAA/values/1", "duplicate"),
    (f"{RR}/mail/MX", ["1 Mail", "1 mail.example.com."], f"{RR}/mail/MX/values/1", "duplicate"),
    (f"{RR}/mail/A", ["mail"], f"{RR}/mail/A/values/0", "bad_rdata"),
    (f"{RR}/big/TXT", LARGE, f"{RR}/big/TXT/values", "too_large"),
]  # fmt: skip


@pytest.mark.parametrize(("at", "value", "pointer", "code"), CASES)
def test_a_fault_is_found_at_its_place(at: str, value: object, pointer: str, code: str) -> None:
    assert found(changed((at, value))) == [(pointer, code)]


def test_all_faults_are_found_at_once() -> None:
    several = [case for case in CASES if case[0].startswith("/monitors/")]
    config = changed(*((at, value) for at, value, *_ in several))
    assert sorted(found(config)) == sorted((pointer, code) for *_, pointer, code in several)


@pytest.mark.parametrize(
    ("at", "value"),
    [("/monitors/web/interval_s", 1), (f"{ZONE}/steers/play", {"pool": "eu", "ttl": 2})],
)
def test_a_default_that_a_shorter_value_leaves_behind_is_no_fault(at: str, value: object) -> None:
    assert found(changed((at, value))) == []


def test_a_body_is_not_looked_for_in_a_reply_to_head() -> None:
    config = changed(("/monitors/web/method", "HEAD"), ("/monitors/web/expect", {"body": "ok"}))
    assert found(config) == [("/monitors/web/expect/body", "contradiction")]


@pytest.mark.parametrize(
    ("config", "pointer", "code"),
    [
        (Config(zones={"a..b": Zone(nameservers=("n.example",))}), "/zones/a..b", "bad_name"),
        (Config(zones={"A.example": Zone(nameservers=("n.b",))}), "/zones/A.example", "bad_name"),
        (Config(rrsets={("gone", "@", "A"): RRset(values=("::",))}), "/zones/gone",
         "unknown_reference"),
    ],
)  # fmt: skip
def test_zones_must_have_their_one_spelling_and_exist(
    config: Config, pointer: str, code: str
) -> None:
    assert found(config) == [(pointer, code)]


def in_zone(owner: str, rtype: str) -> Config:
    return Config(
        zones={"example.com": Zone(nameservers=("ns.example.net",))},
        rrsets={("example.com", owner, rtype): RRset(values=(r"\# 0",))},
    )


@pytest.mark.parametrize(
    ("owner", "rtype", "code"),
    [
        ("a.", "TYPE999", "bad_name"),
        ("WWW", "TYPE999", "bad_name"),
        (f"{LABEL}a", "TYPE999", "bad_name"),
        (".".join([LABEL] * 4), "TYPE999", "bad_name"),
        ("www", "SOA", "type_not_allowed"),
        ("www", "ANY", "type_not_allowed"),
        ("www", "NOPE", "unknown_type"),
        ("www", "type999", "unknown_type"),
    ],
)
def test_keys_of_rrsets_are_read_strictly(owner: str, rtype: str, code: str) -> None:
    assert found(in_zone(owner, rtype)) == [(f"/zones/example.com/rrsets/{owner}/{rtype}", code)]


def test_a_slash_in_a_key_is_escaped_in_the_pointer() -> None:
    assert found(in_zone("0/25", "TYPE999")) == [
        ("/zones/example.com/rrsets/0~125/TYPE999", "bad_name")
    ]


def test_an_unknown_name_gets_a_hint_that_names_what_is_similar() -> None:
    (reason,) = check(changed(("/pools/eu/nodes", ["fra1", "mil9"])))
    assert (reason.value, reason.detail, reason.hint) == (
        "mil9", "No node mil9.", "Did you mean mil1?")  # fmt: skip


def test_a_circle_of_fallbacks_is_named_once_and_whole() -> None:
    circle = {f"p{n}": {"nodes": ["fra1"], "fallback": f"p{(n + 1) % 3}"} for n in range(3)}
    into_it = {"start": {"nodes": ["fra1"], "fallback": "p1"}}
    cycles = [
        reason
        for reason in check(changed(*((f"/pools/{i}", p) for i, p in (into_it | circle).items())))
        if reason.code == "cycle"
    ]
    assert len(cycles) == 1
    assert re.search(r"p1 → p2 → p0 → p1\.", cycles[0].detail)


def test_a_name_server_may_be_steered_or_static_or_have_addresses() -> None:
    for servers in (["www.example.com"], ["mail.example.com"], ["ns.sub.example.com"]):
        assert check(changed((f"{ZONE}/nameservers", servers))) == []


def test_txt_records_that_differ_in_case_are_two_records() -> None:
    assert check(changed((f"{RR}/mail/TXT", ['"a"', '"A"']))) == []


def large(pool: Pool) -> Config:
    nodes = {
        f"node-{i:05}": Node(
            addresses=(f"10.0.{i >> 8}.{i & 255}",),
            location=Location(lat=0, lon=0),
            labels={"tier": "edge", "site": f"s{i % 100}"},
        )
        for i in range(10_000)
    }
    selections = {f"s{i}": Pool(select={"site": f"s{i}"}) for i in range(100)}
    zone, values = "example.com", RRset(values=("192.0.2.1", "192.0.2.2"))
    return Config(
        zones={zone: Zone(nameservers=("ns.example.net",))},
        steers={(zone, f"s{i}"): Steer(pool="p") for i in range(1000)},
        rrsets={(zone, f"r{i}", "A"): values for i in range(1000)},
        nodes=nodes,
        pools={"p": pool} | selections,
    )


def test_a_large_fleet_is_checked_well_within_a_second() -> None:
    config = large(Pool(select={"tier": "edge"}))
    begin = time.process_time()
    assert check(config) == []
    assert time.process_time() - begin < 0.5  # measured: 0.06


def test_all_unknown_names_are_found_but_only_the_first_get_hints() -> None:
    unknown = tuple(f"nod-{i:05}" for i in range(1000))
    reasons = check(large(Pool(nodes=unknown)))
    assert [reason.value for reason in reasons] == list(unknown)
    assert sum(bool(reason.hint) for reason in reasons) == HINTS_MAX

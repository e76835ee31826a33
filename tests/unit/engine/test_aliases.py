"""Steering to names (CNAME pools), and SVCB and HTTPS hints that follow a steer."""

from __future__ import annotations

import dns.rdatatype
import pytest
from support.build import NEW_YORK, ROME, config, node, zone
from support.lab import Lab, question, scope_of

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.geo.world import World
from geodns.snapshot.status import Verdict

ROMAN, YORKER = "1.2.3.0/24", "3.1.1.0/24"


def named(at: tuple[float, float], cname: str) -> dict[str, object]:
    return {"cname": cname, "location": {"lat": at[0], "lon": at[1]}}


NODES = {
    "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
    "york": node(NEW_YORK, "198.18.0.2"),
    "cdn-eu": named(ROME, "eu.cdn.example."),
    "cdn-us": named(NEW_YORK, "us.cdn.example."),
    "origin": named(ROME, "www"),
}
POOLS = {
    "web": {"nodes": ["rome", "york"], "spread": "first"},
    "cdn": {"nodes": ["cdn-eu", "cdn-us"], "spread": "first"},
}
HTTPS = "1 . alpn=h2 ipv4hint=auto ipv6hint=auto port=8443"
ZONE = zone(
    {"www": {"pool": "web", "ttl": 20}, "static": "cdn"},
    {"www": {"HTTPS": [HTTPS, "2 backup.example.test. ipv4hint=192.0.2.9"]}},
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    nodes = {key: body for key, body in NODES.items() if key != "origin"}
    return Lab(
        tmp_path_factory.mktemp("lab"), tiny_world, config({"example.test": ZONE}, nodes, POOLS)
    )


def target(lab: Lab, subnet: str, rtype: str = "A") -> str:
    (rrset,) = lab.ask("static.example.test", rtype, subnet).answer
    assert rrset.rdtype == dns.rdatatype.CNAME
    return str(rrset[0].target)


@pytest.mark.parametrize("rtype", ["A", "AAAA", "CNAME", "TXT"])
def test_a_pool_of_names_answers_with_the_nearest_name(lab: Lab, rtype: str) -> None:
    assert target(lab, ROMAN, rtype) == "eu.cdn.example."
    assert target(lab, YORKER, rtype) == "us.cdn.example."


def test_a_steered_cname_has_the_scope_of_its_class(lab: Lab) -> None:
    assert scope_of(lab.ask("static.example.test", "A", ROMAN)) == 8


def test_a_name_that_is_down_is_left_out(lab: Lab) -> None:
    lab.set("eu.cdn.example.", Verdict.DOWN)
    try:
        assert target(lab, ROMAN) == "us.cdn.example."
    finally:
        lab.set("eu.cdn.example.", Verdict.UNKNOWN)


def https(lab: Lab, subnet: str) -> list[str]:
    (rrset,) = lab.ask("www.example.test", "HTTPS", subnet).answer
    return sorted(record.to_text() for record in rrset)


def test_hints_follow_the_steer_at_their_own_name(lab: Lab) -> None:
    static = '2 backup.example.test. ipv4hint="192.0.2.9"'
    assert https(lab, ROMAN) == [
        '1 . alpn="h2" port="8443" ipv4hint="198.18.0.1" ipv6hint="2001:db8::1"',
        static,
    ]
    assert https(lab, YORKER) == ['1 . alpn="h2" port="8443" ipv4hint="198.18.0.2"', static]


def test_hinted_records_carry_scope_and_no_longer_ttl_than_their_steer(lab: Lab) -> None:
    reply = lab.ask("www.example.test", "HTTPS", ROMAN)
    assert (scope_of(reply), reply.answer[0].ttl) == (8, 20)


def test_hints_move_with_health(lab: Lab) -> None:
    for address in ("198.18.0.1", "2001:db8::1"):
        lab.set(address, Verdict.DOWN)
    try:
        assert "198.18.0.2" in https(lab, ROMAN)[0]
    finally:
        for address in ("198.18.0.1", "2001:db8::1"):
            lab.set(address, Verdict.UNKNOWN)


def test_the_same_question_finds_a_hinted_record_again(lab: Lab) -> None:
    query = question("www.example.test", "HTTPS", ROMAN)
    assert lab.raw(query.to_wire()) == lab.raw(query.to_wire())


# Bad input


def faults(**parts: object) -> set[tuple[str, str]]:
    document = {
        "geodns": 1,
        "zones": {"example.test": zone({"www": "web"})},
        "nodes": NODES,
        "pools": POOLS,
    } | parts
    return {(reason.pointer, reason.code) for reason in check(from_document(document))}


@pytest.mark.parametrize(
    ("parts", "pointer", "code"),
    [
        ({"nodes": NODES | {"x": {"location": {"lat": 0, "lon": 0}}}}, "/nodes/x/addresses",
         "required"),
        ({"nodes": NODES | {"x": node(ROME, "198.18.0.9", cname="a.example.")}}, "/nodes/x/cname",
         "contradiction"),
        ({"nodes": NODES | {"x": named(ROME, "a..b")}}, "/nodes/x/cname", "bad_name"),
        ({"pools": POOLS | {"x": {"nodes": ["rome", "cdn-eu"]}}}, "/pools/x", "contradiction"),
        ({"pools": POOLS | {"x": {"nodes": ["cdn-us", "cdn-eu"], "answers": 2}}},
         "/pools/x/answers", "out_of_range"),
        ({"pools": POOLS | {"web": {"nodes": ["rome"], "fallback": "cdn"}}},
         "/zones/example.test/steers/www/pool", "contradiction"),
        ({"zones": {"example.test": zone({"@": "cdn"})}},
         "/zones/example.test/steers/@/pool", "cname_conflict"),
        ({"zones": {"example.test": zone({"www": "cdn"}, {"www": {"TXT": ["x"]}})}},
         "/zones/example.test/steers/www/pool", "cname_conflict"),
        ({"zones": {"example.test": zone({"www": "cdn"}, {"api": {"HTTPS": [HTTPS]}})}},
         "/zones/example.test/rrsets/api/HTTPS/values/0", "contradiction"),
    ],
)  # fmt: skip
def test_what_cannot_stand_together_is_refused(
    parts: dict[str, object], pointer: str, code: str
) -> None:
    assert (pointer, code) in faults(**parts)


def test_the_document_without_faults_has_none() -> None:
    assert faults() == set()

"""RFC 9471: all glue in a referral, or TC."""

from __future__ import annotations

from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import pytest
from support.build import config, zone
from support.lab import Lab

from geodns.geo.world import World

V6 = [f"2001:db8::{n:x}" for n in range(1, 41)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    made = config(
        zones={
            "example.test": zone(
                rrsets={
                    "sub": {"NS": ["ns1.sub", "Ns2.SUB"]},
                    "ns1.sub": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
                    "ns2.sub": {"A": ["192.0.2.2"]},
                    "wide": {"NS": ["ns.wide"]},
                    "ns.wide": {"AAAA": V6},
                    "twin": {"NS": ["ns1.sub", "ns.beside"]},
                    "ns.beside": {"A": ["192.0.2.3"]},
                    "bare": {"NS": ["ns.nowhere.invalid."]},
                    "missing": {"NS": ["ns.missing"]},
                    "wide-sibling": {"NS": ["ns.wide"]},
                    "outer": {"NS": ["ns.outer"]},
                    "ns.outer": {"A": ["192.0.2.4"]},
                    "inner.outer": {"NS": ["ns.inner.outer"]},
                    "ns.inner.outer": {"A": ["192.0.2.5"]},
                }
            )
        }
    )
    return Lab(tmp_path_factory.mktemp("glue"), tiny_world, made, engine=engine)


def glue(reply: dns.message.Message) -> set[tuple[str, str]]:
    return {(str(rrset.name), str(item)) for rrset in reply.additional for item in rrset}


def test_section_3_1_all_addresses_below_the_cut_are_there(lab: Lab) -> None:
    reply = lab.ask("www.sub.example.test")
    assert not reply.flags & dns.flags.AA
    assert glue(reply) == {
        ("ns1.sub.example.test.", "192.0.2.1"),
        ("ns1.sub.example.test.", "2001:db8::1"),
        ("ns2.sub.example.test.", "192.0.2.2"),
    }


@pytest.mark.parametrize("payload", [None, 512, 1232, 4096])
def test_section_3_1_what_does_not_fit_is_tc(lab: Lab, payload: int | None) -> None:
    edns = False if payload is None else 0
    reply = lab.ask("www.wide.example.test", edns=edns, payload=payload or 0)
    assert reply.flags & dns.flags.TC
    assert (reply.answer, reply.authority, reply.additional) == ([], [], [])


def test_section_3_1_tcp_has_it_all(lab: Lab) -> None:
    reply = lab.ask("www.wide.example.test", tcp=True)
    assert not reply.flags & dns.flags.TC
    assert len(glue(reply)) == len(V6)


def test_section_3_2_siblings_glue_is_given_too(lab: Lab) -> None:
    assert glue(lab.ask("www.twin.example.test")) == {
        ("ns1.sub.example.test.", "192.0.2.1"),
        ("ns1.sub.example.test.", "2001:db8::1"),
        ("ns.beside.example.test.", "192.0.2.3"),
    }


def test_section_3_2_siblings_glue_that_does_not_fit_is_tc_as_well(lab: Lab) -> None:
    """It need not be; we make no difference, so that no resolver is left with a part."""
    assert lab.ask("www.wide-sibling.example.test").flags & dns.flags.TC


@pytest.mark.parametrize("name", ["bare", "missing"])
def test_a_referral_without_any_glue_is_still_one(lab: Lab, name: str) -> None:
    reply = lab.ask(f"www.{name}.example.test")
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.NS]
    assert reply.additional == []


@pytest.mark.parametrize("name", ["outer", "inner.outer", "www.inner.outer", "ns.inner.outer"])
def test_of_nested_cuts_the_topmost_refers(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.example.test")
    assert [str(rrset.name) for rrset in reply.authority] == ["outer.example.test."]
    assert glue(reply) == {("ns.outer.example.test.", "192.0.2.4")}


def test_glue_itself_is_not_answered_but_referred(lab: Lab) -> None:
    reply = lab.ask("ns1.sub.example.test")
    assert (reply.answer, len(reply.authority)) == ([], 1)


def test_glue_of_the_question_keeps_its_case_and_is_compressed(lab: Lab, tmp_path: Path) -> None:
    octets = lab.raw(dns.message.make_query("NS1.SUB.example.test", "A").to_wire())
    assert octets is not None
    assert octets.count(b"\x03NS1\x03SUB") == 1  # the question; the glue points to it
    assert ("NS1.SUB.example.test.", "192.0.2.1") in glue(dns.message.from_wire(octets))

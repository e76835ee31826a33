"""RFC 6672: DNAME."""

from __future__ import annotations

from pathlib import Path

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from support.build import config, zone
from support.lab import Lab, addresses_of

from geodns.geo.world import World

X63 = "x" * 63


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Lab:
    zones = {
        "example.test": zone(
            rrsets={
                "old": {"DNAME": ["new.other.test."], "TXT": ["beside"], "A": ["192.0.2.9"]},
                "hidden.old": {"A": ["192.0.2.99"]},
                "here": {"DNAME": ["there"]},
                "www.there": {"A": ["192.0.2.1"]},
                "again": {"DNAME": ["here"]},
                "down": {"DNAME": ["a.down"]},
                "long": {"DNAME": [f"{X63}.{X63}.{X63}"]},
                "away": {"DNAME": ["elsewhere.invalid."]},
                "to-old": {"CNAME": ["www.old"]},
                "*.wild": {"CNAME": ["www.old"]},
                "top": {"DNAME": ["there"]},
                "low.top": {"DNAME": ["nowhere"]},
                "sub": {"NS": ["ns.sub", "ns.here"]},
                "ns.sub": {"A": ["192.0.2.61"]},
                "ns.here": {"A": ["192.0.2.62"]},
                "into-sub": {"DNAME": ["sub"]},
            },
        ),
        "other.test": zone(
            rrsets={"www.new": {"A": ["192.0.2.2"]}, "*.wild.new": {"A": ["192.0.2.3"]}}
        ),
        "apex.test": zone(rrsets={"@": {"DNAME": ["other.test."], "MX": ["0 ."]}}),
    }
    made = config(zones=zones)
    return Lab(tmp_path_factory.mktemp("dname"), tiny_world, made, engine=engine)


def records(reply: dns.message.Message) -> list[str]:
    """Owner, type and data of the answer, in order."""
    return [
        f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {item}"
        for rrset in reply.answer
        for item in rrset
    ]


def test_section_2_2_the_name_below_is_renamed_by_dname_and_cname(lab: Lab) -> None:
    assert records(lab.ask("www.old.example.test")) == [
        "old.example.test. DNAME new.other.test.",
        "www.old.example.test. CNAME www.new.other.test.",
        "www.new.other.test. A 192.0.2.2",
    ]


def test_section_2_2_case_of_the_question_goes_into_the_cname(lab: Lab) -> None:
    renamed = records(lab.ask("WwW.OLD.example.test"))[1]
    assert renamed == "WwW.OLD.example.test. CNAME WwW.new.other.test."


def test_section_2_2_a_name_grown_too_long_is_yxdomain(lab: Lab) -> None:
    room = 255 - 3 * 64 - len("\7example\4test\0") - 1  # octets of one label in front
    fits = lab.ask(f"{'a' * room}.long.example.test")
    assert fits.rcode() == dns.rcode.NXDOMAIN
    assert len(fits.answer[1][0].target.to_wire()) == 255
    grown = lab.ask(f"{'a' * (room + 1)}.long.example.test")
    assert grown.rcode() == dns.rcode.YXDOMAIN
    assert [rrset.rdtype for rrset in grown.answer] == [dns.rdatatype.DNAME]


def test_section_2_3_dname_does_not_rename_its_own_owner(lab: Lab) -> None:
    assert addresses_of(lab.ask("old.example.test")) == {"192.0.2.9"}
    assert records(lab.ask("old.example.test", "DNAME")) == [
        "old.example.test. DNAME new.other.test."
    ]
    nodata = lab.ask("here.example.test", "MX")
    assert (nodata.rcode(), nodata.answer) == (dns.rcode.NOERROR, [])


def test_section_2_3_dname_at_the_apex_stands_beside_soa_and_ns(lab: Lab) -> None:
    assert len(lab.ask("apex.test", "SOA").answer) == 1
    assert len(lab.ask("apex.test", "NS").answer) == 1
    assert addresses_of(lab.ask("www.new.apex.test")) == {"192.0.2.2"}


@pytest.mark.parametrize("name", ["hidden.old", "x.hidden.old", "low.top", "www.low.top"])
def test_section_2_4_what_is_below_a_dname_is_not_seen(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.example.test")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert "192.0.2.99" not in addresses_of(reply)
    assert records(reply)[0].split()[0] in ("old.example.test.", "top.example.test.")


def test_section_2_4_an_address_below_a_dname_is_no_glue(lab: Lab) -> None:
    reply = lab.ask("www.sub.example.test")
    assert [str(rrset.name) for rrset in reply.additional] == ["ns.sub.example.test."]


def test_section_3_1_the_cname_lives_as_long_as_its_dname(lab: Lab) -> None:
    ttls = {rrset.ttl for rrset in lab.ask("www.away.example.test").answer}
    assert ttls == {300}


@pytest.mark.parametrize("rtype", ["CNAME", "ANY"])
def test_section_3_1_the_cname_itself_may_be_asked_for(lab: Lab, rtype: str) -> None:
    assert records(lab.ask("www.old.example.test", rtype)) == [
        "old.example.test. DNAME new.other.test.",
        "www.old.example.test. CNAME www.new.other.test.",
    ]


def test_section_3_2_an_answer_ends_where_it_leaves_our_zones(lab: Lab) -> None:
    reply = lab.ask("www.away.example.test")
    assert reply.rcode() == dns.rcode.NOERROR
    assert records(reply)[1:] == ["www.away.example.test. CNAME www.elsewhere.invalid."]


def test_section_3_2_one_dname_leads_to_another(lab: Lab) -> None:
    assert records(lab.ask("www.again.example.test"))[::2] == [
        "again.example.test. DNAME here.example.test.",
        "here.example.test. DNAME there.example.test.",
        "www.there.example.test. A 192.0.2.1",
    ]


@pytest.mark.parametrize("name", ["to-old", "x.y.wild"])
def test_section_3_2_a_cname_may_lead_below_a_dname(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.example.test")
    assert [rrset.rdtype for rrset in reply.answer] == [5, 39, 5, 1]
    assert addresses_of(reply) == {"192.0.2.2"}


def test_section_3_2_the_new_name_may_be_a_wildcards(lab: Lab) -> None:
    reply = lab.ask("any.wild.old.example.test")
    assert records(reply)[-1] == "any.wild.new.other.test. A 192.0.2.3"


def test_section_3_2_the_rcode_speaks_of_the_new_name(lab: Lab) -> None:
    reply = lab.ask("nothing.old.example.test")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert str(reply.authority[0].name) == "other.test."


def test_section_3_2_the_new_name_may_be_below_a_cut(lab: Lab) -> None:
    reply = lab.ask("www.into-sub.example.test")
    assert [rrset.rdtype for rrset in reply.answer] == [39, 5]
    assert str(reply.authority[0].name) == "sub.example.test."


def test_section_3_2_a_dname_below_its_own_target_ends_and_stands_once(lab: Lab) -> None:
    """RFC 2181 section 5: no record twice, however often it renames."""
    octets = lab.raw(dns.message.make_query("www.down.example.test", "A").to_wire(), tcp=True)
    assert octets is not None
    reply = dns.message.from_wire(octets)
    owners = [str(rrset.name) for rrset in reply.answer]
    assert len(owners) == len(set(owners)) == int.from_bytes(octets[6:8], "big")
    assert len(owners) > 2


def test_section_5_3_a_client_without_edns_gets_the_same(lab: Lab) -> None:
    assert records(lab.ask("www.old.example.test", edns=False)) == records(
        lab.ask("www.old.example.test")
    )


def test_section_2_4_two_dnames_at_one_name_are_refused() -> None:
    with pytest.raises(AssertionError, match="only one DNAME"):
        config(zones={"example.test": zone(rrsets={"old": {"DNAME": ["a.test.", "b.test."]}})})


def test_section_2_4_a_dname_and_a_cname_at_one_name_are_refused() -> None:
    with pytest.raises(AssertionError, match="CNAME"):
        config(zones={"example.test": zone(rrsets={"old": {"DNAME": ["a.test."], "CNAME": ["b"]}})})


def test_a_wildcard_does_not_make_a_dname(tmp_path: Path, tiny_world: World) -> None:
    """RFC 6672 section 3.3 leaves it open; a DNAME that a wildcard stands for renames nothing."""
    lab = Lab(
        tmp_path, tiny_world, config(zones={"w.test": zone(rrsets={"*": {"DNAME": ["o.test."]}})})
    )
    for name in ("a.w.test", "b.a.w.test"):
        reply = lab.ask(name)
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert records(lab.ask("x.*.w.test"))[0] == "*.w.test. DNAME o.test."

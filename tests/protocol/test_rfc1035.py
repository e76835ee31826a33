"""RFC 1035, with RFC 1034 and 2181 where they say what a server does: messages and zones."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest
from support.lab import Lab, addresses_of, question

AA, TC, QR, RA, RD, AD, CD = (
    getattr(dns.flags, name) for name in ("AA", "TC", "QR", "RA", "RD", "AD", "CD")
)


def texts(section: list[dns.rrset.RRset]) -> list[str]:
    return [rrset.to_text() for rrset in section]


def test_section_4_1_1_id_opcode_and_rd_are_copied_and_ra_stays_clear(lab: Lab) -> None:
    for rd in (0, RD):
        query = question("mail.example.test")
        query.flags = rd | AD | CD
        reply = lab.reply(query)
        assert reply.id == query.id
        assert reply.flags & 0xFFFF == QR | AA | rd


def test_section_4_1_2_the_question_comes_back_with_its_case(lab: Lab) -> None:
    query = question("MaIl.ExAmPlE.tEsT")
    octets = lab.raw(query.to_wire())
    assert octets is not None
    assert b"\x04MaIl\x07ExAmPlE\x04tEsT\0" in octets


def test_section_2_3_3_case_does_not_matter(lab: Lab) -> None:
    upper, lower = lab.ask("WWW.EXAMPLE.TEST"), lab.ask("www.example.test")
    assert addresses_of(upper) == addresses_of(lower)
    assert upper.answer[0].name == lower.answer[0].name


def test_section_3_2_2_every_record_of_the_set_is_answered(lab: Lab) -> None:
    reply = lab.ask("mail.example.test")
    assert texts(reply.answer) == [
        "mail.example.test. 300 IN A 192.0.2.25\nmail.example.test. 300 IN A 192.0.2.26"
    ]


def test_section_3_3_13_soa_names_the_first_server_and_the_contact(lab: Lab) -> None:
    reply = lab.ask("example.test", "SOA")
    soa = reply.answer[0][0]
    assert (str(soa.mname), str(soa.rname)) == ("ns1.example.test.", "hostmaster.example.test.")
    assert (soa.serial, soa.minimum) == (1_800_000_000, 30)
    reply = lab.ask("other.test", "SOA")
    assert str(reply.answer[0][0].rname) == r"first\.last.example.test."


def test_section_3_3_11_ns_of_the_apex_is_authoritative(lab: Lab) -> None:
    reply = lab.ask("example.test", "NS")
    assert texts(reply.answer) == ["example.test. 300 IN NS ns1.example.test."]
    assert reply.flags & AA


@pytest.mark.parametrize("name", ["example.org", "test", ".", "notexample.test"])
def test_rfc1034_section_4_3_2_names_outside_our_zones_are_refused(lab: Lab, name: str) -> None:
    reply = lab.ask(name)
    assert reply.rcode() == dns.rcode.REFUSED
    assert not reply.flags & AA
    assert [*reply.answer, *reply.authority] == []


@pytest.mark.parametrize("rclass", ["CH", "HS", "NONE"])
@pytest.mark.parametrize("name", ["mail.example.test", "www.example.test"])
def test_section_3_2_4_other_classes_are_refused(lab: Lab, name: str, rclass: str) -> None:
    lab.ask(name)  # asked before in class IN, it must not be answered from memory
    assert lab.ask(name, rclass=rclass).rcode() == dns.rcode.REFUSED


def test_section_6_2_an_answer_for_any_class_is_not_authoritative(lab: Lab) -> None:
    lab.ask("mail.example.test")
    reply = lab.ask("mail.example.test", rclass="ANY")
    assert not reply.flags & AA
    octets = lab.raw(question("mail.example.test", rclass="ANY").to_wire())
    assert octets is not None
    assert octets.count(bytes([192, 0, 2, 25])) == 1


@pytest.mark.parametrize("rtype", ["AXFR", "IXFR"])
def test_section_3_2_3_transfers_are_refused(lab: Lab, rtype: str) -> None:
    for _ in range(2):
        lab.ask("example.test", "SOA")
        query = question("example.test", "SOA")
        query.question[0].rdtype = dns.rdatatype.from_text(rtype)
        octets = lab.raw(query.to_wire())
        assert octets is not None
        assert octets[3] & 15 == dns.rcode.REFUSED


def test_rfc1995_section_3_ixfr_with_its_soa_is_refused_not_malformed(lab: Lab) -> None:
    query = dns.message.make_query("example.test", "IXFR")
    soa = "example.test. 0 IN SOA ns1.example.test. hostmaster.example.test. 1 1 1 1 1"
    query.authority.append(dns.rrset.from_text(*soa.split(" ", 4)))
    octets = lab.raw(query.to_wire())
    assert octets is not None
    assert octets[3] & 15 == dns.rcode.REFUSED


def test_rfc1034_section_3_6_2_a_chain_of_cnames_is_answered_whole(lab: Lab) -> None:
    reply = lab.ask("chain1.example.test")
    owners = [str(rrset.name) for rrset in reply.answer]
    assert owners == [f"{n}.example.test." for n in ("chain1", "chain2", "chain3", "mail")]
    assert addresses_of(reply) == {"192.0.2.25", "192.0.2.26"}
    assert reply.flags & AA


def test_rfc1034_section_3_6_2_asked_for_itself_a_cname_is_not_followed(lab: Lab) -> None:
    reply = lab.ask("chain1.example.test", "CNAME")
    assert texts(reply.answer) == ["chain1.example.test. 300 IN CNAME chain2.example.test."]


def test_rfc1034_section_3_6_2_a_cname_leads_into_another_zone_of_ours(lab: Lab) -> None:
    assert addresses_of(lab.ask("across.example.test")) == {"192.0.2.77"}


def test_rfc1034_section_4_3_2_a_cname_to_below_a_cut_refers_there(lab: Lab) -> None:
    reply = lab.ask("to-cut.example.test")
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.CNAME]
    assert [rrset.name.to_text() for rrset in reply.authority] == ["sub.parent.test."]


def test_rfc1034_section_3_6_2_a_cname_out_of_our_zones_ends_there(lab: Lab) -> None:
    reply = lab.ask("away.example.test")
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.CNAME]
    assert (reply.rcode(), reply.authority) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("subnet", ["1.2.3.0/24", "2.1.1.0/24", "2.200.1.0/24"])
def test_rfc1034_section_3_6_2_a_cname_leads_to_a_steered_name(lab: Lab, subnet: str) -> None:
    for rtype in ("A", "AAAA"):
        steered = lab.ask("www.example.test", rtype, subnet)
        reply = lab.ask("alias.example.test", rtype, subnet)
        if steered.answer:
            assert texts(reply.answer) == [
                "alias.example.test. 300 IN CNAME www.example.test.",
                *texts(steered.answer),
            ]
        assert [o.scopelen for o in reply.options] == [o.scopelen for o in steered.options]


@pytest.mark.parametrize(("name", "links"), [("loop1", 2), ("loop2", 2), ("self", 1)])
def test_rfc1034_section_3_6_2_a_loop_of_cnames_is_told_once(
    lab: Lab, name: str, links: int
) -> None:
    octets = lab.raw(question(f"{name}.example.test").to_wire())
    assert octets is not None
    reply = dns.message.from_wire(octets)
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, links)
    assert int.from_bytes(octets[6:8], "big") == links  # RFC 2181 section 5: none twice


def test_rfc1034_section_3_6_2_a_long_chain_is_followed_only_so_far(lab: Lab) -> None:
    reply = lab.ask("long0.example.test")
    assert 8 <= len(reply.answer) <= 16
    assert reply.rcode() == dns.rcode.NOERROR


def test_rfc1034_section_4_3_2_below_a_cut_the_servers_are_referred_to(lab: Lab) -> None:
    for name in ("sub.parent.test", "www.sub.parent.test", "a.b.sub.parent.test"):
        reply = lab.ask(name)
        assert not reply.flags & AA
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
        assert str(reply.authority[0].name) == "sub.parent.test."
        servers = {str(item.target) for item in reply.authority[0]}
        assert servers == {"ns1.sub.parent.test.", "ns2.other.test.", "NS3.parent.test."}


def test_rfc9471_section_2_a_referral_carries_its_glue(lab: Lab) -> None:
    reply = lab.ask("www.sub.parent.test")
    glue = {str(rrset.name): [item.address for item in rrset] for rrset in reply.additional}
    assert glue["ns3.parent.test."] == ["192.0.2.63"]
    assert len([r for r in reply.additional if str(r.name) == "ns1.sub.parent.test."]) == 2


def test_rfc1034_section_4_2_1_glue_is_not_authoritative_data(lab: Lab) -> None:
    reply = lab.ask("ns1.sub.parent.test")
    assert (reply.answer, bool(reply.flags & AA)) == ([], False)


def test_rfc4035_section_3_1_4_1_the_parent_answers_ds(lab: Lab) -> None:
    reply = lab.ask("sub.parent.test", "DS")
    assert reply.flags & AA
    assert reply.answer[0].rdtype == dns.rdatatype.DS


def test_rfc4035_section_3_1_4_1_the_parent_answers_ds_though_we_serve_the_child(lab: Lab) -> None:
    assert addresses_of(lab.ask("www.child.parent.test")) == {"192.0.2.65"}
    assert lab.ask("child.parent.test", "SOA").answer
    reply = lab.ask("child.parent.test", "DS")
    assert reply.flags & AA
    assert reply.answer[0][0].key_tag == 2


@pytest.mark.parametrize("name", ["example.test", "lost.parent.test"])
def test_rfc4035_section_3_1_4_1_without_a_parent_that_delegates_ds_is_nodata(
    lab: Lab, name: str
) -> None:
    reply = lab.ask(name, "DS")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert str(reply.authority[0].name) == f"{name}."


def test_rfc4035_section_3_1_4_1_asking_for_ds_does_not_hide_the_child(lab: Lab) -> None:
    assert lab.ask("hidden.other.test", "DS").answer == []
    reply = lab.ask("hidden.other.test", "SOA")
    assert str(reply.answer[0].name) == "hidden.other.test."


def test_rfc8482_section_4_1_any_is_answered_with_one_set(lab: Lab) -> None:
    for name in ("example.test", "mail.example.test", "www.example.test", "alias.example.test"):
        reply = lab.ask(name, "ANY")
        assert len(reply.answer) == 1
    reply = lab.ask("nothing.example.test", "ANY")
    assert reply.rcode() == dns.rcode.NXDOMAIN


def test_rfc3597_section_3_unknown_types_are_served_as_octets(lab: Lab) -> None:
    reply = lab.ask("odd.example.test", "TYPE65280")
    assert texts(reply.answer) == [r"odd.example.test. 300 IN TYPE65280 \# 3 010203"]


@pytest.mark.parametrize(
    ("payload", "name", "truncated"),
    [(None, "big", True), (512, "big", True), (1232, "big", False), (4096, "huge", True)],
)
def test_section_4_2_1_what_does_not_fit_is_truncated_without_a_part_of_a_set(
    lab: Lab, payload: int | None, name: str, truncated: bool
) -> None:
    edns = False if payload is None else 0
    query = question(f"{name}.example.test", "TXT", edns=edns, payload=payload or 0)
    octets = lab.raw(query.to_wire())
    assert octets is not None
    reply = dns.message.from_wire(octets)
    assert bool(reply.flags & TC) is truncated
    assert len(reply.answer) == (0 if truncated else 1)  # RFC 2181 section 9
    assert len(octets) <= min(payload or 512, 1232)


def test_section_4_2_2_over_tcp_it_comes_whole(lab: Lab) -> None:
    for edns in (0, False):
        reply = lab.ask("huge.example.test", "TXT", tcp=True, edns=edns)
        assert not reply.flags & TC
        assert len(reply.answer[0]) == 40

"""RFC 2308, with RFC 6604 and 8020: how a server says that something is not there."""

from __future__ import annotations

import dns.flags
import dns.rcode
import pytest
from support.lab import Lab


def soa_owner_and_ttl(reply: dns.message.Message) -> tuple[str, int]:
    assert len(reply.authority) == 1
    soa = reply.authority[0]
    assert soa.rdtype == dns.rdatatype.SOA
    return str(soa.name), soa.ttl


def test_section_2_1_a_name_that_does_not_exist_is_nxdomain_with_soa(lab: Lab) -> None:
    reply = lab.ask("nothing.example.test")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NXDOMAIN, [])
    assert soa_owner_and_ttl(reply) == ("example.test.", 30)
    assert reply.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "rtype"),
    [("mail", "TXT"), ("mail", "TYPE65280"), ("www", "MX"), ("@", "SRV"), ("wild", "A")],
)
def test_section_2_2_a_type_that_does_not_exist_is_nodata_with_soa(
    lab: Lab, name: str, rtype: str
) -> None:
    owner = "example.test" if name == "@" else f"{name}.example.test"
    reply = lab.ask(owner, rtype)
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert soa_owner_and_ttl(reply) == ("example.test.", 30)
    assert reply.flags & dns.flags.AA


def test_section_3_the_ttl_is_the_lesser_of_minimum_and_the_soas_own(lab: Lab) -> None:
    reply = lab.ask("nothing.other.test")  # minimum 3600, its SOA's own TTL 20
    assert soa_owner_and_ttl(reply) == ("other.test.", 20)


def test_section_2_1_after_a_cname_the_soa_is_that_of_the_last_zone(lab: Lab) -> None:
    reply = lab.ask("across-missing.example.test")
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.CNAME]
    assert soa_owner_and_ttl(reply) == ("other.test.", 20)


@pytest.mark.parametrize("name", ["dangling", "across-missing"])
def test_rfc6604_section_3_the_rcode_speaks_of_the_end_of_the_chain(lab: Lab, name: str) -> None:
    assert lab.ask(f"{name}.example.test").rcode() == dns.rcode.NXDOMAIN


def test_section_2_2_a_cname_to_nothing_of_that_type_is_nodata(lab: Lab) -> None:
    reply = lab.ask("to-mail.example.test", "MX")
    assert reply.rcode() == dns.rcode.NOERROR
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.CNAME]
    assert soa_owner_and_ttl(reply) == ("example.test.", 30)


@pytest.mark.parametrize("name", ["ent", "b.ent"])
def test_rfc8020_section_2_a_name_with_something_below_it_exists(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.example.test")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert soa_owner_and_ttl(reply)[0] == "example.test."


def test_rfc8020_section_2_below_a_name_without_children_nothing_exists(lab: Lab) -> None:
    assert lab.ask("x.mail.example.test").rcode() == dns.rcode.NXDOMAIN
    assert lab.ask("x.a.b.ent.example.test").rcode() == dns.rcode.NXDOMAIN

"""RFC 8482: ANY is answered with little."""

from __future__ import annotations

import dns.rcode
import dns.rdatatype
import pytest
from support.lab import Lab, addresses_of


@pytest.mark.parametrize("name", ["mail", "*.wild", "any.wild", "odd", "a.b.ent"])
def test_section_4_1_one_whole_rrset_is_enough(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.example.test", "ANY")
    assert reply.rcode() == dns.rcode.NOERROR
    (rrset,) = reply.answer
    one_by_one = lab.ask(f"{name}.example.test", dns.rdatatype.to_text(rrset.rdtype))
    assert one_by_one.answer == [rrset]


def test_section_4_1_the_apex_too_answers_one_rrset(lab: Lab) -> None:
    assert len(lab.ask("example.test", "ANY").answer) == 1


def test_section_4_1_an_alias_is_told_and_not_followed(lab: Lab) -> None:
    (rrset,) = lab.ask("to-mail.example.test", "ANY").answer
    assert rrset.rdtype == dns.rdatatype.CNAME


def test_section_4_3_tcp_gets_no_more(lab: Lab) -> None:
    assert len(lab.ask("mail.example.test", "ANY", tcp=True).answer) == 1


def test_a_steered_name_is_steered_for_any(lab: Lab) -> None:
    assert addresses_of(lab.ask("www.example.test", "ANY", "1.2.3.0/24")) == {"198.18.0.1"}


def test_any_of_nothing_is_as_negative_as_other_types(lab: Lab) -> None:
    assert lab.ask("nothing.example.test", "ANY").rcode() == dns.rcode.NXDOMAIN
    nodata = lab.ask("b.ent.example.test", "ANY")
    assert (nodata.rcode(), nodata.answer) == (dns.rcode.NOERROR, [])
    assert nodata.authority[0].rdtype == dns.rdatatype.SOA


def test_any_below_a_cut_is_referred(lab: Lab) -> None:
    for name in ("sub.parent.test", "www.sub.parent.test"):
        reply = lab.ask(name, "ANY")
        assert reply.answer == []
        assert reply.authority[0].rdtype == dns.rdatatype.NS

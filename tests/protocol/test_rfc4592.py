"""RFC 4592: wildcards."""

from __future__ import annotations

import dns.rcode
import pytest
from support.lab import Lab, addresses_of, scope_of


@pytest.mark.parametrize("name", ["a", "a.b", "x.y.z", "*.deeper"])
def test_section_3_3_1_what_does_not_exist_is_answered_by_the_wildcard(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.wild.example.test")
    assert addresses_of(reply) == {"192.0.2.2"}
    assert str(reply.answer[0].name) == f"{name}.wild.example.test."


def test_section_2_2_1_a_name_that_exists_is_not_covered(lab: Lab) -> None:
    reply = lab.ask("host.wild.example.test")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_section_2_2_2_an_empty_non_terminal_is_not_covered(lab: Lab) -> None:
    reply = lab.ask("inner.wild.example.test")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_section_3_3_1_below_an_existing_name_the_wildcard_ends(lab: Lab) -> None:
    for name in ("y.inner.wild", "y.host.wild"):
        assert lab.ask(f"{name}.example.test").rcode() == dns.rcode.NXDOMAIN


def test_section_2_2_1_a_type_that_the_wildcard_lacks_is_nodata(lab: Lab) -> None:
    reply = lab.ask("a.wild.example.test", "MX")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert reply.authority[0].rdtype == dns.rdatatype.SOA


def test_section_2_2_the_wildcard_does_not_cover_its_own_parent(lab: Lab) -> None:
    assert lab.ask("wild.example.test").answer == []


def test_section_4_4_asked_by_its_name_a_wildcard_is_an_ordinary_owner(lab: Lab) -> None:
    reply = lab.ask("*.wild.example.test")
    assert addresses_of(reply) == {"192.0.2.2"}


def test_section_3_3_3_a_cname_at_a_wildcard_is_followed(lab: Lab) -> None:
    reply = lab.ask("anything.renamed.example.test")
    owners = [str(rrset.name) for rrset in reply.answer]
    assert owners == ["anything.renamed.example.test.", "mail.example.test."]


def test_section_3_3_3_a_cname_may_lead_to_a_wildcard(lab: Lab) -> None:
    reply = lab.ask("to-wild.example.test")
    assert addresses_of(reply) == {"192.0.2.2"}
    assert str(reply.answer[1].name) == "any.wild.example.test."


def test_section_4_2_below_a_cut_no_wildcard_is_looked_for(lab: Lab) -> None:
    reply = lab.ask("x.sub.parent.test", "TXT")
    assert reply.answer == []
    assert str(reply.authority[0].name) == "sub.parent.test."


def test_section_3_3_1_a_steered_wildcard_is_steered(lab: Lab) -> None:
    rome = lab.ask("any.steered.example.test", subnet="1.2.3.0/24")
    assert addresses_of(rome) == {"198.18.0.1"}
    assert str(rome.answer[0].name) == "any.steered.example.test."
    assert scope_of(rome) == 8

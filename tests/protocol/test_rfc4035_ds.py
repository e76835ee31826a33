"""RFC 4035 section 3.1.4.1 and RFC 3658: DS lives above the cut, in the parent."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from support.lab import Lab

SOA, NS, DS = dns.rdatatype.SOA, dns.rdatatype.NS, dns.rdatatype.DS


def owner_of(section: list[dns.rrset.RRset]) -> tuple[str, int]:
    (rrset,) = section
    return str(rrset.name), rrset.rdtype


@pytest.mark.parametrize("name", ["sub", "child"])  # elsewhere, and served here too
def test_the_parent_answers_with_authority(lab: Lab, name: str) -> None:
    reply = lab.ask(f"{name}.parent.test", "DS")
    assert reply.flags & dns.flags.AA
    assert owner_of(reply.answer) == (f"{name}.parent.test.", DS)
    assert reply.authority == []


def test_without_ds_the_parent_says_nodata_and_does_not_refer(lab: Lab) -> None:
    for name in ("www.parent.test", "*.parent.test"):
        reply = lab.ask(name, "DS")
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
        assert owner_of(reply.authority) == ("parent.test.", SOA)


def test_below_the_cut_ds_is_referred_like_any_type(lab: Lab) -> None:
    reply = lab.ask("www.sub.parent.test", "DS")
    assert not reply.flags & dns.flags.AA
    assert owner_of(reply.authority) == ("sub.parent.test.", NS)


def test_other_types_at_the_cut_are_referred(lab: Lab) -> None:
    for rtype in ("A", "SOA", "NS", "DNSKEY", "NSEC"):
        reply = lab.ask("sub.parent.test", rtype)
        assert (reply.answer, owner_of(reply.authority)) == ([], ("sub.parent.test.", NS))


def test_of_a_zone_whose_parent_is_elsewhere_the_apex_says_nodata(lab: Lab) -> None:
    """RFC 4035: a resolver that asks the child by mistake learns so, and from whom."""
    reply = lab.ask("example.test", "DS")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert owner_of(reply.authority) == ("example.test.", SOA)


def test_a_zone_that_our_parent_does_not_delegate_is_not_denied(lab: Lab) -> None:
    """An NXDOMAIN of the parent would deny all of the zone (RFC 8020)."""
    reply = lab.ask("lost.parent.test", "DS")
    assert reply.rcode() == dns.rcode.NOERROR
    assert owner_of(reply.authority) == ("lost.parent.test.", SOA)


def test_the_childs_other_types_are_the_childs(lab: Lab) -> None:
    for rtype in ("SOA", "NS"):
        assert owner_of(lab.ask("child.parent.test", rtype).answer)[0] == "child.parent.test."
    assert lab.ask("child.parent.test", "DNSKEY").authority[0].name.to_text() == (
        "child.parent.test."
    )


def test_do_makes_no_difference_to_unsigned_zones(lab: Lab) -> None:
    for name, rtype in (("child.parent.test", "DS"), ("sub.parent.test", "A"), ("x.test", "A")):
        query = dns.message.make_query(name, rtype, use_edns=0)
        signed = dns.message.make_query(name, rtype, use_edns=0, want_dnssec=True)
        signed.id = query.id
        plain, with_do = lab.reply(query), lab.reply(signed)
        assert plain.sections == with_do.sections
        assert not with_do.flags & dns.flags.AD  # section 3.1.6

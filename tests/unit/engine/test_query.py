"""A packet read as a query: what the engine keeps of it."""

from __future__ import annotations

import pytest
from support.lab import question

from geodns.engine.query import Malformed, Query


def test_the_name_is_canonical_and_the_question_stays_as_it_was() -> None:
    packet = question("WwW.Example.Test", "AAAA").to_wire()
    query = Query(packet)
    assert query.qname == b"\3www\7example\4test\0"
    assert (query.qtype, query.qclass) == (28, 1)
    assert packet[12 : query.question_end] == b"\3WwW\7Example\4Test\0\0\x1c\0\1"


@pytest.mark.parametrize(
    ("payload", "limit"), [(512, 512), (100, 512), (1000, 1000), (1232, 1232), (65535, 1232)]
)
def test_the_reply_may_have_what_both_sides_allow(payload: int, limit: int) -> None:
    assert Query(question("a.test", payload=payload).to_wire()).limit == limit


def test_without_edns_the_reply_may_have_512_octets() -> None:
    query = Query(question("a.test", edns=False).to_wire())
    assert (query.limit, query.edns) == (512, False)


def test_the_subnet_is_read_with_its_family_and_length() -> None:
    query = Query(question("a.test", subnet="192.0.2.0/23").to_wire())
    assert (query.family, query.source_prefix_len, query.subnet) == (1, 23, b"\xc0\0\2")
    query = Query(question("a.test", subnet="2001:db8::/32").to_wire())
    assert (query.family, query.source_prefix_len, query.subnet) == (2, 32, b"\x20\1\x0d\xb8")


def test_octets_that_are_no_letters_are_kept() -> None:
    packet = question(r"\000\255\192.test").to_wire()
    assert Query(packet).qname == b"\3\0\xff\xc0\4test\0"


def test_the_longest_name_is_read_and_one_octet_more_is_not() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    packet = question(longest).to_wire()
    assert len(Query(packet).qname) == 255
    longer = packet.replace(b"\x3d" + b"d" * 61, b"\x3e" + b"d" * 62)
    with pytest.raises(Malformed):
        Query(longer)

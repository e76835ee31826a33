"""RFC 7871: client subnet; what is read from it, what is echoed, and how wide the scope is."""

from __future__ import annotations

import struct

import dns.edns
import dns.message
import dns.rcode
import pytest
from support.lab import Lab, addresses_of, question, scope_of

NAME = "www.example.test"
ROME, PARIS, BERLIN, YORK = "198.18.0.1", "192.12.0.2", "198.18.0.3", "198.18.0.4"
FORMERR, NOERROR = dns.rcode.FORMERR, dns.rcode.NOERROR


def with_option(data: bytes, *, times: int = 1, name: str = NAME) -> bytes:
    query = question(name)
    query.use_edns(0, options=[dns.edns.GenericOption(8, data)] * times)
    return query.to_wire()


def reply_to(lab: Lab, data: bytes, **more: int) -> dns.message.Message:
    octets = lab.raw(with_option(data, **more))
    assert octets is not None
    return dns.message.from_wire(octets)


def ecs(family: int, source: int, address: bytes, scope: int = 0) -> bytes:
    return struct.pack(">HBB", family, source, scope) + address


@pytest.mark.parametrize(
    ("subnet", "address", "scope"),
    [
        ("1.2.3.0/24", ROME, 8),
        ("2.1.0.0/24", PARIS, 9),
        ("2.200.0.0/16", BERLIN, 9),
        ("3.9.9.9/32", YORK, 8),
        ("8.8.8.0/24", YORK, 24),
        ("2a00:5::/32", ROME, 16),
        ("2a01:0:9::/48", PARIS, 32),
        ("2a01:1:2::/48", YORK, 48),
    ],
)
def test_section_7_2_1_the_subnet_decides_and_the_scope_is_true(
    lab: Lab, subnet: str, address: str, scope: int
) -> None:
    reply = lab.ask(NAME, subnet=subnet)
    assert (addresses_of(reply), scope_of(reply)) == ({address}, scope)


def test_section_7_2_1_family_source_and_address_are_echoed(lab: Lab) -> None:
    for subnet in ("1.2.3.0/24", "1.2.0.0/15", "2a01:1:2::/48", "2a01::/33", "0.0.0.0/0"):
        sent = question(NAME, subnet=subnet).options[0]
        (told,) = lab.ask(NAME, subnet=subnet).options
        assert isinstance(sent, dns.edns.ECSOption)
        assert isinstance(told, dns.edns.ECSOption)
        assert (told.family, told.srclen, told.address) == (sent.family, sent.srclen, sent.address)


def test_section_7_2_1_who_sends_no_subnet_gets_none(lab: Lab) -> None:
    assert lab.ask(NAME).options == ()


def test_section_7_2_1_a_short_source_is_told_the_longer_truth(lab: Lab) -> None:
    reply = lab.ask(NAME, subnet="2.0.0.0/8")  # one half stands in Paris, one in Berlin
    assert (addresses_of(reply), scope_of(reply)) == ({PARIS}, 9)


def test_section_7_1_1_source_0_is_steered_by_the_resolver_with_scope_0(lab: Lab) -> None:
    for resolver, address in (("1.9.9.9", ROME), ("3.9.9.9", YORK), ("2a00:1::1", ROME)):
        for subnet in ("0.0.0.0/0", "::/0"):
            query = question(NAME, subnet=subnet)
            reply = lab.reply(query, resolver)
            assert (addresses_of(reply), scope_of(reply)) == ({address}, 0)


def test_section_7_1_1_family_0_with_source_0_is_accepted_as_dig_sends_it(lab: Lab) -> None:
    octets = lab.raw(with_option(ecs(0, 0, b"")), "1.9.9.9")
    assert octets is not None
    assert octets.endswith(struct.pack(">HH", 8, 4) + ecs(0, 0, b""))
    assert bytes([198, 18, 0, 1]) in octets


@pytest.mark.parametrize(
    "name", ["mail.example.test", "nothing.example.test", "plain.example.test"]
)
def test_section_7_2_1_what_is_the_same_for_all_has_scope_0(lab: Lab, name: str) -> None:
    assert scope_of(lab.ask(name, subnet="1.2.3.0/24")) == 0


def test_section_7_2_1_where_ecs_is_off_the_resolver_decides(lab: Lab) -> None:
    query = question("plain.example.test", subnet="1.2.3.0/24")
    assert addresses_of(lab.reply(query, "3.9.9.9")) == {YORK}


def test_section_7_4_negative_answers_of_steered_names_carry_the_scope(lab: Lab) -> None:
    reply = lab.ask(NAME, "AAAA", "2.200.0.0/16")  # Berlin has no IPv6
    assert (reply.answer, scope_of(reply)) == ([], 9)
    assert reply.authority[0].rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\1\0",
        ecs(1, 24, b"\1\2"),  # too few octets
        ecs(1, 24, b"\1\2\3\0"),  # too many
        ecs(1, 0, b"\0"),
        ecs(1, 33, b"\1\2\3\4\0"),
        ecs(1, 255, b"\1\2\3\4" * 8),
        ecs(2, 129, bytes(17)),
        ecs(2, 48, bytes(7)),
        ecs(1, 23, b"\1\2\3"),  # a bit beyond the source
        ecs(1, 1, b"\xc0"),
        ecs(2, 33, b"\x2a\1\0\0\xc0"),
        ecs(1, 24, b"\1\2\3", scope=1),  # section 6: 0 in queries
        ecs(1, 24, b"\1\2\3", scope=24),
        ecs(0, 8, b"\1"),
        ecs(3, 8, b"\1"),
        ecs(65535, 24, b"\1\2\3"),
    ],
)
def test_section_7_1_2_what_is_not_well_formed_is_formerr(lab: Lab, data: bytes) -> None:
    reply = reply_to(lab, data)
    assert (reply.rcode(), reply.answer, reply.edns) == (FORMERR, [], 0)


def test_section_6_two_subnets_contradict_each_other(lab: Lab) -> None:
    assert reply_to(lab, ecs(1, 24, b"\1\2\3"), times=2).rcode() == FORMERR


@pytest.mark.parametrize("source", range(1, 33))
def test_section_6_every_source_length_is_read(lab: Lab, source: int) -> None:
    mask = 0xFFFFFFFF << 32 - source & 0xFFFFFFFF
    address = (0x01020304 & mask).to_bytes(4, "big")[: source + 7 >> 3]
    reply = reply_to(lab, ecs(1, source, address))
    assert reply.rcode() == NOERROR
    assert scope_of(reply) in range(1, 25)


@pytest.mark.parametrize(
    ("subnet", "scope"),
    [
        ("10.1.2.0/24", 8),
        ("10.0.0.0/8", 8),
        ("192.168.7.0/24", 16),
        ("172.20.0.0/16", 12),
        ("100.64.1.0/24", 10),
        ("127.0.0.1/32", 8),
        ("198.51.100.0/24", 24),
        ("224.1.2.0/24", 4),
        ("2001:db8:7::/48", 32),
        ("fd00:1::/32", 7),
        ("fe80::/64", 10),
    ],
)
def test_section_10_special_purpose_subnets_are_steered_by_the_resolver(
    lab: Lab, subnet: str, scope: int
) -> None:
    for resolver, address in (("1.9.9.9", ROME), ("3.9.9.9", YORK)):
        reply = lab.reply(question(NAME, subnet=subnet), resolver)
        assert (addresses_of(reply), scope_of(reply)) == ({address}, scope)


@pytest.mark.parametrize(
    ("subnet", "address", "scope"),
    [
        ("::ffff:1.2.3.0/120", ROME, 96 + 8),
        ("::ffff:2.200.0.0/112", BERLIN, 96 + 9),
        ("64:ff9b::303:300/120", YORK, 96 + 8),
        ("2002:102:300::/40", ROME, 16 + 8),
        ("2002:3c8:1::/48", YORK, 16 + 8),
        ("2001:0:4136:e378:8000:63bf:fdfd:fcfb/128", PARIS, 96 + 9),  # Teredo, ~2.2.3.4
    ],
)
def test_embedded_ipv4_is_steered_as_ipv4_with_its_offset_in_the_scope(
    lab: Lab, subnet: str, address: str, scope: int
) -> None:
    reply = lab.ask(NAME, subnet=subnet)
    assert (addresses_of(reply), scope_of(reply)) == ({address}, scope)


@pytest.mark.parametrize(
    "subnet", ["64:ff9b::/96", "64:ff9b::/32", "2002::/16", "2001::/32", "2001::/64"]
)
def test_a_source_that_does_not_reach_the_embedded_address_gets_a_narrow_scope(
    lab: Lab, subnet: str
) -> None:
    reply = lab.ask(NAME, subnet=subnet)
    assert reply.rcode() == NOERROR
    source = int(subnet.partition("/")[2])
    assert source < (scope_of(reply) or 0) <= 128


def test_embedded_private_addresses_are_steered_by_the_resolver(lab: Lab) -> None:
    for subnet, scope in (("::ffff:10.1.2.0/120", 104), ("2002:a01:200::/40", 24)):
        reply = lab.reply(question(NAME, subnet=subnet), "3.9.9.9")
        assert (addresses_of(reply), scope_of(reply)) == ({YORK}, scope)


def test_a_resolver_over_mapped_ipv4_is_the_ipv4_resolver(lab: Lab) -> None:
    for resolver in ("::ffff:1.9.9.9", "1.9.9.9", "64:ff9b::109:909"):
        assert addresses_of(lab.reply(question(NAME), resolver)) == {ROME}


def test_a_resolver_without_a_place_is_answered_all_the_same(lab: Lab) -> None:
    for resolver in ("127.0.0.1", "::1", "fe80::1%lo", "10.0.0.1", "240.0.0.1", "5.5.5.5"):
        assert addresses_of(lab.reply(question(NAME), resolver))

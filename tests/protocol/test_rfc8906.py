"""RFC 8906: the tests that a server has to answer, in the order of its section 8."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from support.lab import Lab, question

ZONE = "example.test"


def test_section_8_1_1_plain_soa(lab: Lab) -> None:
    reply = lab.ask(ZONE, "SOA", edns=False)
    assert (reply.rcode(), reply.edns, len(reply.answer)) == (dns.rcode.NOERROR, -1, 1)
    assert reply.flags & dns.flags.AA


@pytest.mark.parametrize(
    "rtype", ["TYPE1000", "TYPE0", "TYPE65535", "OPT", "TSIG", "MAILA", "DNAME"]
)
def test_section_8_1_2_unknown_and_meta_types_have_no_data(lab: Lab, rtype: str) -> None:
    query = question(ZONE, "A", edns=False)
    query.question[0].rdtype = dns.rdatatype.from_text(rtype)
    octets = lab.raw(query.to_wire())
    assert octets is not None
    assert octets[3] & 15 == dns.rcode.NOERROR
    assert octets[6:8] == b"\0\0"


@pytest.mark.parametrize("flag", [dns.flags.AD, dns.flags.CD, 0x40, dns.flags.RA, dns.flags.TC])
def test_section_8_1_3_header_flags_that_mean_nothing_to_us(lab: Lab, flag: int) -> None:
    query = question(ZONE, "SOA", edns=False)
    query.flags = dns.flags.Flag(flag)
    octets = lab.raw(query.to_wire())
    assert octets is not None
    assert int.from_bytes(octets[2:4], "big") == dns.flags.QR | dns.flags.AA


@pytest.mark.parametrize("opcode", [o for o in range(1, 16)])
@pytest.mark.parametrize("header_only", [True, False])
def test_section_8_1_4_unknown_opcodes_are_not_implemented(
    lab: Lab, opcode: int, header_only: bool
) -> None:
    packet = question(ZONE, "SOA", edns=False).to_wire()
    packet = packet[:2] + bytes([opcode << 3, 0]) + packet[4:]
    if header_only:
        packet = packet[:4] + bytes(8)
    octets = lab.raw(packet)
    assert octets is not None
    assert (octets[3] & 15, octets[2] >> 3 & 15) == (dns.rcode.NOTIMP, opcode)
    assert octets[6:12] == bytes(6)


def test_section_8_1_5_tcp(lab: Lab) -> None:
    assert len(lab.ask(ZONE, "SOA", edns=False, tcp=True).answer) == 1


def test_section_8_2_1_minimal_edns(lab: Lab) -> None:
    reply = lab.ask(ZONE, "SOA")
    assert (reply.rcode(), reply.edns, len(reply.answer)) == (dns.rcode.NOERROR, 0, 1)


def test_section_8_2_2_and_8_2_3_edns_version_negotiation(lab: Lab) -> None:
    for options in ([], [dns.edns.GenericOption(100, b"")]):
        query = question(ZONE, "SOA")
        query.use_edns(1, options=options)
        reply = lab.reply(query)
        assert (reply.rcode(), reply.edns, reply.answer) == (dns.rcode.BADVERS, 0, [])


def test_section_8_2_4_unknown_edns_options(lab: Lab) -> None:
    query = question(ZONE, "SOA")
    query.use_edns(0, options=[dns.edns.GenericOption(100, b"")])
    reply = lab.reply(query)
    assert (reply.rcode(), reply.options, len(reply.answer)) == (dns.rcode.NOERROR, (), 1)


def test_section_8_2_5_unknown_edns_flags(lab: Lab) -> None:
    query = question(ZONE, "SOA")
    query.use_edns(0, ednsflags=0x40)
    reply = lab.reply(query)
    assert (reply.ednsflags, len(reply.answer)) == (0, 1)


def test_section_8_2_7_a_small_payload_is_respected(lab: Lab) -> None:
    packet = question("big.example.test", "TXT", payload=512).to_wire()
    octets = lab.raw(packet)
    assert octets is not None
    assert len(octets) <= 512
    assert dns.message.from_wire(octets).edns == 0


def test_section_8_2_8_several_known_options_at_once(lab: Lab) -> None:
    query = question(ZONE, "SOA")
    options = [
        dns.edns.NSIDOption(b""),
        dns.edns.CookieOption(b"12345678", b""),
        dns.edns.ECSOption("0.0.0.0", 0),
        dns.edns.GenericOption(9, b""),  # EXPIRE
    ]
    query.use_edns(0, options=options)
    reply = lab.reply(query)
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)
    assert [o for o in reply.options if isinstance(o, dns.edns.ECSOption)]

"""RFC 6891: EDNS(0); with RFC 3225 (DO) and RFC 8914 (extended errors)."""

from __future__ import annotations

import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from support.lab import Lab, question


def test_section_6_1_1_who_sends_no_opt_gets_none(lab: Lab) -> None:
    for name in ("mail.example.test", "nothing.example.test", "example.org"):
        assert lab.ask(name, edns=False).edns == -1


@pytest.mark.parametrize("name", ["mail.example.test", "nothing.example.test", "example.org"])
def test_section_6_1_1_who_sends_opt_gets_opt(lab: Lab, name: str) -> None:
    reply = lab.ask(name)
    assert (reply.edns, reply.payload, reply.options) == (0, 1232, ())


@pytest.mark.parametrize("opcode", ["IQUERY", "STATUS", "NOTIFY"])
def test_section_6_1_1_other_opcodes_get_opt_too(lab: Lab, opcode: str) -> None:
    query = question("mail.example.test")
    query.set_opcode(dns.opcode.from_text(opcode))
    reply = lab.reply(query)
    assert (reply.rcode(), reply.edns) == (dns.rcode.NOTIMP, 0)


def test_section_6_1_1_two_opts_are_malformed(lab: Lab) -> None:
    packet = bytearray(question("mail.example.test").to_wire())
    packet[11] = 2
    packet += packet[-11:]
    reply = dns.message.from_wire(lab.raw(bytes(packet)) or b"")
    assert reply.rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("version", [1, 2, 255])
def test_section_6_1_3_other_versions_are_badvers_and_told_ours(lab: Lab, version: int) -> None:
    query = question("mail.example.test", edns=version)
    reply = lab.reply(query)
    assert (reply.rcode(), reply.edns, reply.answer) == (dns.rcode.BADVERS, 0, [])


def test_section_6_1_4_unknown_flags_are_ignored_and_not_copied(lab: Lab) -> None:
    query = question("mail.example.test")
    query.use_edns(0, ednsflags=0x7FFF)
    reply = lab.reply(query)
    assert (reply.rcode(), reply.ednsflags) == (dns.rcode.NOERROR, 0)


def test_rfc3225_section_3_do_is_copied(lab: Lab) -> None:
    query = question("mail.example.test")
    query.want_dnssec()
    assert lab.reply(query).ednsflags == dns.flags.DO


def test_section_6_1_2_unknown_options_are_ignored(lab: Lab) -> None:
    query = question("mail.example.test")
    query.use_edns(0, options=[dns.edns.GenericOption(65001, b"x" * 100)])
    reply = lab.reply(query)
    assert (len(reply.answer), reply.options) == (1, ())


@pytest.mark.parametrize("payload", [0, 1, 511, 512])
def test_section_6_2_3_payloads_below_512_count_as_512(lab: Lab, payload: int) -> None:
    packet = bytearray(question("host.other.test").to_wire())
    packet[-8:-6] = struct.pack(">H", payload)
    reply = dns.message.from_wire(lab.raw(bytes(packet)) or b"")
    assert len(reply.answer) == 1
    packet = bytearray(question("big.example.test", "TXT").to_wire())
    packet[-8:-6] = struct.pack(">H", payload)
    octets = lab.raw(bytes(packet)) or b""
    assert dns.message.from_wire(octets).flags & dns.flags.TC
    assert len(octets) <= 512


def test_section_7_a_truncated_reply_keeps_its_opt(lab: Lab) -> None:
    reply = lab.ask("huge.example.test", "TXT")
    assert reply.flags & dns.flags.TC
    assert reply.edns == 0


def test_section_6_1_1_opt_is_found_before_and_behind_other_records(lab: Lab) -> None:
    packet = bytearray(question("mail.example.test").to_wire())
    opt, extra = bytes(packet[-11:]), b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 0, 3) + b"\2hi"
    for records in (opt + extra, extra + opt):
        packet[11] = 2
        reply = dns.message.from_wire(lab.raw(bytes(packet[:-11]) + records) or b"")
        assert (reply.rcode(), reply.edns) == (dns.rcode.NOERROR, 0)


def test_section_6_1_2_an_opt_of_another_name_than_the_root_is_malformed(lab: Lab) -> None:
    packet = bytearray(question("mail.example.test").to_wire())
    reply = dns.message.from_wire(lab.raw(bytes(packet[:-11]) + b"\1x" + packet[-11:]) or b"")
    assert reply.rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("options", [b"\0", b"\0\3", b"\0\3\0", b"\0\3\0\1", b"\0\3\0\0\0\3\0\5ab"])
def test_section_6_1_2_options_that_overrun_are_malformed(lab: Lab, options: bytes) -> None:
    packet = question("mail.example.test").to_wire()
    packet = packet[:-2] + struct.pack(">H", len(options)) + options
    reply = dns.message.from_wire(lab.raw(packet) or b"")
    assert (reply.rcode(), reply.edns) == (dns.rcode.FORMERR, 0)

"""RFC 9619: in a query QDCOUNT is one."""

from __future__ import annotations

import struct

import dns.rcode
import pytest
from support.lab import Lab, question


def test_section_4_two_questions_are_malformed(lab: Lab) -> None:
    packet = bytearray(question("mail.example.test", edns=False).to_wire())
    packet[4:6] = struct.pack(">H", 2)
    second = bytes(packet[12:])
    for whole in (bytes(packet), bytes(packet) + second):
        reply = lab.raw(whole)
        assert reply is not None
        assert reply[3] & 15 == dns.rcode.FORMERR
        assert struct.unpack(">4H", reply[4:12]) == (0, 0, 0, 0)


@pytest.mark.parametrize("count", [0, 3, 0xFFFF])
def test_section_4_any_other_count_is_malformed(lab: Lab, count: int) -> None:
    packet = bytearray(question("mail.example.test", edns=False).to_wire())
    packet[4:6] = struct.pack(">H", count)
    reply = lab.raw(bytes(packet))
    assert reply is not None
    assert reply[3] & 15 == dns.rcode.FORMERR

"""Packets that nobody should send: a reply that says so, or silence, and never an exception."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import dns.message
import dns.rcode
import pytest
from support.lab import Lab, question

REFUSALS = {dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.BADVERS}


def header(qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0, flags: int = 0) -> bytes:
    return struct.pack(">6H", 0x1234, flags, qd, an, ns, ar)


NAME = b"\4mail\7example\4test\0"
QUESTION = NAME + b"\0\1\0\1"
OPT = struct.pack(">BHHIH", 0, 41, 1232, 0, 0)
LONG_NAME = b"".join(b"\x3f" + b"a" * 63 for _ in range(4)) + b"\0"


def table() -> Iterator[tuple[str, bytes]]:
    whole = header(ar=1) + QUESTION + OPT
    for size in range(12, len(whole)):
        yield f"cut after {size}", whole[:size]
    for length in range(64, 256):
        yield f"label of {length}", header() + bytes([length]) + b"a" * 200 + b"\0\0\1\0\1"
    yield "name of 257", header() + LONG_NAME + b"\0\1\0\1"
    yield "pointer to itself", header() + b"\xc0\x0c\0\1\0\1"
    yield "pointer to the header", header() + b"\xc0\0\0\1\0\1"
    yield "trailing octet", header() + QUESTION + b"\0"
    yield "trailing octet after OPT", whole + b"\0"
    yield "answer counted", header(an=1) + QUESTION
    yield "answer given", header(an=1) + QUESTION + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"
    yield "authority counted", header(ns=1) + QUESTION
    yield "65535 additional counted", header(ar=0xFFFF) + QUESTION
    for size in (1, 2, 255, 0xFFFF):
        yield (
            f"OPT overruns by {size}",
            header(ar=1) + QUESTION + OPT[:-2] + struct.pack(">H", size),
        )
    for name in (b"\x40", b"\x80", b"\xc0", b"\3ab"):
        yield f"record named {name!r}", header(ar=1) + QUESTION + name
    yield "record overruns", header(ar=1) + QUESTION + b"\0" + struct.pack(">HHIH", 16, 1, 0, 9)


@pytest.mark.parametrize(
    "packet", [packet for _, packet in table()], ids=[name for name, _ in table()]
)
def test_a_malformed_query_is_formerr(lab: Lab, packet: bytes) -> None:
    reply = lab.raw(packet)
    assert reply is not None
    assert reply[:2] == packet[:2]
    assert reply[3] & 15 == dns.rcode.FORMERR
    assert reply[6:10] == bytes(4)


@pytest.mark.parametrize("size", range(12))
def test_what_is_shorter_than_a_header_is_met_with_silence(lab: Lab, size: int) -> None:
    assert lab.raw((header() + QUESTION)[:size]) is None


@pytest.mark.parametrize("opcode", range(16))
def test_a_reply_is_never_replied_to(lab: Lab, opcode: int) -> None:
    for qd in (0, 1, 2):
        assert lab.raw(header(qd=qd, flags=0x8000 | opcode << 11) + QUESTION) is None


SEEDS = [
    question("www.example.test", subnet="1.2.3.0/24").to_wire(),
    question("www.example.test", "AAAA", subnet="2a01:1::/48").to_wire(),
    question("chain1.example.test", edns=False).to_wire(),
    question("www.sub.parent.test").to_wire(),
    question("a.b.wild.example.test", "TXT").to_wire(),
]


def mutated(random_: random.Random) -> bytes:
    packet = bytearray(random_.choice(SEEDS))
    for _ in range(random_.choice((1, 1, 2, 4, 8))):
        at = random_.randrange(len(packet)) if packet else 0
        match random_.randrange(5):
            case 0:
                packet[at : at + 1] = random_.randbytes(1)
            case 1 if packet:
                packet[at] ^= 1 << random_.randrange(8)
            case 2:
                del packet[at : at + random_.randrange(1, 9)]
            case 3:
                packet[at:at] = random_.randbytes(random_.randrange(1, 9))
            case _:
                packet[at : at + 2] = random_.choice((b"\0\0", b"\xff\xff", b"\xc0\x0c", b"\0\1"))
    return bytes(packet)


def test_twenty_thousand_mutations_raise_nothing_and_are_answered_lawfully(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    random_ = random.Random(2)
    for _ in range(20_000):
        packet = mutated(random_)
        reply = lab.raw(packet)
        if len(packet) < 12 or packet[2] & 0x80:
            assert reply is None
            continue
        assert reply is not None, packet
        check_lawful(packet, reply)
    assert not caplog.records  # an exception would have been logged, and answered SERVFAIL


def check_lawful(packet: bytes, reply: bytes) -> None:
    assert reply[:2] == packet[:2]
    assert reply[2] & 0x80
    assert reply[2] >> 3 & 15 == packet[2] >> 3 & 15
    assert len(reply) <= 1232
    rcode = reply[3] & 15
    assert rcode != dns.rcode.SERVFAIL, packet
    asked, told = packet[4:6], reply[4:6]
    if rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        assert asked == told == b"\0\1"
        size = len(question_of(packet))
        assert reply[12 : 12 + size] == packet[12 : 12 + size]
    else:
        assert rcode in {code & 15 for code in REFUSALS}
        assert reply[6:10] == bytes(4) or rcode == 0


def question_of(packet: bytes) -> bytes:
    at = 12
    while packet[at]:
        at += packet[at] + 1
    return packet[12 : at + 5]


def test_every_mutation_that_is_answered_can_be_read_by_the_other_party(lab: Lab) -> None:
    random_ = random.Random(3)
    for _ in range(2_000):
        packet = mutated(random_)
        reply = lab.raw(packet)
        if reply is not None and not packet[2] & 0x78:  # UPDATE has sections of its own
            dns.message.from_wire(reply)

"""Headers: too short, of replies, of other opcodes, with wrong counts, with any flags."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .case import (
    FORMERR,
    NOERROR,
    NOTAUTH,
    NOTIMP,
    REFUSED,
    SILENCE,
    Case,
    answered,
    case,
    malformed,
    silent,
)
from .octets import (
    CLIENT_COOKIE,
    NAME,
    QR,
    QUESTION,
    RD,
    SOA,
    TXT,
    ZONE,
    A,
    header,
    opt,
    option,
    query,
    question,
    rr,
    soa,
)

HEADER = "RFC 1035 section 4.1.1"
OPCODES = {1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}


def cases() -> Iterator[Case]:
    yield from _lengths()
    yield from _replies()
    yield from _opcodes()
    yield from _updates_and_notifies()
    yield from _question_counts()
    yield from _record_counts()
    yield from _flags()


def _lengths() -> Iterator[Case]:
    whole = query()
    for size in range(12):
        yield silent(f"header of {size} octets", HEADER, whole[:size])
    for size in range(12, len(whole)):
        yield malformed(f"query cut after {size} octets", HEADER, whole[:size], opt=False)


def _replies() -> Iterator[Case]:
    for opcode in range(16):
        yield silent(
            f"reply of opcode {opcode}", HEADER, header(flags=QR, opcode=opcode) + QUESTION
        )
    for rcode in range(1, 16):
        yield silent(f"reply of rcode {rcode}", HEADER, header(flags=QR | rcode) + QUESTION)
    yield silent("reply with an answer", HEADER, header(an=1, flags=QR) + QUESTION + rr())
    yield silent("reply that is only a header", HEADER, header(0, flags=QR))
    yield silent("reply with two questions", HEADER, header(2, flags=QR) + QUESTION * 2)
    yield silent("reply with OPT of version 1", HEADER, query(opt(version=1), flags=QR))
    yield silent("reply with a malformed name", HEADER, header(flags=QR) + b"\xc0\x0c\0\1\0\1")
    yield silent("reply followed by octets", HEADER, header(flags=QR) + QUESTION + b"junk")
    yield silent("reply with wrong counts", HEADER, header(9, 9, 9, 9, flags=QR) + QUESTION)


def _opcodes() -> Iterator[Case]:
    """RFC 8906 section 8.1.4; silence is the fault that it speaks of."""
    source = "RFC 8906 section 8.1.4"
    for opcode in range(1, 16):
        name = OPCODES.get(opcode, "unassigned")
        if opcode in (4, 5):
            exact, accepted = {NOTIMP, REFUSED, NOTAUTH, FORMERR, NOERROR}, set[int]()
        else:  # RFC 3425 section 3: IQUERY as well
            exact, accepted = {NOTIMP}, {FORMERR, REFUSED}
        shapes = {
            "alone": header(0, opcode=opcode),
            "with a question": header(opcode=opcode) + QUESTION,
            "with OPT": query(opt(), opcode=opcode),
            "with octets that are no question": header(opcode=opcode) + b"\xc0\x0c\xff",
        }
        for shape, packet in shapes.items():
            yield case(f"opcode {opcode} ({name}) {shape}", source, packet, exact, accepted)


def _updates_and_notifies() -> Iterator[Case]:
    """We neither take updates nor follow a primary; others may."""
    update, notify = "RFC 2136 section 3.1", "RFC 1996 section 3.7"
    refusals = {NOTIMP, REFUSED, NOTAUTH}
    zone = question(ZONE, SOA)
    add = rr(NAME, ttl=60)
    shapes = {
        "that adds": (header(1, 0, 1, opcode=5) + zone + add, refusals),
        "that adds, with a prerequisite": (
            header(1, 1, 1, opcode=5) + zone + rr(NAME, 255, b"", rclass=255) + add,
            refusals,
        ),
        "of another zone": (
            header(1, 0, 1, opcode=5) + question(b"\3org\0", SOA) + add,
            refusals | {NOERROR},
        ),
        "without a zone": (header(0, 0, 1, opcode=5) + add, refusals | {FORMERR}),
        "of two zones": (header(2, 0, 1, opcode=5) + zone * 2 + add, refusals | {FORMERR}),
        "of type A": (header(1, 0, 1, opcode=5) + question(ZONE, A) + add, refusals | {FORMERR}),
        "that is cut": (header(1, 0, 1, opcode=5) + zone + add[:-2], refusals | {FORMERR}),
        "with EDNS": (header(1, 0, 1, 1, opcode=5) + zone + add + opt(), refusals),
    }  # fmt: skip
    for shape, (packet, exact) in shapes.items():
        yield case(f"UPDATE {shape}", update, packet, exact)
    told = {
        "of our zone": header(opcode=4) + zone,
        "with the new SOA": header(1, 1, opcode=4) + zone + soa(),
        "of another zone": header(opcode=4) + question(b"\3org\0", SOA),
        "of type A": header(opcode=4) + question(ZONE, A),
        "with EDNS": query(opt(), name=ZONE, qtype=SOA, opcode=4),
    }
    for shape, packet in told.items():
        exact_ = refusals | {NOERROR, FORMERR}
        yield case(f"NOTIFY {shape}", notify, packet, exact_)


def _question_counts() -> Iterator[Case]:
    one, none = "RFC 9619 section 4", "RFC 7873 section 5.4"
    for count in (2, 3, 255, 256, 0x7FFF, 0xFFFF):
        yield malformed(f"QDCOUNT {count}, one question", one, header(count) + QUESTION)
    for count in (2, 3, 20):
        yield malformed(f"{count} equal questions", one, header(count) + QUESTION * count)
    other = question(b"\3big" + ZONE, TXT)
    yield malformed("two different questions", one, header(2) + QUESTION + other)
    yield malformed("two questions of one name", one, header(2) + QUESTION + question(b"\xc0\x0c"))
    yield malformed(
        "two questions and OPT", one, header(2, ar=1) + QUESTION * 2 + opt(), opt=True
    )  # RFC 6891 section 6.1.1
    lax = (SILENCE, NOERROR, REFUSED, NOTIMP)
    yield malformed("no question", one, header(0), lax, opt=False)
    yield malformed("no question, though there is one", one, header(0) + QUESTION, lax)
    yield malformed("no question but OPT", none, header(0, ar=1) + opt(), lax, opt=True)
    yield malformed("no question but an answer", one, header(0, an=1) + rr(NAME), lax)
    yield malformed("no question but another record", one, header(0, ar=1) + rr(NAME), lax)
    for words, cookie in (("a new client's", b""), ("an old client's", bytes(16))):
        yield case(
            f"no question but {words} cookie",
            none,
            header(0, ar=1) + opt(option(10, CLIENT_COOKIE + cookie)),
            {NOERROR},
            {FORMERR, REFUSED, 23},  # BADCOOKIE, or no cookies here
            opt=True,
        )


def _record_counts() -> Iterator[Case]:
    for count in (1, 2, 256, 0xFFFF):
        for at, section in enumerate(("ANCOUNT", "NSCOUNT", "ARCOUNT")):
            counts = [0, 0, 0]
            counts[at] = count
            packet = header(1, *counts) + QUESTION
            yield malformed(f"{section} {count}, no record", HEADER, packet)
    yield malformed("all counts 65535", HEADER, struct.pack(">6H", 0x1234, 0, *[0xFFFF] * 4))
    yield malformed("ARCOUNT 1 with half a record", HEADER, header(ar=1) + QUESTION + rr()[:7])
    yield malformed("ARCOUNT 2 with one OPT", HEADER, header(ar=2) + QUESTION + opt())
    yield malformed("ARCOUNT 0 with OPT", HEADER, header() + QUESTION + opt(), (SILENCE, NOERROR))
    for size in (1, 2, 11, 200):
        junk = bytes(range(1, size + 1))
        yield malformed(f"{size} octets behind", HEADER, query() + junk, (SILENCE, NOERROR))
        yield malformed(
            f"{size} octets behind OPT", HEADER, query(opt()) + junk, (SILENCE, NOERROR), opt=None
        )
    # What a query means that brings answers is nowhere said.
    either = {FORMERR, NOERROR}
    yield case("a record as answer", HEADER, header(an=1) + QUESTION + rr(), either)
    yield case("a record as authority", HEADER, header(ns=1) + QUESTION + rr(), either)
    yield case(
        "a record in every section", HEADER, header(1, 1, 1, 1) + QUESTION + rr() * 3, either
    )
    yield case("a record as additional", HEADER, query(rr()), {NOERROR}, {FORMERR}, data=True)
    yield case("10 additional", HEADER, query(*[rr()] * 10), {NOERROR}, {FORMERR}, data=True)
    for count in (100, 1000):  # a server may refuse to read so much for nothing
        yield case(f"{count} additional", HEADER, query(*[rr()] * count), either, tcp=count > 100)


def _flags() -> Iterator[Case]:
    source = "RFC 8906 section 8.1.3"
    for octet in range(256):
        yield answered(f"second flag octet {octet:#04x}", source, query(flags=octet), opt=False)
    for octet in range(1, 8):
        name = f"first flag octet {octet:#04x}"
        yield answered(name, source, query(flags=octet << 8), opt=False)
    yield answered("RD and EDNS", source, query(opt(), flags=RD), opt=True)
    yield answered("every flag and EDNS", source, query(opt(), flags=0x07FF), opt=True)

"""Names: pointers, lengths, label types; in the question and as the owner of a record."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .case import NOERROR, NXDOMAIN, REFUSED, SILENCE, Case, answered, case, malformed
from .octets import NAME, QUESTION, TXT, ZONE, header, opt, query, question, rr

POINTERS = "RFC 1035 section 4.1.4"
SIZES = "RFC 1035 section 2.3.4"
TAIL = b"\0\1\0\1"


def cases() -> Iterator[Case]:
    yield from _pointers()
    yield from _label_types()
    yield from _sizes()
    yield from _odd_octets()
    yield from _owners()


def _asked(name: bytes) -> bytes:
    return header() + name + TAIL


def _pointers() -> Iterator[Case]:
    shapes = {
        "to itself": b"\xc0\x0c",
        "to the ID": b"\xc0\x00",
        "to the flags": b"\xc0\x02",
        "to a count of 0": b"\xc0\x06",
        "to the last octet of the header": b"\xc0\x0b",
        "forward by two": b"\xc0\x0e",
        "to the type": b"\xc0\x0e",
        "beyond the end": b"\xff\xff",
        "behind a label, to itself": b"\4mail\xc0\x11",
        "behind a label, to that label": b"\4mail\xc0\x0c",
        "into a label": b"\4mail\xc0\x0d",
        "behind a label, to the header": b"\4mail\xc0\x04",
        "of two that point at one another": b"\xc0\x0e\xc0\x0c",
        "that is cut": b"\xc0",
        "behind 63 octets, to them": b"\x3f" + b"a" * 63 + b"\xc0\x0c",
        "behind the whole name": NAME[:-1] + b"\xc0\x0b",
    }
    for shape, name in shapes.items():
        yield malformed(f"pointer {shape}", POINTERS, _asked(name), opt=False)
    chain = b"".join(struct.pack(">H", 0xC00E + 2 * n) for n in range(100)) + b"\0"
    yield malformed("a hundred pointers forward", POINTERS, _asked(chain))
    backwards = (
        header() + QUESTION + b"".join(struct.pack(">HHH", 0xC00C + 6 * n, 1, 1) for n in range(50))
    )
    yield malformed(
        "a hundred pointers as questions", POINTERS, backwards[:5] + b"\x33" + backwards[6:]
    )
    yield malformed("a pointer and OPT", POINTERS, header(ar=1) + b"\xc0\x0c" + TAIL + opt())


def _label_types() -> Iterator[Case]:
    for octet in (0x40, 0x41, 0x42, 0x5F, 0x7F, 0x80, 0x81, 0xA0, 0xBF):
        source = "RFC 6891 section 5" if octet < 0x80 else POINTERS
        name = bytes([octet]) + b"a" * octet + b"\0"
        yield malformed(f"label type {octet:#04x}", source, _asked(name))
        yield malformed(f"label type {octet:#04x} behind a label", source, _asked(b"\4mail" + name))
    bits = b"\x41\x08\xaa\0"
    yield malformed("a bit-string label", "RFC 6891 section 5", _asked(bits))


def _sizes() -> Iterator[Case]:
    for octet in (1, 5, 30, 63):
        yield malformed(f"label of {octet} beyond the end", SIZES, header() + bytes([octet]))
        yield malformed(
            f"label of {octet} up to the end", SIZES, header() + bytes([octet]) + b"a" * octet
        )
    yield malformed("name without its root", SIZES, header() + NAME[:-1])
    yield malformed("name without its root, with a type", SIZES, header() + NAME[:-1] + TAIL[:3])
    for octets in (256, 257, 300, 512, 4000):
        yield malformed(f"name of {octets} octets", SIZES, _asked(name_of(octets)), opt=False)
    yield malformed("name of 256 octets and OPT", SIZES, query(opt(), name=name_of(256)))
    for octets in (254, 255):
        yield case(f"name of {octets} octets", SIZES, _asked(name_of(octets)), {NXDOMAIN})
    for labels in (1, 50, 120):
        name = b"\1a" * labels + ZONE
        yield case(f"{labels} labels below the zone", SIZES, _asked(name), {NXDOMAIN})
    yield malformed("128 labels", SIZES, _asked(b"\1a" * 128 + b"\0"))
    yield case("127 labels of nobody", SIZES, _asked(b"\1a" * 127 + b"\0"), {REFUSED})
    yield case("label of 63", SIZES, _asked(b"\x3f" + b"a" * 63 + ZONE), {NXDOMAIN})
    yield case("the root", SIZES, _asked(b"\0"), {REFUSED})
    yield case("name of another zone", SIZES, _asked(b"\3www\3org\0"), {REFUSED})
    yield case("name above the zone", SIZES, _asked(ZONE[8:]), {REFUSED})
    yield case("zone as the start of a label", SIZES, _asked(b"\x0bmailexample\4test\0"), {REFUSED})


def name_of(octets: int) -> bytes:
    """A name of so many octets, all told, below the zone."""
    left = octets - len(ZONE)
    name = b""
    while left:
        size = 63 if left >= 66 else min(left - 1, 63) if left <= 64 else left - 3
        name += bytes([size]) + b"n" * size
        left -= size + 1
    return name + ZONE


def _odd_octets() -> Iterator[Case]:
    """RFC 2181 section 11: any octet may stand in a label."""
    source = "RFC 2181 section 11"
    for octet in (0x00, 0x01, 0x0A, 0x20, 0x22, 0x2E, 0x40, 0x5C, 0x7F, 0xC0, 0xFF):
        name = bytes([3, 0x61, octet, 0x62]) + ZONE
        yield case(f"octet {octet:#04x} in a label", source, _asked(name), {NXDOMAIN})
    yield case("label of 63 zeros", source, _asked(b"\x3f" + bytes(63) + ZONE), {NXDOMAIN})
    yield case("label that looks like a pointer", source, _asked(b"\2\xc0\x0c" + ZONE), {NXDOMAIN})
    yield case("label with a dot", source, _asked(b"\x0cmail.example\4test\0"), {REFUSED})
    for name in (b"\4MAIL\7EXAMPLE\4TEST\0", b"\4mAiL\7eXaMpLe\4tEsT\0"):
        yield answered(f"case {name!r}", "RFC 1035 section 2.3.3", _asked(name))
    star = question(b"\1*\4wild" + ZONE, TXT)
    yield answered("the wildcard itself", "RFC 4592 section 2.2.1", header() + star)
    below = question(b"\1*\1a\4wild" + ZONE, TXT)
    yield answered("an asterisk below the wildcard", "RFC 4592 section 2.1.3", header() + below)


def _owners() -> Iterator[Case]:
    """Owners of records that mean nothing to a query, but must be read to get past them."""
    end = 12 + len(QUESTION)
    good = {"a pointer to the question": b"\xc0\x0c", "a whole name": NAME, "the root": b"\0"}
    for shape, owner in good.items():
        yield case(f"record owned by {shape}", POINTERS, query(rr(owner)), {NOERROR}, data=True)
    bad = {
        "a pointer to itself": struct.pack(">H", 0xC000 | end),
        "a pointer forward": struct.pack(">H", 0xC002 | end),
        "a pointer into the header": b"\xc0\x02",
        "a pointer beyond the end": b"\xff\xff",
        "label type 0x40": b"\x40",
        "label type 0x80": b"\x80\x0c",
        "half a pointer": b"\xc0",
        "a name of 256 octets": name_of(256),
        "a pointer that makes it 256 octets": name_of(254)[: -len(ZONE)] + b"\xc0\x0c",
        "a label beyond the end": b"\x3fabc",
    }
    for shape, owner in bad.items():
        packet = query(rr(owner))
        lax = (SILENCE, NOERROR)
        yield malformed(f"record owned by {shape}", POINTERS, packet, lax)
        yield malformed(
            f"OPT behind a record owned by {shape}", POINTERS, query(rr(owner), opt()), lax
        )

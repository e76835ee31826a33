"""Messages from small parts, each part as right or as wrong as it is asked to be."""

from __future__ import annotations

import struct

ID = 0x1234
ZONE = b"\7example\4test\0"
NAME = b"\4mail" + ZONE

A, NS, SOA, TXT, OPT, TKEY, TSIG, IXFR, AXFR, ANY = 1, 2, 6, 16, 41, 249, 250, 251, 252, 255
IN, CH, NONE, CLASS_ANY = 1, 3, 254, 255
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
DO = 0x8000

NSID, DAU, ECS, EXPIRE, COOKIE, KEEPALIVE, PADDING, CHAIN, KEY_TAG, EDE = (
    3, 5, 8, 9, 10, 11, 12, 13, 14, 15
)  # fmt: skip

QUESTION = NAME + struct.pack(">HH", A, IN)
TO_QNAME = b"\xc0\x0c"
"""A pointer to the question's name (RFC 1035 section 4.1.4)."""


CLIENT_COOKIE = b"\x24\x64\xc4\xab\xcf\x10\xc9\x57"
"""Source: RFC 9018 appendix A.1."""


def header(
    qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0, *, flags: int = 0, opcode: int = 0
) -> bytes:
    return struct.pack(">6H", ID, flags | opcode << 11, qd, an, ns, ar)


def question(name: bytes = NAME, qtype: int = A, qclass: int = IN) -> bytes:
    return name + struct.pack(">HH", qtype, qclass)


def query(
    *additional: bytes,
    name: bytes = NAME,
    qtype: int = A,
    qclass: int = IN,
    flags: int = 0,
    opcode: int = 0,
) -> bytes:
    """A query with these additional records, rightly counted."""
    counts = header(ar=len(additional), flags=flags, opcode=opcode)
    return counts + question(name, qtype, qclass) + b"".join(additional)


def rr(
    owner: bytes = TO_QNAME,
    rtype: int = A,
    rdata: bytes = b"\xc0\0\2\1",
    *,
    rclass: int = IN,
    ttl: int = 0,
    rdlength: int | None = None,
) -> bytes:
    length = len(rdata) if rdlength is None else rdlength
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, length) + rdata


def opt(
    *options: bytes,
    owner: bytes = b"\0",
    payload: int = 1232,
    rcode: int = 0,
    version: int = 0,
    flags: int = 0,
    rdlength: int | None = None,
) -> bytes:
    ttl = rcode << 24 | version << 16 | flags
    rdata = b"".join(options)
    return rr(owner, OPT, rdata, rclass=payload, ttl=ttl, rdlength=rdlength)


def option(code: int, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">HH", code, len(data) if length is None else length) + data


def ecs(family: int = 1, source: int = 24, scope: int = 0, address: bytes = b"\1\2\3") -> bytes:
    return option(ECS, struct.pack(">HBB", family, source, scope) + address)


def tsig(
    owner: bytes = b"\3key\0", *, rclass: int = CLASS_ANY, rdlength: int | None = None
) -> bytes:
    """A TSIG by a key that no server has (RFC 8945 section 4.2)."""
    fixed = struct.pack(">HIHH", 0, 1_800_000_000, 300, 32)
    rdata = b"\x0bhmac-sha256\0" + fixed + b"\xaa" * 32 + struct.pack(">HHH", ID, 0, 0)
    return rr(owner, TSIG, rdata, rclass=rclass, rdlength=rdlength)


def soa(owner: bytes = TO_QNAME) -> bytes:
    numbers = struct.pack(">5I", 1, 1, 1, 1, 1)
    return rr(owner, SOA, b"\3ns1" + ZONE + b"\1h" + ZONE + numbers)

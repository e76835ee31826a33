"""A reply while it is put together, and its form on the wire."""

from __future__ import annotations

from struct import Struct

from geodns.dns.message import (
    AA,
    DO,
    NOERROR,
    OPTION_ECS,
    OPTION_EDE,
    QR,
    RD,
    TC,
    UDP_PAYLOAD_OCTETS,
)
from geodns.dns.rrtypes import TYPE_OPT
from geodns.engine.query import Query

_HEADER = Struct(">HHHHH").pack
_OPT = Struct(">BHHIH").pack
_OPTION = Struct(">HH").pack
_ECS = Struct(">HHHBB").pack


class Reply:
    """A reply while it is put together.

    Shape: for counters, ``zone`` is the apex of the zone that was asked, empty without one;
    ``slots`` name the nodes that answer, ``why`` says why they do.
    """

    __slots__ = (
        "additional",
        "additionals",
        "answer",
        "answers",
        "authoritative",
        "authorities",
        "authority",
        "ede",
        "followed",
        "query",
        "rcode",
        "redirected",
        "resolver",
        "scope",
        "slots",
        "why",
        "zone",
    )

    def __init__(self, query: Query, resolver: str, *, authoritative: bool = True) -> None:
        self.query = query
        self.resolver = resolver
        self.rcode = NOERROR
        self.authoritative = authoritative
        self.answer = self.authority = self.additional = b""
        self.answers = self.authorities = self.additionals = 0
        self.scope = 0
        self.ede: tuple[int, str] | None = None
        self.followed: tuple[bytes, ...] = ()
        self.redirected: tuple[bytes, ...] = ()
        self.zone = b""
        self.slots: tuple[int, ...] = ()
        self.why: int = 0

    def encode(self, limit: int, options: bytes = b"") -> bytes:
        """The message; with TC and no records at all if it would exceed ``limit`` octets.

        ``options`` are EDNS options that do not depend on what was found.
        """
        query = self.query
        flags = QR | query.flags & RD | self.rcode
        if self.authoritative:
            flags |= AA
        opt = self._opt(options) if query.edns else b""
        question = query.packet[12 : query.question_end]
        questions = 1 if question else 0
        records = self.answer + self.authority + self.additional
        if 12 + len(question) + len(records) + len(opt) > limit:
            # RFC 2181 section 9: no part of an RRset; the client asks again over TCP.
            header = _HEADER(flags | TC, questions, 0, 0, 1 if opt else 0)
            return query.packet[:2] + header + question + opt
        additionals = self.additionals + 1 if opt else self.additionals
        header = _HEADER(flags, questions, self.answers, self.authorities, additionals)
        return query.packet[:2] + header + question + records + opt

    def _opt(self, options: bytes) -> bytes:
        query = self.query
        if query.ecs_at:
            options += ecs_option(query, self.scope)
        if self.ede is not None:
            code, text = self.ede
            options += option(OPTION_EDE, code.to_bytes(2, "big") + text.encode())
        ttl = DO if query.do else 0  # RFC 3225 section 3: DO is copied
        return _OPT(0, TYPE_OPT, UDP_PAYLOAD_OCTETS, ttl, len(options)) + options


def ecs_option(query: Query, scope: int) -> bytes:
    """The answer to the client subnet of a query that has one."""
    subnet = query.subnet
    # RFC 7871 section 7.2.1: family, source and address as they came; scope is ours.
    head = _ECS(OPTION_ECS, 4 + len(subnet), query.family, query.source_prefix_len, scope)
    return head + subnet


def option(code: int, data: bytes) -> bytes:
    """One EDNS option (RFC 6891 section 6.1.2)."""
    return _OPTION(code, len(data)) + data


def pointed(name: bytes, qname: bytes) -> bytes:
    """An owner name on the wire: a pointer into the question as far as the two agree.

    The one compression we use: owners only, and only onto the question (RFC 1035 §4.1.4).
    """
    head = b""
    while name != b"\0":
        if qname.endswith(name):
            at = len(qname) - len(name)
            if _is_label_start(qname, at):
                return head + (0xC000 | 12 + at).to_bytes(2, "big")
        size = name[0] + 1
        head += name[:size]
        name = name[size:]
    return head + b"\0"


def _is_label_start(qname: bytes, at: int) -> bool:
    position = 0
    while position < at:
        position += qname[position] + 1
    return position == at

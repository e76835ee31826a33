"""A packet read as a query: header, question, EDNS and client subnet. Total on any octets."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import NoReturn

from geodns.dns.message import (
    BADVERS,
    DO,
    FORMERR,
    HEADER_OCTETS,
    NOTAUTH,
    NOTIMP,
    OPCODE_MASK,
    OPTION_COOKIE,
    OPTION_ECS,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    QR,
    UDP_PAYLOAD_OCTETS,
    UDP_PLAIN_OCTETS,
    Name,
    read_name,
)
from geodns.dns.rrtypes import TYPE_OPT
from geodns.dns.tsig import TYPE_TSIG, bad_key

ECS_FAMILY_BITS = {0: 0, 1: 32, 2: 128}
"""Address bits by ECS FAMILY. Source: RFC 7871 section 6, IANA address family numbers; family 0
with nothing is what ``dig +subnet=0`` sends."""

RECORDS_MAX = 16
"""Records that are read past; more are FORMERR. Source: no reference; a query needs OPT, TSIG or
SIG(0), and IXFR's SOA. 256 of names that point into a long one took 5 ms."""

_HEADER = Struct(">HHHHHH").unpack_from
_QUESTION = Struct(">HH").unpack_from
_OPT = Struct(">BHHBBHH").unpack_from
_OPTION = Struct(">HH").unpack_from
_ECS = Struct(">HBB").unpack_from
_FIXED_RR = Struct(">HHIH").unpack_from


class Malformed(Exception):
    """The packet cannot be answered with data.

    Shape: ``rcode`` None means silence; ``tsig`` is a record that ends the reply.
    """

    def __init__(self, rcode: int | None, *, edns: bool = False, tsig: bytes = b"") -> None:
        super().__init__(rcode)
        self.rcode = rcode
        self.edns = edns
        self.tsig = tsig


class Query:
    """What was asked.

    Shape: ``qname`` is the canonical (lower-case) name; the question as it was sent is
    ``packet[12:question_end]``. ``ecs_at`` is where the ECS option's data starts, 0 if there
    is none; ``subnet`` its address octets, ``source_prefix_len`` their length in bits.
    """

    __slots__ = (
        "cookie",
        "do",
        "ecs_at",
        "edns",
        "family",
        "flags",
        "keepalive",
        "limit",
        "nsid",
        "packet",
        "qclass",
        "qname",
        "qtype",
        "question_end",
        "source_prefix_len",
        "subnet",
    )

    def __init__(self, packet: bytes) -> None:
        """Errors: Malformed."""
        size = len(packet)
        if size < HEADER_OCTETS:
            raise Malformed(None)  # no ID to answer to
        _, flags, questions, answers, authorities, additionals = _HEADER(packet)
        if flags & QR:
            raise Malformed(None)  # a response; answering it could start a loop
        if flags & OPCODE_MASK:
            raise Malformed(NOTIMP, edns=_has_opt(packet))
        # RFC 9619 section 4: QDCOUNT is 1 in a query; and nothing is answered yet in one.
        # RFC 7873 section 5.4: without a question, a cookie may be asked for.
        if questions > 1 or answers or not (questions or additionals):
            raise Malformed(FORMERR, edns=_has_opt(packet))
        self.packet = packet
        self.flags = flags
        self.edns = self.do = self.nsid = self.keepalive = False
        self.ecs_at = self.family = self.source_prefix_len = 0
        self.subnet = self.qname = b""
        self.cookie: bytes | None = None
        self.limit = UDP_PLAIN_OCTETS
        self.question_end = at = self._read_question() if questions else HEADER_OCTETS
        if authorities:
            at = self._skip_authority(at, authorities)
        if additionals:
            self._read_additional(at, additionals)
        elif at != size:
            raise Malformed(FORMERR)
        if not questions and self.cookie is None:
            raise Malformed(FORMERR, edns=self.edns)

    def _read_question(self) -> int:
        """Read name, type and class; returns where they end."""
        packet = self.packet
        at = HEADER_OCTETS
        try:
            length = packet[at]
            while length:
                if length > 63:  # RFC 1035 section 4.1.4: the first name has nothing to point to
                    raise Malformed(FORMERR)
                at += length + 1
                length = packet[at]
            at += 1
            self.qtype, self.qclass = _QUESTION(packet, at)
        except (IndexError, ValueError, StructError):
            raise Malformed(FORMERR) from None
        if at - HEADER_OCTETS > 255:  # RFC 1035 section 2.3.4
            raise Malformed(FORMERR)
        self.qname = packet[HEADER_OCTETS:at].lower()
        return at + 4

    def _read_additional(self, at: int, count: int) -> None:
        packet = self.packet
        size = len(packet)
        for left in range(count, 0, -1):
            if at + 11 > size:
                raise Malformed(FORMERR, edns=self.edns)
            name, rtype, payload, _, version, flags, length = _OPT(packet, at)
            if name or rtype != TYPE_OPT:
                at = self._skip_record(at, left)
                continue
            if self.edns:  # RFC 6891 section 6.1.1: more than one OPT is FORMERR
                raise Malformed(FORMERR, edns=True)
            self.edns = True
            end = at + 11 + length
            if end > size:
                raise Malformed(FORMERR, edns=True)
            if version:  # RFC 6891 section 6.1.3
                raise Malformed(BADVERS, edns=True)
            self.do = flags & DO != 0
            # RFC 6891 section 6.2.3: values below 512 are treated as 512.
            self.limit = min(max(payload, UDP_PLAIN_OCTETS), UDP_PAYLOAD_OCTETS)
            if length:
                self._read_options(at + 11, end)
            at = end
        if at != size:
            raise Malformed(FORMERR, edns=self.edns)

    def _skip_authority(self, at: int, count: int) -> int:
        """The end of the section in which IXFR sends its SOA (RFC 1995 section 3)."""
        if count > RECORDS_MAX:
            raise Malformed(FORMERR)
        for _ in range(count):
            at = self._skip_record(at)
        return at

    def _skip_record(self, at: int, left: int = 0) -> int:
        """The end of a record that means nothing here; ``left`` so many are additional."""
        packet = self.packet
        owner = read_name(packet, at)
        if owner is None or owner.end + 10 > len(packet) or left > RECORDS_MAX:
            raise Malformed(FORMERR, edns=self.edns)
        rtype, _, _, length = _FIXED_RR(packet, owner.end)
        if rtype == TYPE_OPT:  # RFC 6891 sections 6.1.1, 6.1.2: at the root, additional
            raise Malformed(FORMERR, edns=True)
        end = int(owner.end + 10 + length)
        if rtype == TYPE_TSIG:
            self._judge_signature(owner, last=left == 1 and end == len(packet))
        return end

    def _judge_signature(self, key: Name, *, last: bool) -> NoReturn:
        """RFC 8945 section 5.2: the last of the additional records, and by a known key."""
        told = bad_key(self.packet, key) if last else None
        if told is None:
            raise Malformed(FORMERR, edns=self.edns)
        raise Malformed(NOTAUTH, edns=self.edns, tsig=told)

    def _read_options(self, at: int, end: int) -> None:
        packet = self.packet
        while at < end:
            if at + 4 > end:
                raise Malformed(FORMERR, edns=True)
            code, length = _OPTION(packet, at)
            at += 4
            if at + length > end:
                raise Malformed(FORMERR, edns=True)
            if code == OPTION_ECS:
                self._read_ecs(at, length)
            elif code == OPTION_COOKIE and self.cookie is None:  # the first counts: RFC 7873 §5.2
                self.cookie = packet[at : at + length]
            elif code == OPTION_NSID:
                self.nsid = True
            elif code == OPTION_KEEPALIVE:
                self.keepalive = True
            at += length

    def _read_ecs(self, at: int, length: int) -> None:
        """RFC 7871 section 7.1.2: what is not well formed is answered with FORMERR."""
        if length < 4 or self.ecs_at:
            raise Malformed(FORMERR, edns=True)
        packet = self.packet
        family, source_prefix_len, scope_prefix_len = _ECS(packet, at)
        bits = ECS_FAMILY_BITS.get(family, -1)  # who sent another could not read its echo
        octets = source_prefix_len + 7 >> 3
        if (
            source_prefix_len > bits
            or scope_prefix_len  # RFC 7871 section 6: in a query this MUST be 0
            or length - 4 != octets
            or (source_prefix_len & 7 and packet[at + 3 + octets] << (source_prefix_len & 7) & 255)
        ):
            raise Malformed(FORMERR, edns=True)
        self.ecs_at = at
        self.family = family
        self.source_prefix_len = source_prefix_len
        self.subnet = packet[at + 4 : at + 4 + octets]


def _has_opt(packet: bytes) -> bool:
    """Whether a message that is not read as a query has an OPT, as far as one can see.

    RFC 6891 section 6.1.1: who sends OPT gets OPT, whatever the rcode.
    """
    _, _, questions, *counts = _HEADER(packet)
    at = HEADER_OCTETS
    for number in range(min(questions + sum(counts), RECORDS_MAX)):
        owner = read_name(packet, at)
        if owner is None or owner.end + 10 > len(packet):
            return False
        at = owner.end + 4
        if number >= questions:
            rtype, _, _, length = _FIXED_RR(packet, owner.end)
            if rtype == TYPE_OPT:
                return True
            at += 6 + length
    return False

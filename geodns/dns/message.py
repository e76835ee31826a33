"""Messages: the words of their header and options, and the replies of the slow path.

Hot replies are composed by the engine from the snapshot. Here are those that are rare: refusals
of what could not be read, and text for a person. Both take whatever octets came in and never
raise; dnslib is loaded with the first text reply.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from geodns.dns.names import LABEL_MAX_OCTETS, NAME_MAX_OCTETS, labels
from geodns.dns.rrtypes import TYPE_OPT, TYPE_TXT

HEADER_OCTETS = 12  # RFC 1035 §4.1.1
MESSAGE_MAX_OCTETS = 0xFFFF  # RFC 1035 §4.2.2: over TCP the length has 16 bits.
# Source: DNS Flag Day 2020; with IPv6 and UDP headers within the least MTU of IPv6, 1280.
UDP_PAYLOAD_OCTETS = 1232
UDP_PLAIN_OCTETS = 512  # RFC 1035 §4.2.1: without EDNS.

# Flags of the header's second word: RFC 1035 §4.1.1.
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100
OPCODE_MASK = 0x7800
DO = 0x8000  # RFC 3225 §3: in the flags of OPT, "DNSSEC OK".

# RFC 1035 §4.1.1; NOTAUTH RFC 2136 §2.2.
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH = 0, 1, 2, 3, 4, 5, 9
YXDOMAIN = 6  # RFC 2136 §2.2, RFC 6672 §2.2
BADVERS = 16  # RFC 6891 §9; beyond 15 the upper eight bits stand in OPT.

CLASS_IN, CLASS_CH, CLASS_ANY = 1, 3, 255  # RFC 1035 §3.2.4, §3.2.5

OPTION_NSID = 3  # RFC 5001 §4
OPTION_ECS = 8  # RFC 7871 §6
OPTION_COOKIE = 10  # RFC 7873 §4
OPTION_KEEPALIVE = 11  # RFC 7828 §3.1
OPTION_EDE = 15  # RFC 8914 §2

EDE_OTHER = 0  # RFC 8914 §4.1

_STRING_MAX_OCTETS = 255  # RFC 1035 §3.3: a character-string has one octet of length.


class Name(NamedTuple):
    """A name in a message. Shape: ``name`` is whole; ``end`` is where the next field starts."""

    name: bytes
    end: int


def read_name(message: bytes, at: int) -> Name | None:
    """The name that starts at ``at``; None if there is none that RFC 1035 §4.1.4 allows.

    Errors: none. A pointer leads to a prior place, so the way ends; a name has 255 octets.
    """
    name, end, start = b"", 0, at
    while at < len(message):
        size = message[at]
        if size == 0:
            return Name(name + b"\0", end or at + 1)
        if size >= 0xC0:
            target = int.from_bytes(message[at : at + 2], "big") & 0x3FFF
            if at + 2 > len(message) or not HEADER_OCTETS <= target < start:
                return None
            end = end or at + 2
            at = start = target
            continue
        name += message[at : at + 1 + size]
        if size > LABEL_MAX_OCTETS or len(name) >= NAME_MAX_OCTETS:
            return None
        at += 1 + size
    return None


def error_reply(query: bytes, rcode: int, edns: bool = False, tsig: bytes = b"") -> bytes | None:
    """The reply that says only ``rcode``; None for what must not be answered.

    Shape: ID, opcode, RD and, if it can be read, the one question as they came. ``edns`` adds
           OPT; an rcode beyond 15 needs it and has it anyway (RFC 6891 §6.1.3). ``tsig`` is a
           record for the end, left out where it would not fit into plain UDP.
    """
    if not _is_query(query):
        return None
    end = _question_end(query)
    question = query[HEADER_OCTETS:end] if end else b""
    opt = b""
    if edns or rcode > 0xF:
        do = _opt_flags(query, end) if end else None
        opt = _opt(rcode, do or 0)
    if HEADER_OCTETS + len(question + opt + tsig) > UDP_PLAIN_OCTETS:
        tsig = b""
    flags = _reply_flags(query) | rcode & 0xF
    counts = (1 if question else 0, 0, 0, bool(opt) + bool(tsig))
    return query[:2] + struct.pack("!5H", flags, *counts) + question + opt + tsig


def text_reply(
    query: bytes,
    texts: Sequence[str],
    ttl: int = 0,
    rclass: int = CLASS_IN,
    limit: int = MESSAGE_MAX_OCTETS,
    options: bytes = b"",
) -> bytes | None:
    """The authoritative answer that is these texts, one TXT record each.

    Shape:  a text longer than 255 octets goes into several character-strings of its record; more
            than ``limit`` octets give TC and no record. OPT, with the encoded ``options``, if
            the query had one.
    Errors: none; FORMERR for a query without one readable question, None as in `error_reply`.
    """
    end = _question_end(query) if _is_query(query) else None
    if end is None:
        return error_reply(query, FORMERR)
    # RFC 2181 §5: a set of records holds no two that are equal.
    data = [_strings(text) for text in dict.fromkeys(texts)]
    if sum(map(_record_octets, data)) <= limit:
        reply = _compose(query, end, data, ttl, rclass, options)
        if len(reply) <= limit:
            return reply
    # RFC 2181 §9: a resolver drops a truncated answer anyway, so no part of the set goes out.
    return _compose(query, end, [], ttl, rclass, options, TC)


def _compose(
    query: bytes,
    end: int,
    data: Sequence[list[bytes]],
    ttl: int,
    rclass: int,
    options: bytes,
    tc: int = 0,
) -> bytes:
    from dnslib import RR, TXT, DNSHeader, DNSLabel, DNSQuestion, DNSRecord

    owner = DNSLabel(labels(query[HEADER_OCTETS : end - 4]))
    message_id, *_ = struct.unpack_from("!H", query)
    header = DNSHeader(id=message_id, bitmap=_reply_flags(query) | AA | tc)
    reply = DNSRecord(header, q=DNSQuestion(owner, *struct.unpack_from("!HH", query, end - 4)))
    for strings in data:
        reply.add_answer(RR(owner, TYPE_TXT, rclass, ttl, TXT(strings)))
    octets = bytes(reply.pack())
    flags = _opt_flags(query, end)
    if flags is None:
        return octets
    return octets[:10] + b"\0\1" + octets[12:] + _opt(NOERROR, flags, options)


def _opt(rcode: int, flags: int, options: bytes = b"") -> bytes:
    # RFC 6891 §6.1.3: the TTL holds the rcode's upper eight bits, a version (0), the flags.
    ttl = rcode >> 4 << 24 | flags
    head = struct.pack("!BHHIH", 0, TYPE_OPT, UDP_PAYLOAD_OCTETS, ttl, len(options))
    return head + options


def _strings(text: str) -> list[bytes]:
    octets = text.encode("utf-8", "replace")
    cuts = range(0, len(octets), _STRING_MAX_OCTETS)
    return [octets[at : at + _STRING_MAX_OCTETS] for at in cuts] or [b""]


def _record_octets(strings: list[bytes]) -> int:
    """What a record with these strings takes, its owner compressed to two octets."""
    return 12 + sum(1 + len(string) for string in strings)


def _is_query(message: bytes) -> bool:
    """Whether there is somebody to reply to: a whole header, and not itself a reply.

    An answer to an answer would go round in circles between two servers.
    """
    return len(message) >= HEADER_OCTETS and not message[2] & QR >> 8


def _reply_flags(query: bytes) -> int:
    # RFC 1035 §4.1.1: opcode and RD are copied. RFC 4035 §3.1.6: AD and CD are clear.
    return QR | int.from_bytes(query[2:4], "big") & (OPCODE_MASK | RD)


def _question_end(query: bytes) -> int | None:
    """Where the only question ends, or None if there is not exactly one that can be read."""
    if query[4:6] != b"\x00\x01":
        return None
    found = read_name(query, HEADER_OCTETS)
    return found.end + 4 if found is not None and found.end + 4 <= len(query) else None


def _opt_flags(query: bytes, at: int) -> int | None:
    """DO or 0 as in the query's OPT, which must be copied (RFC 3225 §3); None without OPT."""
    for _ in range(sum(struct.unpack_from("!3H", query, 6))):
        owner = read_name(query, at)
        if owner is None or owner.end + 10 > len(query):
            return None
        rtype, _, _, flags, rdlength = struct.unpack_from("!5H", query, owner.end)
        if rtype == TYPE_OPT:
            return int(flags) & DO
        at = owner.end + 10 + rdlength
    return None

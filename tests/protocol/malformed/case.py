"""One packet and what may come back, and the judgement of what did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .octets import AD, CD, DO, OPT, QR, RA, RD, TC, Z
from .reading import Told, Unreadable, read_reply, sent_question

SILENCE = None
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS = 0, 1, 2, 3, 4, 5, 9, 16

Outcome = int | None
"""An rcode, extended by OPT's eight bits, or silence."""


class Grade(Enum):
    """EXACT is what the RFC asks for, ACCEPTED what it does not forbid, FAULT what harms."""

    EXACT = "exact"
    ACCEPTED = "acceptable"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Case:
    """Shape: ``opt`` True means the reply must have OPT, False that it must not, None either;
    ``data`` that a NOERROR must bring answers (or TC); ``unwanted`` are options that the reply
    must not have; ``tcp`` is None where the transport does not matter."""

    name: str
    source: str
    packet: bytes
    exact: frozenset[Outcome]
    accepted: frozenset[Outcome] = frozenset()
    opt: bool | None = None
    data: bool = False
    unwanted: frozenset[int] = frozenset()
    limit: int = 0xFFFF
    tc: bool | None = None
    tcp: bool | None = None


def case(
    name: str,
    source: str,
    packet: bytes,
    exact: Iterable[Outcome],
    accepted: Iterable[Outcome] = (),
    **more: object,
) -> Case:
    """Any case; ``unwanted`` may be any iterable."""
    unwanted = frozenset(more.pop("unwanted", ()))  # type: ignore[call-overload]
    return Case(
        name, source, packet, frozenset(exact), frozenset(accepted), unwanted=unwanted, **more
    )  # type: ignore[arg-type]


def answered(name: str, source: str, packet: bytes, **more: object) -> Case:
    """Unusual, but a good query: anything but its answer is a fault."""
    return case(name, source, packet, {NOERROR}, data=True, **more)


def malformed(
    name: str, source: str, packet: bytes, accepted: Iterable[Outcome] = (SILENCE,), **more: object
) -> Case:
    """FORMERR is due; silence leaves the sender waiting, which is worse but harms no other."""
    return case(name, source, packet, {FORMERR}, accepted, **more)


def silent(name: str, source: str, packet: bytes) -> Case:
    """Any reply could start a loop between two servers."""
    return case(name, source, packet, {SILENCE})


def judge(asked: Case, reply: bytes | None) -> tuple[Grade, str]:
    """The grade of a reply, and what is wrong with it."""
    if reply is None:
        return _grade(asked, SILENCE, "silence")
    try:
        told = read_reply(reply)
    except Unreadable as fault:
        return Grade.FAULT, f"unreadable: {fault}"
    for broken, words in _hard(asked, reply):
        if broken:
            return Grade.FAULT, words
    grade, words = _grade(asked, told.rcode, f"rcode {told.rcode}")
    if grade is Grade.EXACT and _lacks_opt(asked, told):
        # RFC 6891 section 7 demands it, but who sends such things hardly looks for it.
        return Grade.ACCEPTED, "FORMERR without OPT"
    if grade is Grade.EXACT and told.flags & (AD | CD | RA):
        # RFC 4035 section 3.1.6: an authoritative server SHOULD clear CD.
        return Grade.ACCEPTED, f"flags {told.flags:04x}"
    return grade, words


def _grade(asked: Case, outcome: Outcome, words: str) -> tuple[Grade, str]:
    if outcome in asked.exact:
        return Grade.EXACT, words
    if outcome in asked.accepted:
        return Grade.ACCEPTED, words
    return Grade.FAULT, words


def _hard(asked: Case, reply: bytes) -> Iterable[tuple[bool, str]]:
    """What no reply may do, each with its words."""
    told, sent = read_reply(reply), int.from_bytes(asked.packet[2:4], "big")
    same = told.flags ^ sent
    yield reply[:2] != asked.packet[:2], "another ID"
    yield not told.flags & QR, "QR is clear"
    yield bool(same & 0x7800), "another opcode"
    yield bool(told.flags & Z), "Z is set (RFC 1035 section 4.1.1)"
    yield bool(same & RD) and not sent & 0x7800, "RD is not copied"
    yield len(told.questions) > 1, "several questions"
    yield told.questions not in ([], [sent_question(asked.packet)]), "another question"
    yield len(reply) > asked.limit, f"{len(reply)} octets, {asked.limit} allowed"
    yield bool(told.rcode not in (NOERROR, NXDOMAIN) and told.answers), "error with an answer"
    if asked.data and told.rcode == NOERROR:
        yield not told.questions, "answer without its question"
        yield not (told.answers or told.flags & TC), "no answer"
    yield asked.tc not in (None, bool(told.flags & TC)), "TC is wrong"
    yield from _hard_opt(asked, reply)


def _lacks_opt(asked: Case, told: Told) -> bool:
    return asked.opt is True and all(record.rtype != OPT for record in told.additional)


def _hard_opt(asked: Case, reply: bytes) -> Iterable[tuple[bool, str]]:
    told = read_reply(reply)
    opts = [record for record in told.additional if record.rtype == OPT]
    yield any(r.rtype == OPT for r in told.others), "OPT outside the additional section"
    yield len(opts) > 1, "several OPT"
    yield _lacks_opt(asked, told) and told.rcode != FORMERR, "no OPT (RFC 6891 section 6.1.1)"
    yield asked.opt is False and bool(opts), "OPT that nobody asked for (RFC 6891 section 7)"
    for found in opts:
        yield found.owner != b"\0", "OPT not at the root"
        yield bool(found.ttl >> 16 & 0xFF), "OPT of another version"
        yield bool(found.ttl & 0xFFFF & ~DO), "unknown EDNS flags are set"
        yield found.rclass < 512, "payload below 512"
        yield bool(told.options.keys() & asked.unwanted), f"options {sorted(told.options)}"

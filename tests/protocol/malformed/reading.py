"""A reply read by nobody's library: strict, and with nothing of geodns."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from .octets import OPT


class Unreadable(Exception):
    """The message contradicts itself."""


@dataclass(frozen=True, slots=True)
class Record:
    owner: bytes
    rtype: int
    rclass: int
    ttl: int
    rdata: bytes


@dataclass(slots=True)
class Told:
    """Shape: ``questions`` are octets; ``others`` the records of answer and authority;
    ``options`` the data of OPT's options by code."""

    flags: int
    rcode: int
    questions: list[bytes] = field(default_factory=list)
    answers: list[Record] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)
    options: dict[int, bytes] = field(default_factory=dict)


def read_reply(message: bytes) -> Told:
    """Errors: Unreadable."""
    if len(message) < 12:
        raise Unreadable(f"{len(message)} octets")
    _, flags, qd, an, ns, ar = struct.unpack_from(">6H", message)
    told, at = Told(flags, flags & 15), 12
    for _ in range(qd):
        end = _end_of_name(message, at) + 4
        told.questions.append(message[at:end])
        at = end
    records = []
    for _ in range(an + ns + ar):
        record, at = _record(message, at)
        records.append(record)
    if at != len(message):
        raise Unreadable(f"{len(message) - at} octets too many")
    told.answers, told.others, told.additional = (
        records[:an],
        records[: an + ns],
        records[an + ns :],
    )
    for record in told.additional:
        if record.rtype == OPT:
            told.rcode |= record.ttl >> 24 << 4
            told.options = _options(record.rdata)
    return told


def sent_question(packet: bytes) -> bytes | None:
    """The octets of a query's first question; None if it is not one."""
    try:
        end = _end_of_name(packet, 12) + 4
    except Unreadable:
        return None
    return packet[12:end] if end <= len(packet) else None


def _record(message: bytes, at: int) -> tuple[Record, int]:
    end = _end_of_name(message, at)
    if end + 10 > len(message):
        raise Unreadable("a record is cut")
    rtype, rclass, ttl, size = struct.unpack_from(">HHIH", message, end)
    rdata = message[end + 10 : end + 10 + size]
    if len(rdata) != size:
        raise Unreadable("rdata is cut")
    return Record(message[at:end], rtype, rclass, ttl, rdata), end + 10 + size


def _end_of_name(message: bytes, at: int) -> int:
    start = at
    while at < len(message):
        octet = message[at]
        if octet == 0:
            return at + 1
        if octet >= 0xC0:
            _check_pointer(message, at, start)
            return at + 2
        if octet > 63:
            break
        at += octet + 1
    raise Unreadable("a name has no end")


def _check_pointer(message: bytes, at: int, start: int) -> None:
    """Every pointer points before the name that it ends (RFC 1035 section 4.1.4)."""
    if at + 2 > len(message):
        raise Unreadable("a pointer is cut")
    target = int.from_bytes(message[at : at + 2], "big") & 0x3FFF
    if not 12 <= target < start:
        raise Unreadable("a pointer points forward")
    _end_of_name(message, target)


def _options(rdata: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(rdata):
        if at + 4 > len(rdata):
            raise Unreadable("an option is cut")
        code, size = struct.unpack_from(">HH", rdata, at)
        found[code] = rdata[at + 4 : at + 4 + size]
        if len(found[code]) != size:
            raise Unreadable("an option is cut")
        at += 4 + size
    return found

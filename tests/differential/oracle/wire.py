"""Queries and replies, octet by octet, as far as the comparison needs them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from support.interpreter import Question

TYPES = {"A": 1, "AAAA": 28}
ECS, EDE = 8, 15


def query(question: Question, zone: str) -> bytes:
    """The packet of a question, with EDNS."""
    labels = f"{question.owner}.{zone}".split(".")
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    head = struct.pack(">HHHHHH", question.message_id, 0, 1, 0, 0, 1)
    options = b""
    if question.subnet is not None:
        address, source = ip_address(question.subnet[0]), question.subnet[1]
        octets = address.packed[: (source + 7) // 8]
        data = struct.pack(">HBB", 1 if address.version == 4 else 2, source, 0) + octets
        options = struct.pack(">HH", ECS, len(data)) + data
    opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(options)) + options
    return head + name + struct.pack(">HH", TYPES[question.rtype], 1) + opt


@dataclass
class Reply:
    """What a reply says. Shape: ``ttl`` is the answer's, or the SOA's where there is none."""

    rcode: int
    truncated: bool
    addresses: tuple[str, ...] = ()
    ttls: set[int] = field(default_factory=set)
    scope: int | None = None
    ede: str | None = None


def read(packet: bytes) -> Reply:
    """A reply. Its sections are read one behind the other, to the last octet."""
    _, flags, _, answers, authorities, additionals = struct.unpack_from(">HHHHHH", packet)
    reply = Reply(flags & 15, bool(flags & 0x200))
    at = _skip_name(packet, 12) + 4
    found = []
    for number in range(answers + authorities + additionals):
        at = _skip_name(packet, at)
        rtype, _, ttl, length = struct.unpack_from(">HHIH", packet, at)
        data = packet[at + 10 : at + 10 + length]
        at += 10 + length
        if number < answers:
            found.append(_text(rtype, data))
        if rtype == 41:
            _read_options(reply, data)
        else:
            reply.ttls.add(ttl)
    assert at == len(packet)
    reply.addresses = tuple(found)
    return reply


def _text(rtype: int, data: bytes) -> str:
    if rtype == 1:
        return str(IPv4Address(data))
    if rtype == 28:
        return str(IPv6Address(data))
    labels, at = [], 0
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += data[at] + 1
    return ".".join([*labels, ""])


def _skip_name(packet: bytes, at: int) -> int:
    while packet[at]:
        if packet[at] >= 192:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _read_options(reply: Reply, data: bytes) -> None:
    at = 0
    while at < len(data):
        code, length = struct.unpack_from(">HH", data, at)
        body = data[at + 4 : at + 4 + length]
        if code == ECS:
            reply.scope = body[3]
        elif code == EDE:
            reply.ede = body[2:].decode()
        at += 4 + length

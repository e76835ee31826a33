"""Random questions about a world: near its names, below, above, beside and outside them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import dns.name
import dns.rdatatype

from differential.worlds import World, draw_label

_SEEN = "A A A AAAA AAAA NS NS SOA CNAME DNAME DS MX MX TXT TXT SRV CAA PTR NAPTR TLSA SSHFP SVCB"
_SELDOM = "HTTPS LOC URI HINFO RP TYPE65280 TYPE1234"
TYPES = f"{_SEEN} {_SELDOM}".split()  # ANY has a test of its own: RFC 8482 lets all differ
PAYLOADS = (None, None, 0, 512, 1232, 4096)


@dataclass(frozen=True)
class Question:
    """Shape: ``payload`` None is without EDNS; ``labels`` keep the case they are asked in."""

    name: dns.name.Name
    rtype: str
    payload: int | None = None
    recurse: bool = False
    tcp: bool = False

    def packet(self, number: int) -> bytes:
        """The query on the wire."""
        flags = 0x0100 if self.recurse else 0
        extra = 0 if self.payload is None else 1
        header = struct.pack(">6H", number & 0xFFFF, flags, 1, 0, 0, extra)
        rtype = dns.rdatatype.from_text(self.rtype)
        opt = b"" if self.payload is None else struct.pack(">BHHIH", 0, 41, self.payload, 0, 0)
        return header + self.name.to_wire() + struct.pack(">2H", rtype, 1) + opt

    def __str__(self) -> str:
        return f"{self.name} {self.rtype}"


def questions(world: World, rng: random.Random, count: int) -> Iterator[Question]:
    """Questions drawn by chance."""
    known = [owner for zone in world.zones for owner in (*zone.held, zone.apex, *zone.servers)]
    renamed = [
        owner for zone in world.zones for owner, held in zone.held.items() if "DNAME" in held
    ]
    for _ in range(count):
        yield Question(
            _recased(rng, _name(rng, known, renamed)),
            rng.choice(TYPES),
            rng.choice(PAYLOADS),
            rng.random() < 0.3,
            rng.random() < 0.1,
        )


def _name(
    rng: random.Random, known: list[dns.name.Name], renamed: list[dns.name.Name]
) -> dns.name.Name:
    near = rng.choice(known)
    draw = rng.random()
    if draw < 0.35:
        return near
    if draw < 0.65:
        return _below(rng, near, rng.choice((1, 1, 2, 3)))
    if draw < 0.75 and renamed:
        return _below(rng, rng.choice(renamed), rng.choice((1, 1, 2, 6)))
    if draw < 0.85 and len(near) > 2:
        return near.parent()
    if draw < 0.97 and len(near) > 2:
        return _below(rng, near.parent(), 1)  # what `*` may stand for
    return dns.name.Name((b"www", b"out", b"of", b"zone", b""))


def _below(rng: random.Random, name: dns.name.Name, count: int) -> dns.name.Name:
    labels = [draw_label(rng) for _ in range(count)]
    if count == 6:  # long enough for a DNAME to make a name of more than 255 octets
        labels = [b"q" * rng.randint(20, 40)] * 5
    try:
        return dns.name.Name((*labels, *name.labels))
    except dns.name.NameTooLong:
        return name


def _recased(rng: random.Random, name: dns.name.Name) -> dns.name.Name:
    if rng.random() < 0.7:
        return name
    return dns.name.Name([label.upper() if rng.random() < 0.5 else label for label in name.labels])

"""Random packets: questions with everything EDNS offers, then spoilt, cut and mixed."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from ipaddress import ip_address

import dns.name
import dns.rdatatype

from differential.native.fleets import Fleet
from differential.native.users import address_in
from differential.questions import questions
from differential.worlds import Zone, make_world

TYPES = (1, 1, 1, 1, 28, 28, 28, 5, 2, 6, 64, 65, 65, 16, 255, 43, 39, 251, 252, 41, 0, 65280)
CLASSES = (1,) * 12 + (255, 3, 4, 0)
RESOLVERS = (
    "8.8.8.8",
    "127.0.0.1",
    "::1",
    "192.0.2.7",
    "::ffff:9.9.9.9",
    "2a00:1450::1",
    "fe80::1%lo",
    "2002:808:808::1",
    "2001:0:1:2::f7f7:f7f7",
)
CHAOS = (b"\x07version\x04bind\0", b"\x02id\x06server\0", b"\x08hostname\x04BIND\0")
PREFIXES6 = (
    bytes.fromhex("20010db8"),
    bytes.fromhex("2002"),
    bytes.fromhex("20010000"),
    bytes.fromhex("200100ff"),
    bytes(10) + b"\xff\xff",
    bytes.fromhex("0064ff9b") + bytes(8),
    bytes.fromhex("fe80"),
    b"\x2a",
    b"\x26",
    b"",
)

Asked = tuple[bytes, str, bool]
"""A packet, the resolver that sends it, and whether over TCP."""

POOL = 4000
"""Questions, and what follows them, that packets are put together from: so many met again and
again are what memos are for, and drawing each packet's parts anew would take ten times as long."""


class Mint:
    """Packets drawn by chance; the same seed draws the same.

    Shape: for fleets that follow one another, so that each is asked the others' names, too.
    """

    def __init__(self, fleets: list[Fleet], seed: int) -> None:
        rng = self._rng = random.Random(f"packets {seed}")
        steered = [dns.name.from_text(name).to_wire() for fleet in fleets for name in fleet.names]
        world = make_world(fleets[0].seed)
        plain = [question.name.to_wire() for question in questions(world, rng, POOL // 2)]
        names = [rng.choice(steered) for _ in range(POOL // 2)] + plain
        self._questions = [_question(rng, _recased(rng, name)) for name in names]
        self._questions += [_question(rng, name) for name in CHAOS for _ in range(POOL // 100)]
        held = [pair for zone in world.zones for pair in _held(zone)]
        self._questions += [_question(rng, *rng.choice(held)) for _ in range(POOL // 4)]
        subnets = [subnet for fleet in fleets for subnet in fleet.subnets]
        self._tails = [_tail(rng, name, subnets) for name in names]
        self._resolvers = [*RESOLVERS * 6, *(_resolver(rng, subnets) for _ in range(100))]

    def batch(self, count: int) -> Iterator[Asked]:
        """So many packets, every ninth or so with something wrong."""
        rng = self._rng
        numbers = rng.randbytes(2 * count)
        questions_ = rng.choices(self._questions, k=count)
        tails = rng.choices(self._tails, k=count)
        resolvers = rng.choices(self._resolvers, k=count)
        for at, ((head, question), (counts, tail), resolver) in enumerate(
            zip(questions_, tails, resolvers, strict=True)
        ):
            packet = numbers[2 * at : 2 * at + 2] + head + counts + question + tail
            draw = rng.random()
            if draw < 0.12:
                packet = _spoilt(rng, packet)
            yield packet, resolver, draw > 0.85


def _held(zone: Zone) -> Iterator[tuple[bytes, int]]:
    for owner, held in zone.held.items():
        yield from ((owner.to_wire(), dns.rdatatype.from_text(rtype)) for rtype in held)


def _question(rng: random.Random, name: bytes, rtype: int | None = None) -> tuple[bytes, bytes]:
    """Flags with the counts of questions and answers, and the question."""
    is_chaos = name in CHAOS
    if rtype is None:
        rtype = rng.choice((16, 16, 1)) if is_chaos else rng.choice(TYPES)
    rclass = rng.choice((3, 1)) if is_chaos else rng.choice(CLASSES)
    flags = rng.choice((0, 0x0100, 0x0120, 0x0110, 0x0010, 0x0080))
    if rng.random() < 0.02:
        flags |= rng.choice((0x0800, 0x2000, 0x2800, 0x7800, 0x8000))
    question = name + struct.pack("!HH", rtype, rclass)
    count = 1
    if rng.random() < 0.01:
        question, count = rng.choice(((b"", 0), (question * 2, 2)))
    return struct.pack("!3H", flags, count, 0), question


def _tail(rng: random.Random, name: bytes, subnets: list[str]) -> tuple[bytes, bytes]:
    """The counts of authority and additional records, and these; client subnets are often
    within or beside ``subnets``."""
    authority = _record(rng, name) if rng.random() < 0.02 else b""
    extra = [_opt(rng, subnets)] if rng.random() < 0.85 else []
    if rng.random() < 0.03:
        extra.insert(rng.randrange(len(extra) + 1), rng.choice((_record, _tsig))(rng, name))
    counts = struct.pack("!2H", 1 if authority else 0, len(extra))
    return counts, authority + b"".join(extra)


def _resolver(rng: random.Random, subnets: list[str]) -> str:
    """An address as the socket module gives it: of either family, or one inside the other."""
    if subnets and rng.random() < 0.5:
        return str(ip_address(address_in(rng, rng.choice(subnets))[1]))
    four = rng.randbytes(4)
    six = (rng.choice((*PREFIXES6, bytes(10) + b"\xff\xff" + four)) + rng.randbytes(16))[:16]
    return str(ip_address(rng.choice((four, six))))


def _opt(rng: random.Random, subnets: list[str]) -> bytes:
    options = [_ecs(rng, subnets)] if rng.random() < 0.75 else []
    if rng.random() < 0.12:
        options.append(_option(10, rng.randbytes(rng.choice((8, 8, 16, 24, 40, 7, 12, 0, 41)))))
    if rng.random() < 0.1:
        options.append(_option(3, b""))
    if rng.random() < 0.1:
        options.append(_option(11, b""))
    if rng.random() < 0.05:
        options.append(_option(rng.randrange(20), rng.randbytes(rng.randrange(9))))
    rng.shuffle(options)
    data = b"".join(options)
    version = 0 if rng.random() < 0.98 else 1
    payload = rng.choice((0, 512, 512, 1232, 4096))
    flags = rng.choice((0, 0, 0x8000, 0x4001))
    return struct.pack("!BHHBBHH", 0, 41, payload, 0, version, flags, len(data)) + data


def _ecs(rng: random.Random, subnets: list[str]) -> bytes:
    if rng.random() < 0.03:
        family, octets, bits = rng.choice((0, 3)), b"", 0
    elif subnets and rng.random() < 0.5:
        family, octets = address_in(rng, rng.choice(subnets))
        if family == 1 and rng.random() < 0.1:
            family, octets = 2, bytes(10) + b"\xff\xff" + octets
        most = 8 * len(octets)
        bits = rng.choice((most, most - most // 4, rng.randrange(most + 1)))
    elif rng.random() < 0.6:
        family, octets, bits = (
            1,
            rng.randbytes(4),
            rng.choice((24, 24, 24, 32, 0, rng.randrange(33))),
        )
        if rng.random() < 0.2:
            octets = rng.choice((b"\x0a", b"\xc0\xa8", b"\x64\x40", b"\x7f", b"\xc6\x12")) + octets
    else:
        octets = (rng.choice(PREFIXES6) + rng.randbytes(16))[:16]
        family, bits = 2, rng.choice((56, 48, 64, 128, rng.randrange(129)))
    octets = octets[: bits + 7 >> 3]
    if bits & 7 and rng.random() < 0.97:
        octets = octets[:-1] + bytes([octets[-1] & 0xFF << 8 - (bits & 7) & 0xFF])
    scope = 0 if rng.random() < 0.98 else 8
    return _option(8, struct.pack("!HBB", family, bits, scope) + octets)


def _option(code: int, data: bytes) -> bytes:
    return struct.pack("!HH", code, len(data)) + data


def _record(rng: random.Random, name: bytes) -> bytes:
    owner = rng.choice((b"\0", b"\xc0\x0c", name, b"\xc0\xff"))
    rtype = rng.choice((6, 1, 24, 41, 250))
    data = rng.randbytes(rng.randrange(12))
    return owner + struct.pack("!HHIH", rtype, 1, 0, len(data)) + data


def _tsig(rng: random.Random, name: bytes) -> bytes:
    data = rng.choice((b"\x0bhmac-sha256\0", b"\xc0\x0c")) + rng.randbytes(6)
    data += struct.pack("!HH", 300, 32) + rng.randbytes(32) + struct.pack("!HHH", 7, 0, 0)
    return (
        rng.choice((b"\x03Key\0", b"\xc0\x0c"))
        + struct.pack("!HHIH", 250, 255, 0, len(data))
        + data
    )


def _spoilt(rng: random.Random, packet: bytes) -> bytes:
    """A packet with something wrong: octets changed, cut off, put in, or added."""
    octets = bytearray(packet)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(5):
            case 0 if at < len(octets):
                octets[at] = rng.choice((0, 1, 63, 64, 192, 255, rng.randrange(256)))
            case 1 if at < len(octets):
                octets[at] ^= 1 << rng.randrange(8)
            case 2:
                del octets[at : at + rng.randint(1, 4)]
            case 3:
                octets[at:at] = rng.randbytes(rng.randint(1, 4))
            case _:
                del octets[at:]
    return bytes(octets)


def _recased(rng: random.Random, name: bytes) -> bytes:
    """A name on the wire with some letters raised; lengths are below the letters."""
    if rng.random() < 0.7:
        return name
    return bytes(o - 32 if 97 <= o <= 122 and rng.random() < 0.5 else o for o in name)

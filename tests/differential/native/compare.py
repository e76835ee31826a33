"""Fleets that follow one another, both engines: the packets on which they differ."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise
from pathlib import Path

import numpy as np
from support.lab import NOW_S, Lab

from differential.native.fleets import Fleet, make_fleet
from differential.native.packets import Asked, Mint
from differential.native.users import ASNS
from geodns import _native
from geodns.daemon.workers import trust
from geodns.document.check import check
from geodns.document.load import from_document
from geodns.engine.cookies import CookieJar
from geodns.engine.counts import NUMBERS
from geodns.engine.debug import DebugNames
from geodns.engine.responder import Responder, Surroundings
from geodns.geo.asn import AsnTable
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.status import Override, Verdict, Word
from geodns.steering.choose import Why

SECRETS = (b"\1" * 16, b"\2" * 16)
TRUSTED = [ip_network(text) for text in ("8.0.0.0/7", "127.0.0.0/8", "::/0")]
DEBUG_SOURCES = [ip_network(text) for text in ("127.0.0.0/8", "::1/128", "192.0.2.0/24")]
DIFFERENCES_MAX = 5
GENERATIONS = 4
"""For each play; those before the newest are asked on, as by a worker that is late."""
ROUNDS = 4
"""States of health for each generation."""


@dataclass
class Outcome:
    """Shape: ``kinds`` counts what became of packets, so that a test sees that all occur."""

    asked: int = 0
    generations: int = 0
    slots_reused: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    """One generation in both engines."""

    reference: Responder
    native: _native.Engine
    rows: dict[bytes, int]

    def counted(self, resolver: str) -> tuple[int, int, int, list[int]]:
        """What the reference would count of the packet answered last, as `_native.Engine.seen`."""
        query, reply = self.reference.query, self.reference.reply
        of = query.qtype if query is not None and query.qname else 0
        kind = NUMBERS.index(of) if of in NUMBERS else len(NUMBERS)
        address = ip_address(resolver)
        mapped = address.ipv4_mapped if address.version == 6 else None
        if address.version == 6 and mapped is None:
            kind += len(NUMBERS) + 1
        if reply is None:
            return 0, kind, 0, []
        return self.rows.get(reply.zone, 0), kind, int(reply.why), list(reply.slots)


def play(directory: Path, world: World, seed: int, count: int, outcome: Outcome) -> None:
    """Ask ``count`` packets of generations that are put up one after the other, in several
    states of health each."""
    rng = random.Random(f"health {seed}")
    fleets = [make_fleet(seed + number * 1_000_003) for number in range(GENERATIONS)]
    configs = [from_document(fleet.document) for fleet in fleets]
    if any(check(config) for config in configs):  # chance drew what no document may say
        return
    stage = _Stage(directory, world, rng, fleets, configs)
    mint = Mint(fleets, seed)
    while stage.put_up():
        for _ in range(ROUNDS):
            stage.change_health()
            pair = rng.choice((*stage.pairs, stage.pairs[-1], stage.pairs[-1]))
            asked = mint.batch(count // (GENERATIONS * ROUNDS))
            for packet in _with_cookies(asked, pair.native):
                _ask(packet, pair, seed, outcome)
    outcome.generations += len(stage.pairs)
    outcome.slots_reused += stage.slots_reused


@cache
def known_asns() -> AsnTable:
    """Every /12 and /16 belongs to one of few systems, or to none."""
    rng = random.Random("systems")
    drawn = [rng.choice((0, 0, *ASNS)) for _ in range(2**12 + 2**16)]
    four, six = np.array(drawn[: 2**12], np.uint32), np.array(drawn[2**12 :], np.uint32)
    return AsnTable(
        np.arange(2**12, dtype=np.uint32) << np.uint32(20),
        four,
        np.arange(2**16, dtype=np.uint64) << np.uint64(48),
        six,
        "0" * 64,
    )


class _Stage:
    """The generations of one play and the one status table they share."""

    def __init__(
        self,
        directory: Path,
        world: World,
        rng: random.Random,
        fleets: list[Fleet],
        configs: list[Config],
    ) -> None:
        self.pairs: list[Pair] = []
        self.slots_reused = 0
        self._rng = rng
        self._configs = configs
        self._around = _around(rng)
        # No slot more than two generations need: so the third takes those of the first.
        targets = [set(fleet.addresses) for fleet in fleets]
        slots = max(len(a | b) for a, b in pairwise(targets))
        self._lab = Lab(directory, world, configs[0], slots=slots, asns=known_asns)
        self._slots = slots
        self._owners: dict[int, int] = {}

    def put_up(self) -> bool:
        """Make and load the next generation; False when there is none left."""
        number = len(self.pairs)
        if number == len(self._configs):
            return False
        if number:
            budget = self._rng.choice((0, 2**20, 64 * 2**20))
            self._lab.serve(
                self._configs[number],
                slots=self._slots,
                acknowledged=number,
                view_budget=budget,
            )
        for slot, tag in self._lab.slot_of.values():
            self.slots_reused += self._owners.get(slot, tag) != tag
            self._owners[slot] = tag
        reference = Responder(self._lab.generation, self._lab.status, self._around)
        rows = {apex: row for row, apex in enumerate(self._lab.generation.zones, 2)}
        native = _native.Engine(
            _sections(self._lab), self._lab.status.table, _native_around(self._around), rows
        )
        self.pairs.append(Pair(reference, native, rows))
        return True

    def change_health(self) -> None:
        """Another health for most targets of the newest generation; some words stay as their
        slots' last owners left them."""
        rng, lab = self._rng, self._lab
        ill, plain = rng.choice((0.0, 0.2, 0.5, 0.9, 0.95, 1.0)), rng.choice((8, 200))
        loaded = rng.choice((0.0, 0.3, 1.0))
        for slot, tag in lab.slot_of.values():
            draw = rng.random()
            if draw < 0.15:
                continue
            if draw < 0.2:  # whatever bits a writer of another version might set
                lab.status.words[slot] = rng.getrandbits(32) | tag << 32
                continue
            word = Word(
                tag,
                Verdict.DOWN if rng.random() < ill else rng.choice((Verdict.UP, Verdict.UNKNOWN)),
                rng.random() < 0.1,
                rng.choice((Override.NONE,) * plain + (Override.UP, Override.DOWN)),
                rng.choice((255, 255, 255, 128, 0)),
                rng.choice((0, 0, 6000, 40_000, 65_535)) if rng.random() < loaded else 0,
            )
            lab.status.write(slot, word)
        lab.status.write(0, Word.unpack(lab.status.words[0]))  # the epoch goes up in any case


def _ask(asked: Asked, pair: Pair, seed: int, outcome: Outcome) -> None:
    packet, resolver, tcp = asked
    theirs = pair.native.respond(packet, resolver, tcp=tcp, now_s=int(NOW_S))
    outcome.asked += 1
    kinds = outcome.kinds
    if theirs is NotImplemented:
        kinds["deferred"] += 1
        return
    ours = pair.reference.respond(packet, resolver, tcp=tcp)
    if ours is None:
        kinds["dropped"] += 1
    else:
        kinds[f"rcode {ours[3] & 15}"] += 1
        if ours[2] & 2:
            kinds["truncated"] += 1
        elif len(ours) > 1232:
            kinds["large"] += 1
    counted, seen = pair.counted(resolver), pair.native.seen()
    if counted[3]:
        kinds[f"answers: {Why(counted[2]).name.lower()}"] += 1
    if counted != seen and (counted[:2] != seen[:2] or counted[3] or seen[3]):
        outcome.differences.append(
            f"seed {seed}, {resolver}, tcp {tcp}: {packet.hex()} counts {counted}, native {seen}"
        )
    if ours != theirs and len(outcome.differences) < DIFFERENCES_MAX:
        outcome.differences.append(
            f"seed {seed}, {resolver}, tcp {tcp}: {packet.hex()}\n"
            f"  reference {ours.hex() if ours is not None else None}\n"
            f"  native    {theirs.hex() if theirs is not None else None}"
        )


def _with_cookies(asked: Iterator[Asked], native: _native.Engine) -> Iterator[Asked]:
    """Every packet; after some whose reply brings a cookie the same again with that cookie."""
    head = b"\0\x0a\0\x08"
    for packet, resolver, tcp in asked:
        yield packet, resolver, tcp
        if head in packet and packet.count(head) == 1:
            reply = native.respond(packet, resolver, tcp=tcp, now_s=int(NOW_S) - len(packet) * 37)
            at = packet.index(head)
            mine = b"\0\x0a\0\x18" + packet[at + 4 : at + 12]
            if isinstance(reply, bytes) and mine in reply:
                start = reply.index(mine)
                yield _longer(packet, at, reply[start : start + 28]), resolver, tcp


def _longer(packet: bytes, at: int, option: bytes) -> bytes:
    """A packet with its cookie option of 12 octets replaced by one of 28; OPT grows by 16."""
    grown = bytearray(packet[:at] + option + packet[at + 12 :])
    opt = packet.find(b"\0\0\x29", 12)
    if 0 < opt < at:
        size = int.from_bytes(packet[opt + 9 : opt + 11], "big") + 16
        grown[opt + 9 : opt + 11] = size.to_bytes(2, "big")
    return bytes(grown)


def _sections(lab: Lab) -> list[tuple[int, str, bytes]]:
    assert lab.manifest is not None
    return [(entry.kind, entry.name, lab.fetch(entry)) for entry in lab.manifest.sections]


def _around(rng: random.Random) -> Surroundings:
    secrets = SECRETS[: rng.choice((0, 1, 1, 2, 2))]
    return Surroundings(
        nsid=rng.choice((b"lab-1", b"lab-1", b"")),
        jar=CookieJar(secrets, lambda: NOW_S) if secrets else None,
        debug=DebugNames(DEBUG_SOURCES, "lab") if rng.random() < 0.8 else None,
        trusts=None if rng.random() < 0.5 else trust(TRUSTED),
        keepalive=rng.choice((100, 0, 65_535)),
    )


def _native_around(around: Surroundings) -> _native.Around:
    def pairs(
        networks: list[IPv4Network | IPv6Network],
    ) -> list[tuple[IPv4Address | IPv6Address, int]]:
        return [(network.network_address, network.prefixlen) for network in networks]

    return _native.Around(
        nsid=around.nsid,
        cookie_secrets=list(around.jar._secrets) if around.jar else [],
        debug_sources=pairs(DEBUG_SOURCES) if around.debug else None,
        identity=around.debug is not None,
        trusted=pairs(TRUSTED) if around.trusts else None,
        keepalive=around.keepalive,
    )

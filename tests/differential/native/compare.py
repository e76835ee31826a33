"""One fleet, both engines: the first packets on which they differ."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from support.lab import NOW_S, Lab

from differential.native.fleets import Fleet, make_fleet
from differential.native.packets import Asked, packets
from geodns import _native
from geodns.daemon.workers import trust
from geodns.document.check import check
from geodns.document.load import from_document
from geodns.engine.cookies import CookieJar
from geodns.engine.debug import DebugNames
from geodns.engine.responder import Responder, Surroundings
from geodns.geo.world import World
from geodns.snapshot.status import Override, Verdict

SECRETS = (b"\1" * 16, b"\2" * 16)
NSID = b"lab-1"
TRUSTED = [ip_network(text) for text in ("8.0.0.0/7", "127.0.0.0/8", "::/0")]
DEBUG_SOURCES = [ip_network(text) for text in ("127.0.0.0/8", "::1/128", "192.0.2.0/24")]
DIFFERENCES_MAX = 5
ROUNDS = 4
"""States of health for each fleet."""


@dataclass
class Outcome:
    """Shape: ``kinds`` counts what became of packets, so that a test sees that all occur."""

    asked: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


def play(directory: Path, world: World, seed: int, count: int, outcome: Outcome) -> None:
    """Ask one fleet ``count`` packets in several states of health."""
    fleet = make_fleet(seed)
    rng = random.Random(f"health {seed}")
    config = from_document(fleet.document)
    if check(config):  # chance drew what no document may say
        return
    lab = Lab(directory, world, config)
    reference = Responder(lab.generation, lab.status, _around(rng.random() < 0.5))
    native = _native.Engine(_sections(lab), lab.status.words, _native_around(reference))
    asked = packets(fleet, seed, count)
    for turn in range(ROUNDS):
        if turn:
            _fall_ill(rng, lab, fleet)
        for _, packet in zip(range(count // ROUNDS), _with_cookies(asked, native), strict=False):
            _ask(packet, reference, native, seed, outcome)


def _ask(
    asked: Asked, reference: Responder, native: _native.Engine, seed: int, outcome: Outcome
) -> None:
    packet, resolver, tcp = asked
    theirs = native.respond(packet, resolver, tcp=tcp, now_s=int(NOW_S))
    outcome.asked += 1
    if theirs is NotImplemented:
        _count(outcome, "deferred")
        return
    ours = reference.respond(packet, resolver, tcp=tcp)
    _count(outcome, "dropped" if ours is None else f"rcode {ours[3] & 15}")
    if ours != theirs and len(outcome.differences) < DIFFERENCES_MAX:
        outcome.differences.append(
            f"seed {seed}, {resolver}, tcp {tcp}: {packet.hex()}\n"
            f"  reference {ours.hex() if ours is not None else None}\n"
            f"  native    {theirs.hex() if theirs is not None else None}"
        )


def _with_cookies(asked: Iterator[Asked], native: _native.Engine) -> Iterator[Asked]:
    """Every packet; after some whose reply brings a cookie the same again with that cookie."""
    for packet, resolver, tcp in asked:
        yield packet, resolver, tcp
        head = b"\0\x0a\0\x08"
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


def _around(trusting: bool) -> Surroundings:
    return Surroundings(
        nsid=NSID,
        jar=CookieJar(SECRETS, lambda: NOW_S),
        debug=DebugNames(DEBUG_SOURCES, "lab"),
        trusts=None if trusting else trust(TRUSTED),
    )


def _native_around(reference: Responder) -> _native.Around:
    trusting = reference._around.trusts is None
    return _native.Around(
        nsid=NSID,
        cookie_secrets=list(SECRETS),
        debug_sources=[(n.network_address, n.prefixlen) for n in DEBUG_SOURCES],
        identity=True,
        trusted=None if trusting else [(n.network_address, n.prefixlen) for n in TRUSTED],
    )


def _fall_ill(rng: random.Random, lab: Lab, fleet: Fleet) -> None:
    """Another health for every target."""
    ill = rng.choice((0.0, 0.2, 0.5, 0.9, 1.0))
    for text in fleet.addresses:
        if (text, None) in lab.slot_of:
            lab.set(
                text,
                Verdict.DOWN if rng.random() < ill else rng.choice((Verdict.UP, Verdict.UNKNOWN)),
                override=rng.choice((Override.NONE,) * 8 + (Override.UP, Override.DOWN)),
                unsettled=rng.random() < 0.1,
                weight_factor=rng.choice((255, 255, 255, 128, 0)),
            )


def _count(outcome: Outcome, kind: str) -> None:
    outcome.kinds[kind] = outcome.kinds.get(kind, 0) + 1

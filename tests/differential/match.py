"""One world asked of geodns and of its peers: what agrees, what is explained, what is not."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import dns.name
from support.build import config
from support.lab import Lab

from differential.compare import Records, Seen, differences, read, repeats
from differential.explained import CHAIN_MAX, EXPLAINED, Case
from differential.peers import HOST, Peer, running_peers
from differential.questions import Question, questions
from differential.worlds import World, absolute, make_world
from geodns.geo.world import World as GeoWorld

LEAVES_GLUE_OUT = "leaves glue out over UDP instead of TC"
"""Knot and NSD do so where they think what is left is enough. RFC 9471 section 3 asks for TC
for the glue below the cut; we set it for all."""


@dataclass
class Outcome:
    """What a run has found.

    Shape: ``explained`` by name and maker, ``faults`` by maker and the parts that differ.
    """

    asked: int = 0
    compared: int = 0
    truncated: int = 0
    explained: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: defaultdict[tuple[str, ...], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )


@contextmanager
def stage(
    directory: Path, geography: GeoWorld, ours: World, theirs: World | None = None
) -> Iterator[Match]:
    """geodns and the installed peers, ready to be asked."""
    (directory / "lab").mkdir()
    lab = Lab(directory / "lab", geography, config(zones=ours.document()))
    zones = (theirs or ours).zones
    files = {absolute(zone.apex): zone.master_file(_soa(lab, zone.apex)) for zone in zones}
    with running_peers(directory, files) as peers:
        for peer in peers:
            peer.await_zones([Question(zone.apex, "SOA").packet(1) for zone in zones])
        yield Match(ours, lab, peers)


def play(directory: Path, geography: GeoWorld, seed: int, count: int, outcome: Outcome) -> None:
    """One world with ``count`` questions."""
    world = make_world(seed)
    with stage(directory, geography, world) as match:
        match.play(questions(world, random.Random(seed), count), outcome)


class Match:
    """geodns in memory, the peers as servers, all with the zones of one world."""

    def __init__(self, world: World, lab: Lab, peers: list[Peer]) -> None:
        self.world, self.lab, self.peers = world, lab, peers
        self._number = 0

    def play(self, asked: Iterable[Question], outcome: Outcome) -> None:
        """Ask all questions, and add what is found to ``outcome``."""
        for question in asked:
            outcome.asked += 1
            ours = self._ask_us(question, outcome)
            for peer in self.peers:
                self._compare(question, ours, peer, outcome)

    def _ask_us(self, question: Question, outcome: Outcome) -> Seen:
        """Our whole reply. Over UDP it is the same, or cut because it would not fit."""
        packet = self._packet(question)
        whole = self.lab.raw(packet, HOST, tcp=True)
        assert whole is not None
        seen = read(whole)
        if repeats(whole, seen):
            outcome.faults["geodns", "repeats"].append(f"{question}: {whole.hex()}")
        if not question.tcp:
            octets = self.lab.raw(packet, HOST)
            assert octets is not None
            limit = min(max(question.payload or 512, 512), 1232)
            cut = len(whole) > limit
            outcome.truncated += cut
            if (bool(octets[2] & 2), len(octets) <= limit) != (cut, True) or (
                not cut and octets != whole
            ):
                outcome.faults["geodns", "udp"].append(f"{question}: {octets.hex()}")
        return seen

    def _compare(self, question: Question, ours: Seen, peer: Peer, outcome: Outcome) -> None:
        outcome.compared += 1
        theirs = self._ask(peer, question, tcp=question.tcp)
        left = differences(ours, theirs)
        if left and not question.tcp:
            over_tcp = self._ask(peer, question, tcp=True)
            if theirs != over_tcp and replace(theirs, additional=over_tcp.additional) == over_tcp:
                outcome.explained[LEAVES_GLUE_OUT, peer.maker] += 1
            theirs = over_tcp
            left = differences(ours, theirs)
        case = Case(self.world, question, ours, theirs)
        for known in EXPLAINED:
            if left & known.parts and peer.maker in known.makers and known.holds(case):
                left -= known.parts
                outcome.explained[known.name, peer.maker] += 1
        if left:
            outcome.faults[peer.maker, *sorted(left)].append(
                f"seed {self.world.seed} {question}\n{_apart(ours, theirs, left)}"
            )

    def _ask(self, peer: Peer, question: Question, *, tcp: bool) -> Seen:
        """What a peer says of the question, in all zones.

        Peers follow aliases within the zone that was asked, even where a name lies in a deeper
        zone of theirs; we go on in all of ours, and so does this.
        """
        packet = self._packet(question)
        octets = peer.ask(packet, tcp=tcp)
        if octets[2] & 2:  # TC
            octets = peer.ask(packet, tcp=True)
        seen = read(octets)
        asked, met = question.name, {question.name}
        while question.rtype != "CNAME" and seen.rcode in (0, 3):
            step = self._step_out(seen, asked)
            if step is None or step in met or len(met) > CHAIN_MAX:
                break
            met.add(step)
            more = read(peer.ask(self._packet(Question(step, question.rtype)), tcp=True))
            seen = seen.until(step).followed_by(more)
            asked = step
        return seen

    def _step_out(self, seen: Seen, name: dns.name.Name) -> dns.name.Name | None:
        """The first name after an alias that lies in another of our zones than its owner."""
        for target in seen.path(name):
            home = self.world.home(target)
            if home is not self.world.home(name):
                return None if home is None else target
            name = target
        return None

    def _packet(self, question: Question) -> bytes:
        self._number += 1
        return question.packet(self._number)


def _soa(lab: Lab, apex: dns.name.Name) -> str:
    """The SOA that we serve, serial and all; others get the same."""
    answer = lab.ask(apex.to_text(), "SOA", edns=False).answer
    return answer[0][0].to_text()


def _apart(ours: Seen, theirs: Seen, parts: Iterable[str]) -> str:
    """What each says that the other does not."""
    lines = []
    for part in sorted(parts):
        mine, other = getattr(ours, part), getattr(theirs, part)
        if isinstance(mine, frozenset):
            mine, other = _shown(mine - other), _shown(other - mine)
        lines.append(f"  {part}: ours {mine}, theirs {other}")
    return "\n".join(lines)


def _shown(records: Records) -> list[str]:
    return sorted(f"{o} {t} {ttl} {d.hex()[:80]}" for o, t, ttl, d in records)

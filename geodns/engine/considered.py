"""Who was considered for an answer, and why each may give it or not: for `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice

from geodns.dns import names
from geodns.engine.explanation import Considered
from geodns.engine.generation import Location
from geodns.engine.pools import PoolNames
from geodns.engine.steered import Ready
from geodns.geo.distance import great_circle_km
from geodns.snapshot.status import Override, StatusTable, Verdict
from geodns.steering.tables import NAME, Chain, Link, Member, Target
from geodns.steering.words import is_usable, shed_share

CANDIDATES_MAX = 12
"""Members shown. Source: no reference; with the other lines they fit one UDP reply of TXT."""

REFUSING_MAX = 3
"""Nodes of one pool shown that do not serve the user; where one does not, often many do not."""

_Address = tuple[Link, int, Member, Target, str]
"""One address of a member, the number of its tier and its mark."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Looks along a chain. Shape: ``subject`` is whom we steer by, ``place`` where that is."""

    chain: Chain
    ready: Ready
    family: int
    status: StatusTable
    names: PoolNames
    subject: str
    place: Location | None
    now_ms: int

    def considered(self) -> list[Considered]:
        """The first of the chain, and one at least of those who answer."""
        everybody = self._addresses()
        shown = list(islice(everybody, CANDIDATES_MAX))
        if not any(mark == "+" for *_, mark in shown):
            shown += [address for address in everybody if address[-1] == "+"][:1]
        told = [self._told(*address) for address in shown]
        return told + list(self._refusing())[: max(0, CANDIDATES_MAX - len(told))]

    def _addresses(self) -> Iterator[_Address]:
        decision = self.ready.decision
        answering = {c.member.node for tier in decision.tiers for c in tier}
        for link in self.chain:
            deciding = decision.pool is not None and link.pool.number == decision.pool.number
            for tier, members in enumerate(link.tiers(), 1):
                for member in members:
                    for target in member.targets(self.family):
                        mark = "." if self._is_usable(link, member, target) else "-"
                        if mark == "." and deciding and member.node in answering:
                            mark = "+"
                        yield link, tier, member, target, mark

    def _is_usable(self, link: Link, member: Member, target: Target) -> bool:
        if (link.pool.number, member.node) in self.ready.decision.passed:
            return False
        word = self.status.word(target.slot, target.tag).pack()
        return is_usable(word, ignore=self.ready.decision.failing_open)

    def _told(self, link: Link, tier: int, member: Member, target: Target, mark: str) -> Considered:
        word = self.status.word(target.slot, target.tag)
        note = self.status.note(target.slot)
        mine = self.status.words[target.slot] >> 32 == target.tag
        since_ms = note.since_ms if mine else 0
        return Considered(
            node=self.names.nodes[member.node],
            address=target_text(target.address, self.family),
            pool=self.names.pools[link.pool.number],
            tier=tier,
            mark=mark,
            state=_state(word.verdict, word.override),
            distance_km=self._distance_km(member),
            since_s=round((self.now_ms - since_ms) / 1000, 1) if since_ms else None,
            reason=self._reason(link, note.reason if mine else ""),
            shed_percent=round(shed_share(member, self.status.words) / 655.36, 1),
            sends_away=(link.pool.number, member.node) in self.ready.decision.passed,
        )

    def _reason(self, link: Link, reason: str) -> str:
        monitor = self.names.monitors[link.pool.number]
        if monitor is None:
            return "no monitor"
        return f"{monitor}: {reason}" if reason else f"{monitor}: not probed yet"

    def _distance_km(self, member: Member) -> float | None:
        if self.place is None:
            return None
        here = (self.place.latitude, self.place.longitude)
        return round(great_circle_km(*here, *self.names.points[member.node]), 1)

    def _refusing(self) -> Iterator[Considered]:
        """Nodes that never answer this user, for whom they serve and refuse."""
        for link in self.chain:
            places = (n for n in range(len(link.pool.places)) if not link.serves(n))
            members = (member for place in places for member in link.pool.places[place])
            for member in islice(members, REFUSING_MAX):
                yield Considered(
                    node=self.names.nodes[member.node],
                    address="",
                    pool=self.names.pools[link.pool.number],
                    tier=0,
                    mark="-",
                    state=f"does not serve {self.subject}",
                    distance_km=self._distance_km(member),
                    since_s=None,
                    reason="",
                )


def _state(verdict: Verdict, override: Override) -> str:
    if override is not Override.NONE:
        return f"{override.name.lower()} by override"
    return verdict.name.lower()


def target_text(address: bytes, family: int) -> str:
    """An address or name as a person writes it."""
    return names.to_url(address) if family == NAME else str(ip_address(address))

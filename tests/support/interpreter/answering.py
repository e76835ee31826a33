"""One question's answer: who is asked for, who is left, and what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from support.interpreter.choosing import CNAME, Candidate, Chooser, Decision, Healths, Link
from support.interpreter.draws import (
    ARM,
    STICKY,
    USER_BITS,
    key_of,
    mix,
    rendezvous,
    user,
    weighted,
)
from support.interpreter.geography import Geography, Point
from support.interpreter.matching import Body, members
from support.interpreter.ranking import PoolPlaces, Ranking
from support.interpreter.subjects import Question, Subject, subject_of
from support.interpreter.views import View, sticky_bits


@dataclass(frozen=True)
class Answer:
    """Shape: no addresses is NODATA. ``settled`` is everything but a weighted draw: the same
    for all within the scope. ``scope`` is the shortest that is true; one of ``edes`` is told."""

    addresses: tuple[str, ...]
    ttl: int
    scope: int
    by_ecs: bool
    edes: tuple[str, ...]
    settled: object


class Interpreter:
    """A document, the geo data, and the salts of its names.

    Shape: ``distrusted`` are resolvers whose client subnets do not count.
    """

    def __init__(
        self,
        document: Body,
        geography: Geography,
        salts: Mapping[str, int],
        default: Point | None = None,
        distrusted: Sequence[str] = (),
    ) -> None:
        self.document = document
        self.geography = geography
        self.salts = salts
        self.distrusted = distrusted
        self.places = {pool_id: PoolPlaces(document, pool_id) for pool_id in document["pools"]}
        (self.zone,) = document["zones"].values()
        self.views = {
            owner: View(document, steer, self.places, geography, default)
            for owner, steer in self.zone["steers"].items()
        }

    def answer(self, question: Question, healths: Healths) -> Answer:
        """The answer to one question. Errors: Undecided."""
        view = self.views[question.owner]
        steered = self.zone.get("ecs", True) and view.steer.get("ecs", True)
        ecs = steered and question.resolver not in self.distrusted
        subject = subject_of(view, question, ecs=ecs)
        assert subject.cell.rule is not None
        arms, at = view.arms[subject.cell.rule], 0
        salt = self.salts[question.owner]
        if sum(weight > 0 for _, weight, _ in arms) > 1:
            at = self._arm(salt, subject, [(pool, weight) for pool, weight, _ in arms])
        elif len(arms) > 1:
            at = next(i for i, arm in enumerate(arms) if arm[1] > 0)
        links = [
            Link(pool, self._nodes(pool, ranking))
            for pool, ranking in zip(arms[at][2], subject.cell.rankings[at], strict=True)
        ]
        chooser = Chooser(self.document, healths)
        family = self._family(arms[at][2], question.rtype)
        decision = chooser.decide(links, family, salt, subject.value, subject.version)
        ttl = view.steer.get("ttl", 30) if decision.settled else view.steer.get("ttl_min", 5)
        edes = self._edes(view, subject, decision, chooser.has_family(links, family))
        chosen, order = self._draw(decision, salt, subject, question.message_id)
        return Answer(
            tuple(address for candidate in chosen for address in candidate.addresses),
            ttl if chosen else int(self.zone["negative_ttl"]),
            subject.scope,
            subject.by_ecs,
            edes,
            (decision, order),
        )

    def _arm(self, salt: int, subject: Subject, arms: list[tuple[str, int]]) -> int:
        base = mix(mix(salt, ARM), user(subject.value, subject.version, USER_BITS[subject.version]))
        live = [i for i, (_, weight) in enumerate(arms) if weight > 0]
        keys = [key_of(arms[i][0]) for i in live]
        return live[rendezvous(base, keys, [arms[i][1] for i in live])[0]]

    def _nodes(self, pool_id: str, ranking: Ranking) -> list[list[str]]:
        places = self.places[pool_id]
        tiers = places.all_tiers(ranking)
        return [[node for place in tier for node in places.places[place]] for tier in tiers]

    def _family(self, chain: Sequence[str], rtype: str) -> int:
        ids = (node for pool in chain for node in members(self.document, pool))
        if any("cname" in self.document["nodes"][node] for node in ids):
            return CNAME
        return 4 if rtype == "A" else 6

    def _edes(
        self, view: View, subject: Subject, decision: Decision, has_family: bool
    ) -> tuple[str, ...]:
        """What is told when steering is degraded (design, section 6), "" for nothing.

        Where all who can be seen are of one class, it may be told or not that a place is
        unknown: the geo data may have other places that nobody is at.
        """
        if decision.pool_id is None and has_family:
            return ("no usable node",)
        if decision.failing_open and decision.tiers:
            return ("failing open",)
        spot = self.geography.spot(subject.version, subject.value)
        if spot.kind == "place" or subject.cell != view.unknown:
            return ("",)
        return ("location unknown",) if view.place_matters else ("location unknown", "")

    def _draw(
        self, decision: Decision, salt: int, subject: Subject, message_id: int
    ) -> tuple[list[Candidate], object]:
        """The nodes of the answer; and, where no message ID has part in it, their order."""
        if decision.pool_id is None:
            return [], None
        pool = self.document["pools"][decision.pool_id]
        spread, wanted = pool.get("spread", "weighted"), pool.get("answers", 1)
        draw = mix(salt, subject.value ^ message_id << 32)
        chosen: list[Candidate] = []
        for tier in decision.tiers:
            count = wanted - len(chosen)
            if spread == "first" or len(tier) == 1:
                at = list(range(len(tier)))[:count]
            elif spread == "weighted":
                at, draw = weighted(draw, [c.weight for c in tier], count)
            else:
                own = user(subject.value, subject.version, sticky_bits(pool, subject.version))
                base = mix(mix(salt, STICKY), own)
                keys = [key_of(candidate.node) for candidate in tier]
                at = rendezvous(base, keys, [c.weight for c in tier])[:count]
            chosen += [tier[i] for i in at]
            wanted = pool.get("min_answers", 1)
            if len(chosen) >= wanted:
                break
        return chosen, None if spread == "weighted" else tuple(chosen)

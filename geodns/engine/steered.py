"""Steered answers made ready: per class and family, until the status words change."""

from __future__ import annotations

from dataclasses import dataclass

from geodns.dns.message import EDE_OTHER
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_CNAME
from geodns.engine.generation import Generation
from geodns.engine.zones import QNAME_POINTER, SteerTable, record
from geodns.steering.choose import (
    NAME,
    V4,
    V6,
    Candidate,
    Chain,
    Decision,
    Words,
    decide,
    pick,
)
from geodns.steering.mix import mix

FAMILY_OF = {TYPE_A: V4, TYPE_AAAA: V6, TYPE_CNAME: NAME}

MEMO_MAX = 20_000
"""Ready answers kept at once. Source: 500 octets each, 10 MB of a worker's 120."""

EDE_NOTHING_LEFT = (EDE_OTHER, "no usable node")
EDE_LOCATION_UNKNOWN = (EDE_OTHER, "location unknown")
EDE_FAILING_OPEN = (EDE_OTHER, "failing open: no healthy node")


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer up to its last draw.

    Shape: ``draws`` holds (cumulative weight, records, count) where one node is drawn from
    several; otherwise it is empty and either the fixed ``records`` answer, or ``decision``
    is drawn from in full.
    """

    decision: Decision
    ttl: int
    records: bytes = b""
    count: int = 0
    draws: tuple[tuple[int, bytes, int], ...] = ()
    ede: tuple[int, str] | None = None
    fixed: bool = True


class Steering:
    """Decides for one generation, remembering what the words' epoch allows."""

    def __init__(self, generation: Generation, words: Words) -> None:
        self._generation = generation
        self._words = words
        self._epoch = -1
        self._memo: dict[tuple[int, int, int], Ready] = {}

    def answer(
        self, steer: SteerTable, number: int, rtype: int, epoch: int, value: int
    ) -> tuple[Ready, bytes, int]:
        """The records of one answer, owner as the question's, and their count.

        Shape: ``number`` is the class, ``value`` what the query's draws depend on. Pure in
        the words, which move only together with ``epoch``.
        """
        if epoch != self._epoch or len(self._memo) > MEMO_MAX:
            self._memo.clear()
            self._epoch = epoch
        key = (steer.salt, number, rtype)
        ready = self._memo.get(key)
        if ready is None:
            ready = self._memo[key] = self.ready(steer, number, rtype)
        if ready.fixed:
            return ready, ready.records, ready.count
        if ready.draws:
            point = mix(steer.salt, value) * ready.decision.totals[0] >> 64
            for limit, records, count in ready.draws:
                if point < limit:
                    return ready, records, count
        chosen = pick(ready.decision, steer.salt, value)
        return ready, *_records(chosen, rtype, ready.ttl)

    def addresses(self, steer: SteerTable, number: int, rtype: int, value: int) -> list[bytes]:
        """The addresses that `answer` would give, for hints."""
        chosen = pick(self.ready(steer, number, rtype).decision, steer.salt, value)
        return [address for candidate in chosen for address in candidate.addresses]

    def ready(self, steer: SteerTable, number: int, rtype: int) -> Ready:
        """What the words of this moment leave for a class."""
        view = self._generation.views[steer.view]
        chain = self._generation.chain(view, number)
        decision = decide(chain, self._words, FAMILY_OF[rtype])
        ttl = steer.ttl if decision.settled else steer.ttl_min
        if decision.pool is None or not decision.tiers:
            lost = decision.pool is None and _has_family(chain, FAMILY_OF[rtype])
            ede = EDE_NOTHING_LEFT if lost else None
            return Ready(decision, ttl, ede=ede)
        ede = EDE_FAILING_OPEN if decision.failing_open else None
        tier = decision.tiers[0]
        if len(decision.tiers) > 1 or decision.pool.answers > 1:
            return Ready(decision, ttl, ede=ede, fixed=False)
        if len(tier) == 1 or not decision.pool.weighted:
            records, count = _records(tier[:1], rtype, ttl)
            return Ready(decision, ttl, records, count, ede=ede)
        return Ready(decision, ttl, draws=_draws(tier, rtype, ttl), ede=ede, fixed=False)


def _has_family(chain: Chain, family: int) -> bool:
    """Whether a chain has an IP version at all; one that never had it is not degraded."""
    places = (place for link in chain for place in link.pool.places)
    return any(member.targets(family) for place in places for member in place)


def _draws(tier: tuple[Candidate, ...], rtype: int, ttl: int) -> tuple[tuple[int, bytes, int], ...]:
    limit, draws = 0, []
    for candidate in tier:
        limit += candidate.weight
        draws.append((limit, *_records((candidate,), rtype, ttl)))
    return tuple(draws)


def _records(
    chosen: list[Candidate] | tuple[Candidate, ...], rtype: int, ttl: int
) -> tuple[bytes, int]:
    """All usable addresses of the chosen nodes, owned by the question's name."""
    addresses = [address for candidate in chosen for address in candidate.addresses]
    return (
        b"".join(record(QNAME_POINTER, rtype, ttl, address) for address in addresses),
        len(addresses),
    )

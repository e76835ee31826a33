"""Steered answers made ready: per class, arm and family, until the status words change."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from geodns.dns.message import EDE_OTHER
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_CNAME
from geodns.engine.generation import Generation
from geodns.engine.subject import Subject
from geodns.engine.zones import QNAME_POINTER, SteerTable, record
from geodns.steering.choose import Candidate, Decision, Shedding, decide
from geodns.steering.draw import pick, rivals_of, user_of
from geodns.steering.mix import mix, mix64, scatter
from geodns.steering.rendezvous import Rivals, is_sent_away
from geodns.steering.tables import FIRST, NAME, STICKY, V4, V6, WEIGHTED, Chain, Words

FAMILY_OF = {TYPE_A: V4, TYPE_AAAA: V6, TYPE_CNAME: NAME}

HELD_MAX = 100_000
"""Answers kept ready at once, counting those of each candidate, and favourites of users found.
Source: some 150 octets each, 15 MB of a worker's 120."""

READY_COUNTS = 5
"""What a ready answer counts beside its candidates: its key, decision and tables."""

MANY = 16
"""Candidates from which on a user's favourite is remembered. Source: measured, 0.1 µs each to
find it again; users ask again, resolvers all the time."""

EDE_NOTHING_LEFT = (EDE_OTHER, "no usable node")
EDE_LOCATION_UNKNOWN = (EDE_OTHER, "location unknown")
EDE_FAILING_OPEN = (EDE_OTHER, "failing open: no healthy node")

Records = tuple[bytes, int, tuple[int, ...]]
"""Records whose owner is the question's, how many, and the slots of the nodes they are of."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer up to its last draw.

    Shape: ``fixed`` ones are ``answer``. Where one node is drawn from several, ``each`` has the
    answer of every candidate, with ``limits`` their cumulative weights, or with ``rivals`` and
    ``masks`` of an address what users' favourites are found by; ``favourites`` are positions in
    ``each`` of users met before. Otherwise ``decision`` is drawn from in full. ``arm`` is a
    split's.
    """

    decision: Decision
    ttl: int
    ede: tuple[int, str] | None = None
    fixed: bool = True
    answer: Records = (b"", 0, ())
    each: tuple[Records, ...] = ()
    limits: Sequence[int] = ()
    rivals: Rivals | None = None
    masks: Mapping[int, int] = field(default_factory=dict)
    arm: int = 0
    favourites: dict[int, int] = field(default_factory=dict)


class Steering:
    """Decides for one generation, remembering what the words' epoch allows."""

    def __init__(self, generation: Generation, words: Words) -> None:
        self._generation = generation
        self._words = words
        self._epoch = -1
        self._held = 0
        self._user, self._kept = 0, scatter(0)
        self._memo: dict[Hashable, Ready] = {}

    def answer(
        self, steer: SteerTable, subject: Subject, rtype: int, epoch: int, message_id: int
    ) -> tuple[Ready, bytes, int, tuple[int, ...]]:
        """The records of one answer, owner as the question's, their count, and whose they are.

        Pure in the words, which move only together with ``epoch``.
        """
        ready = self.resolve(steer, subject, rtype, epoch)
        if ready.fixed:
            return ready, *ready.answer
        if ready.limits:
            drawn = mix(steer.salt, subject.value ^ message_id << 32)
            point = drawn * ready.limits[-1] >> 64
            return ready, *ready.each[bisect_right(ready.limits, point)]
        if ready.rivals is not None:
            return ready, *ready.each[self._favourite(ready, ready.rivals, steer, subject)]
        chosen = self.pick(ready, steer, subject, message_id)
        return ready, *_records(chosen, rtype, ready.ttl)

    def addresses(
        self, steer: SteerTable, subject: Subject, rtype: int, epoch: int, message_id: int
    ) -> list[bytes]:
        """The addresses that `answer` would give, for hints."""
        ready = self.resolve(steer, subject, rtype, epoch)
        chosen = self.pick(ready, steer, subject, message_id)
        return [address for candidate in chosen for address in candidate.addresses]

    def pick(
        self, ready: Ready, steer: SteerTable, subject: Subject, message_id: int
    ) -> list[Candidate]:
        """The nodes that `answer` gives."""
        decision = ready.decision
        return pick(decision, _drawn(decision, steer, subject, message_id))

    def resolve(self, steer: SteerTable, subject: Subject, rtype: int, epoch: int) -> Ready:
        """What the words of this moment leave for a user: the arm, without whom load sends the
        user away from."""
        if epoch != self._epoch or self._held > HELD_MAX:
            self._memo.clear()
            self._held, self._epoch = 0, epoch
        destination = subject.destination
        arm = destination.only
        if destination.is_split:
            arm = destination.draw(mix64(steer.split_salt ^ self._scattered(subject.user)))
        key = (steer.salt, subject.number, rtype, arm)
        ready = self._memo.get(key)
        if ready is None:
            chain = self._chain(steer, subject, arm)
            decision = decide(chain, self._words, FAMILY_OF[rtype])
            ready = self._keep(key, _ready(decision, chain, steer, rtype, arm))
        if ready.decision.sheds:
            return self._unloaded(ready, steer, subject, rtype)
        return ready

    def _scattered(self, user: int) -> int:
        """`scatter`, kept for the next draw: a split and a sticky pool mostly know a user by as
        many bits."""
        if user != self._user:
            self._user, self._kept = user, scatter(user)
        return self._kept

    def _favourite(self, ready: Ready, rivals: Rivals, steer: SteerTable, subject: Subject) -> int:
        """The position of the node that a user is given of several."""
        user = subject.value & ready.masks[subject.version]
        if len(ready.each) < MANY:
            return rivals.winner(mix64(steer.sticky_salt ^ self._scattered(user)))
        found = ready.favourites.get(user)
        if found is None:
            found = rivals.winner(mix64(steer.sticky_salt ^ self._scattered(user)))
            ready.favourites[user] = found
            self._held += 1
        return found

    def _unloaded(self, ready: Ready, steer: SteerTable, subject: Subject, rtype: int) -> Ready:
        """The answer without those whose load sends this user away, however many in a row."""
        base = mix64(steer.shed_salt ^ self._scattered(subject.user))
        key = (steer.salt, subject.number, rtype, ready.arm)
        known = self._memo.get((*key, base))
        if known is not None:
            return known

        def sends_away(shed: Shedding) -> bool:
            return is_sent_away(base, shed.key, shed.share)

        gone = frozenset((s.pool, s.node) for s in ready.decision.sheds if sends_away(s))
        if not gone:
            return ready
        found = self._memo.get((*key, gone))  # mostly another user was sent away by the same
        if found is None or any(map(sends_away, found.decision.sheds)):
            chain = self._chain(steer, subject, ready.arm)
            decision = decide(chain, self._words, FAMILY_OF[rtype], sends_away)
            made = _ready(decision, chain, steer, rtype, ready.arm)
            found = self._keep((*key, decision.passed), made)
        self._memo[*key, base] = found
        self._held += 1
        return found

    def _chain(self, steer: SteerTable, subject: Subject, arm: int) -> Chain:
        view = self._generation.views[steer.view]
        return self._generation.chain(view, subject.number, subject.destination.arms[arm])

    def _keep(self, key: Hashable, ready: Ready) -> Ready:
        self._memo[key] = ready
        self._held += READY_COUNTS + len(ready.each) + len(ready.decision.passed)
        return ready


def _ready(decision: Decision, chain: Chain, steer: SteerTable, rtype: int, arm: int) -> Ready:
    """A decision's answer up to its last draw."""
    ttl = steer.ttl if decision.settled else steer.ttl_min
    pool = decision.pool
    if pool is None or not decision.tiers:
        lost = pool is None and _has_family(chain, FAMILY_OF[rtype])
        ede = EDE_NOTHING_LEFT if lost else None
        return Ready(decision, ttl, ede, arm=arm)
    ede = EDE_FAILING_OPEN if decision.failing_open else None
    tier = decision.tiers[0]
    if len(decision.tiers) > 1 or pool.answers > 1:
        return Ready(decision, ttl, ede, fixed=False, arm=arm)
    each = tuple(_records((candidate,), rtype, ttl) for candidate in tier)
    if len(tier) == 1 or pool.spread == FIRST:
        return Ready(decision, ttl, ede, answer=each[0], arm=arm)
    weights = [candidate.weight for candidate in tier]
    return Ready(
        decision,
        ttl,
        ede,
        fixed=False,
        each=each,
        limits=list(accumulate(weights)) if pool.spread == WEIGHTED else (),
        rivals=rivals_of(tier) if pool.spread == STICKY else None,
        masks={v: user_of(-1, v, bits) for v, bits in pool.sticky_bits.items()},
        arm=arm,
    )


def _drawn(decision: Decision, steer: SteerTable, subject: Subject, message_id: int) -> int:
    """What the nodes of an answer are drawn by: each query's own, or with sticky each user's."""
    pool = decision.pool
    if pool is not None and pool.spread == STICKY:
        bits = pool.sticky_bits[subject.version]
        return mix(steer.sticky_salt, user_of(subject.value, subject.version, bits))
    return mix(steer.salt, subject.value ^ message_id << 32)


def _has_family(chain: Chain, family: int) -> bool:
    """Whether a chain has an IP version at all; one that never had it is not degraded."""
    return any(member.targets(family) for link in chain for member in link.pool.members())


def _records(chosen: Sequence[Candidate], rtype: int, ttl: int) -> Records:
    """All usable addresses of the chosen nodes, owned by the question's name."""
    addresses = [address for candidate in chosen for address in candidate.addresses]
    return (
        b"".join(record(QNAME_POINTER, rtype, ttl, address) for address in addresses),
        len(addresses),
        tuple(candidate.slot for candidate in chosen),
    )

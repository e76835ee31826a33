"""Which nodes may answer: the chain of pools, their tiers, and the status words of the moment.

`decide` finds the deciding tier of a class; it depends on the words and on whom load sends the
user away from, so an engine may keep its result until the words' epoch moves. `draw.pick` takes
the answer from it for one query. The rules are those of FORMAT.md, "Choosing", but for one saving:
whoever would send the user away is passed over in one walk. That finds what is found by deciding
again and again, for each time only those are passed who stand in the way of what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from geodns.steering.tables import V4, V6, Chain, Link, Member, PoolTable, Words
from geodns.steering.words import (
    all_settled,
    is_up,
    is_usable,
    shed_share,
    weight_factor,
    word_of,
)

Passed = Set[tuple[int, int]]
"""Numbers of pool and node of the members that send a user away."""

NOBODY: Passed = frozenset()


class Why(IntEnum):
    """Why a node answers, for people who watch: of all that is true, the greatest."""

    PREFERRED = 0
    """It is in the first tier of where the catch-all sends users."""
    RULE = 1
    """It is in the first tier of where a rule sends users."""
    NEXT_TIER = 2
    """Nobody in the tiers before could answer."""
    FALLBACK = 3
    """No pool before its own in the chain could answer."""
    LOAD = 4
    """Somebody whose turn it was sends the user away."""
    FAIL_OPEN = 5
    """Nobody is up."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may answer now, with its weight, its usable addresses, and the slot of the
    first of them."""

    member: Member
    weight: int
    addresses: tuple[bytes, ...]
    slot: int


class Shedding(NamedTuple):
    """A member that sends away ``share`` users of 65,536."""

    pool: int
    node: int
    key: int
    share: int


SendsAway = Callable[[Shedding], bool]
"""Whether a user is among those whom a member sends away."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the words leave of a chain for one IP version.

    Shape: ``tiers[0]`` is the deciding tier; later ones are there only as far as
    ``min_answers`` needs them. No tiers: there is nothing to answer (NODATA). Users whom one of
    ``sheds`` sends away are decided for anew; ``passed`` are those who sent this one away.
    ``why`` is never RULE, for a chain does not know whose it is.
    """

    pool: PoolTable | None = None
    tiers: tuple[tuple[Candidate, ...], ...] = ()
    settled: bool = True
    failing_open: bool = False
    totals: tuple[int, ...] = ()
    sheds: tuple[Shedding, ...] = ()
    passed: Passed = NOBODY
    why: Why = Why.PREFERRED


NOTHING = Decision()


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a walk along the chain goes by."""

    words: Words
    sends_away: SendsAway | None = None
    ignore: bool = False
    heeds_load: bool = True
    passed: set[tuple[int, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Found:
    """The tiers that decide, before anybody asks which of their addresses are usable."""

    pool: PoolTable
    moment: _Moment
    settled: bool
    tiers: list[list[Member]] = field(default_factory=list)
    is_first: bool = True


def decide(
    chain: Chain, words: Words, family: int, sends_away: SendsAway | None = None
) -> Decision:
    """The deciding tier of a chain, for everybody or for one whom some members send away.

    With ``near``, AAAA is answered only from the tier that answers A, lest a far node with
    IPv6 capture users who have both; where no IPv4 is usable, AAAA stands alone.
    """
    leading = (V4, V6) if family == V6 and chain and chain[0].pool.near else (family,)
    for walk in (_healthy, _fail_open):
        for leader in leading:
            found = walk(chain, words, leader, sends_away)
            if found is not None:
                return _decision(found, family, _why(found, chain))
    return NOTHING


def _healthy(
    chain: Chain, words: Words, family: int, sends_away: SendsAway | None
) -> _Found | None:
    """The first usable pool; load alone never leaves a user with nothing, or a dead node."""
    moment = _Moment(words, sends_away)
    found = _walk(chain, moment, family)
    if found is None and moment.passed:
        found = _walk(chain, replace(moment, heeds_load=False), family)
    return found


def _walk(chain: Chain, moment: _Moment, family: int) -> _Found | None:
    """The first usable pool of the chain; asked again with ``min_up`` 1 if none has enough.

    A pool that is passed over decides too: while it is unsettled, users may soon come back.
    """
    settled = True
    reachable = [link for link in chain if link.row]
    for relaxed in (False, True):
        for link in reachable:
            if relaxed or _enough_up(link.pool, moment.words):
                found = _in_pool(link, moment, family, settled)
                if found is not None:
                    return found
            settled = settled and all_settled(link.pool.members(), moment.words)
        if all(link.pool.min_up == 1 for link in reachable):
            break
    return None


def _fail_open(chain: Chain, words: Words, family: int, _: SendsAway | None) -> _Found | None:
    """The chain as if no probe had ever spoken, if its first pool says so; overrides hold."""
    if not chain or not chain[0].pool.open:
        return None
    moment = _Moment(words, ignore=True, heeds_load=False)
    found = (_in_pool(link, moment, family, settled=False) for link in chain)
    return next(filter(None, found), None)


def _in_pool(link: Link, moment: _Moment, family: int, settled: bool) -> _Found | None:
    """The first tier with a usable member, and those behind it that ``min_answers`` needs."""
    tiers: list[list[Member]] = []
    count = 0
    is_first = False
    for number, members in enumerate(link.tiers()):
        if not tiers:
            is_first = number == 0
            settled = settled and all_settled(members, moment.words)
        usable = _candidates(link.pool, members, moment, family)
        if usable and _pass_over(link.pool, members, moment):
            usable = _candidates(link.pool, members, moment, family)
        if usable:
            tiers.append(members)
            count += len(usable)
        if tiers and count >= link.pool.min_answers:
            break
    return _Found(link.pool, moment, settled, tiers, is_first) if tiers else None


def _why(found: _Found, chain: Chain) -> Why:
    moment = found.moment
    if moment.ignore:
        return Why.FAIL_OPEN
    if moment.heeds_load and moment.sends_away is not None:
        return Why.LOAD
    if found.pool.number != chain[0].pool.number:
        return Why.FALLBACK
    return Why.PREFERRED if found.is_first else Why.NEXT_TIER


def _decision(found: _Found, family: int, why: Why) -> Decision:
    """The usable members of the deciding tiers; perhaps none of this IP version (NODATA)."""
    pool, moment = found.pool, found.moment
    candidates = (_candidates(pool, tier, moment, family) for tier in found.tiers)
    tiers = tuple(tier for tier in candidates if tier)
    totals = tuple(sum(candidate.weight for candidate in tier) for tier in tiers)
    sheds: Iterable[Shedding] = ()
    if moment.heeds_load:
        sheds = (shed for tier in found.tiers for shed in _sheds(pool, tier, moment))
    passed = frozenset(moment.passed) or NOBODY
    return Decision(pool, tiers, found.settled, moment.ignore, totals, tuple(sheds), passed, why)


def _pass_over(pool: PoolTable, members: Iterable[Member], moment: _Moment) -> bool:
    """Whether any member sends the user away; those are candidates no more."""
    if moment.sends_away is None or not moment.heeds_load:
        return False
    sheds = list(_sheds(pool, members, moment))
    gone = {(shed.pool, shed.node) for shed in sheds if moment.sends_away(shed)}
    moment.passed.update(gone)
    return bool(gone)


def _sheds(pool: PoolTable, members: Iterable[Member], moment: _Moment) -> Iterable[Shedding]:
    """Who of them sends users away and has not sent away this one."""
    for member in members:
        share = shed_share(member, moment.words)
        if share and (pool.number, member.node) not in moment.passed:
            yield Shedding(pool.number, member.node, member.key, share)


def _candidates(
    pool: PoolTable, members: Iterable[Member], moment: _Moment, family: int
) -> tuple[Candidate, ...]:
    """The usable members. Weight 0 answers only where nothing of positive weight does."""
    passed = moment.passed if moment.heeds_load else NOBODY
    usable = [
        candidate
        for member in members
        if not (passed and (pool.number, member.node) in passed)
        and (candidate := _candidate(member, moment, family)) is not None
    ]
    weighty = tuple(candidate for candidate in usable if candidate.weight)
    if weighty:
        return weighty
    return tuple(Candidate(c.member, 1, c.addresses, c.slot) for c in usable)


def _candidate(member: Member, moment: _Moment, family: int) -> Candidate | None:
    usable = []
    factor = 0
    for target in member.targets(family):
        word = word_of(target, moment.words)
        if is_usable(word, ignore=moment.ignore):
            usable.append(target)
            factor = max(factor, weight_factor(word))
    if not usable:
        return None
    addresses = tuple(target.address for target in usable)
    return Candidate(member, member.weight * factor, addresses, usable[0].slot)


def _enough_up(pool: PoolTable, words: Words) -> bool:
    if pool.min_up == 1:  # finding one is what the walk does anyway
        return True
    return sum(is_up(member, words) for member in pool.members()) >= pool.min_up

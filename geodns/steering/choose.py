"""Which nodes answer: the chain of pools, their tiers, and the status words of the moment.

`decide` finds the deciding tier of a class; it depends on the words alone, so an engine may
keep its result until the words' epoch moves. `pick` draws the answer from it for one query.
The rules are those of ARCHITECTURE.md, "Steering".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain as concatenate

from geodns.steering.mix import GOLDEN, MASK, mix, mix64

V4, V6, NAME = 4, 6, 0
"""What is answered with: an IP version, or the name of a service elsewhere (CNAME)."""

TIER_START = 1 << 31
"""Marks the first place of a tier in a row's items."""

# The bits of a status word; geodns.snapshot.status has the layout and a test holds both equal.
_VERDICT_DOWN = 2
_UNSETTLED = 4
_OVERRIDE_UP, _OVERRIDE_DOWN = 1, 2
_FULL_WEIGHT = 255

Words = Sequence[int]


@dataclass(frozen=True, slots=True)
class Target:
    """One address (packed) or name (wire form) of a node as one monitor sees it, and where its
    status word stands."""

    address: bytes
    slot: int
    tag: int


@dataclass(frozen=True, slots=True)
class Member:
    """A node within a pool. Shape: ``node`` is its number in the generation's names."""

    node: int
    weight: int
    v4: tuple[Target, ...]
    v6: tuple[Target, ...]
    names: tuple[Target, ...] = ()

    def targets(self, family: int) -> tuple[Target, ...]:
        """Its targets of one IP version, or its names."""
        if family == NAME:
            return self.names
        return self.v4 if family == V4 else self.v6

    def all_targets(self) -> tuple[Target, ...]:
        """Its targets of every kind."""
        return (*self.v4, *self.v6, *self.names)


@dataclass(frozen=True, slots=True)
class PoolTable:
    """A pool as it is steered by.

    Shape: ``places[p]`` holds the members that stand together; ``tails[p]`` orders all
    places by distance from place p, for rows that do not name every place.
    """

    places: tuple[tuple[Member, ...], ...]
    tails: Sequence[Sequence[int]] = ()
    weighted: bool = True
    answers: int = 1
    min_answers: int = 1
    min_up: int = 1
    near: bool = True
    open: bool = True
    number: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """One pool of a chain, with the order of its places for one class.

    Shape: items of ``row`` are place numbers, TIER_START set on the first of each tier.
    """

    pool: PoolTable
    row: Sequence[int]

    def tiers(self) -> Iterator[list[Member]]:
        """The members, tier by tier; places beyond the row are tiers of their own."""
        tier: list[Member] = []
        for item in self.row:
            if item & TIER_START and tier:
                yield tier
                tier = []
            tier.extend(self.pool.places[item & ~TIER_START])
        if tier:
            yield tier
        yield from self._tail()

    def _tail(self) -> Iterator[list[Member]]:
        if not self.row or len(self.row) == len(self.pool.places):
            return
        named = {item & ~TIER_START for item in self.row}
        for place in self.pool.tails[self.row[0] & ~TIER_START]:
            if place not in named:
                yield list(self.pool.places[place])


Chain = Sequence[Link]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may answer now, with its weight and usable addresses."""

    member: Member
    weight: int
    addresses: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the words leave of a chain for one IP version.

    Shape: ``tiers[0]`` is the deciding tier; later ones are there only as far as
    ``min_answers`` needs them. No tiers: there is nothing to answer (NODATA).
    """

    pool: PoolTable | None = None
    tiers: tuple[tuple[Candidate, ...], ...] = ()
    settled: bool = True
    failing_open: bool = False
    totals: tuple[int, ...] = field(default=())


NOTHING = Decision()


@dataclass(frozen=True, slots=True)
class _Found:
    """The tiers that decide, before anybody asks which of their addresses are usable."""

    pool: PoolTable
    tiers: list[list[Member]]
    settled: bool
    ignore: bool


def decide(chain: Chain, words: Words, family: int) -> Decision:
    """The deciding tier of a chain. Pure in the words.

    With ``near``, AAAA is answered only from the tier that answers A, lest a far node with
    IPv6 capture users who have both; where no IPv4 is usable, AAAA stands alone.
    """
    led = family == V6 and bool(chain) and chain[0].pool.near
    found = (
        (_healthy(chain, words, V4) if led else None)
        or _healthy(chain, words, family)
        or (_fail_open(chain, words, V4) if led else None)
        or _fail_open(chain, words, family)
    )
    return _decision(found, words, family) if found else NOTHING


def pick(decision: Decision, key: int, value: int) -> list[Candidate]:
    """The nodes of one answer, in order. ``key`` is the name's, ``value`` the query's."""
    pool = decision.pool
    if pool is None or not decision.tiers:
        return []
    wanted = pool.answers
    chosen: list[Candidate] = []
    draw = mix(key, value)
    for tier, total in zip(decision.tiers, decision.totals, strict=True):
        if not pool.weighted or len(tier) == 1:
            chosen.extend(tier[: wanted - len(chosen)])
        else:
            draw = _draw(tier, total, wanted - len(chosen), draw, chosen)
        wanted = pool.min_answers
        if len(chosen) >= wanted:
            break
    return chosen


def _draw(
    tier: tuple[Candidate, ...], total: int, count: int, draw: int, chosen: list[Candidate]
) -> int:
    """Append up to ``count`` candidates by weight, none twice; returns the next draw."""
    left = list(tier)
    for _ in range(min(count, len(tier))):
        point = draw * total >> 64
        for candidate in left:
            point -= candidate.weight
            if point < 0:
                break
        chosen.append(candidate)
        left.remove(candidate)
        total -= candidate.weight
        draw = mix64(draw + GOLDEN & MASK)
    return draw


def _healthy(chain: Chain, words: Words, family: int) -> _Found | None:
    """The first usable pool of the chain; asked again with ``min_up`` 1 if none has enough.

    A pool that is passed over decides too: while it is unsettled, users may soon come back.
    """
    settled = True
    for relaxed in (False, True):
        for link in chain:
            if relaxed or _enough_up(link.pool, words):
                found = _in_pool(link, words, family, settled)
                if found is not None:
                    return found
            members = concatenate.from_iterable(link.pool.places)
            settled = settled and _all_settled(members, words)
        if all(link.pool.min_up == 1 for link in chain):
            break
    return None


def _fail_open(chain: Chain, words: Words, family: int) -> _Found | None:
    """The first pool as if no probe had ever spoken; overrides still hold."""
    if not chain or not chain[0].pool.open:
        return None
    return _in_pool(chain[0], words, family, settled=False, ignore=True)


def _in_pool(
    link: Link, words: Words, family: int, settled: bool, *, ignore: bool = False
) -> _Found | None:
    """The first tier with a usable member, and those behind it that ``min_answers`` needs."""
    found: list[list[Member]] = []
    count = 0
    for members in link.tiers():
        if not found:
            settled = settled and _all_settled(members, words)
        usable = _candidates(members, words, family, ignore=ignore)
        if usable:
            found.append(members)
            count += len(usable)
        if found and count >= link.pool.min_answers:
            break
    return _Found(link.pool, found, settled, ignore) if found else None


def _decision(found: _Found, words: Words, family: int) -> Decision:
    """The usable members of the deciding tiers; perhaps none of this IP version (NODATA)."""
    candidates = (_candidates(tier, words, family, ignore=found.ignore) for tier in found.tiers)
    tiers = tuple(tier for tier in candidates if tier)
    totals = tuple(sum(candidate.weight for candidate in tier) for tier in tiers)
    return Decision(found.pool, tiers, found.settled, found.ignore, totals)


def _candidates(
    members: Iterable[Member], words: Words, family: int, *, ignore: bool
) -> tuple[Candidate, ...]:
    """The usable members. Weight 0 answers only where nothing of positive weight does."""
    usable = [
        candidate
        for member in members
        if (candidate := _candidate(member, words, family, ignore=ignore)) is not None
    ]
    weighty = tuple(candidate for candidate in usable if candidate.weight)
    if weighty:
        return weighty
    return tuple(Candidate(c.member, 1, c.addresses) for c in usable)


def _candidate(member: Member, words: Words, family: int, *, ignore: bool) -> Candidate | None:
    addresses = []
    factor = 0
    for target in member.targets(family):
        word = words[target.slot]
        if word >> 32 != target.tag:  # another target's slot: unknown, which counts as up
            word = _FULL_WEIGHT << 8
        if is_usable(word, ignore=ignore):
            addresses.append(target.address)
            factor = max(factor, word >> 8 & 255)
    return Candidate(member, member.weight * factor, tuple(addresses)) if addresses else None


def is_usable(word: int, *, ignore: bool = False) -> bool:
    """Whether a target may answer; ``ignore`` passes over verdicts, never over overrides."""
    override = word >> 4 & 3
    if override == _OVERRIDE_DOWN:
        return False
    return override == _OVERRIDE_UP or ignore or word & 3 != _VERDICT_DOWN


def _enough_up(pool: PoolTable, words: Words) -> bool:
    if pool.min_up == 1:  # finding one is what the walk does anyway
        return True
    members = concatenate.from_iterable(pool.places)
    up = sum(
        any(_candidate(member, words, family, ignore=False) for family in (V4, V6, NAME))
        for member in members
    )
    return up >= pool.min_up


def _all_settled(members: Iterable[Member], words: Words) -> bool:
    return not any(
        words[target.slot] & _UNSETTLED and words[target.slot] >> 32 == target.tag
        for member in members
        for target in member.all_targets()
    )

"""Chains of pools made by hand, and words for them, for tests of steering."""

from __future__ import annotations

from itertools import count

from geodns.snapshot.status import Override, Verdict, Word
from geodns.steering.choose import Decision
from geodns.steering.tables import TIER_START, Link, Member, PoolTable, Target

UP, DOWN = Verdict.UP, Verdict.DOWN


def link(tiers: list[list[Member]], **fields: int) -> Link:
    """A link whose every member is a place of its own."""
    places = tuple((member,) for tier in tiers for member in tier)
    row, number = [], count()
    for tier in tiers:
        row += [next(number) | (0 if n else TIER_START) for n, _ in enumerate(tier)]
    return Link(PoolTable(places, **fields), row)  # type: ignore[arg-type]


def plain(weights: list[int]) -> list[Member]:
    return [Member(n, w, (Target(bytes([n]), n, 1),), ()) for n, w in enumerate(weights)]


def words_of(states: str) -> list[int]:
    """A word for each letter: u up, d down, o override down, ! override up, ~ unsettled."""
    meaning = {
        "u": Word(1, UP),
        "d": Word(1, DOWN),
        "o": Word(1, UP, override=Override.DOWN),
        "!": Word(1, DOWN, override=Override.UP),
        "~": Word(1, UP, unsettled=True),
    }
    return [meaning[letter].pack() for letter in states]


def answer(decision: Decision) -> list[int]:
    return [candidate.member.node for tier in decision.tiers for candidate in tier]

"""Verdicts by the verdicts of others, against the meaning of the words."""

from __future__ import annotations

import itertools

import pytest

from geodns.health.combine import combined
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

PARTS = ("a", "b", "c")
MEANING = {
    "all": lambda ups, total, _count: ups == total,
    "any": lambda ups, _total, _count: ups >= 1,
    "count": lambda ups, _total, count: ups >= count,
}


def monitor(kind: str, of: tuple[str, ...] = PARTS, count: int | None = None) -> Monitor:
    return Monitor.model_validate({"type": kind, "of": of, "count": count})


@pytest.mark.parametrize("kind", ["all", "any", "count"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_combination_means_what_its_word_says(kind: str, count: int) -> None:
    rules = monitor(kind, count=count if kind == "count" else None)
    for verdicts in itertools.product(Verdict, repeat=len(PARTS)):
        given = dict(zip(PARTS, verdicts, strict=True))
        # Unknown is what could still become up or down: the brute force tries both.
        open_parts = [part for part, verdict in given.items() if verdict is Verdict.UNKNOWN]
        outcomes = set()
        for guesses in itertools.product((Verdict.UP, Verdict.DOWN), repeat=len(open_parts)):
            sure = given | dict(zip(open_parts, guesses, strict=True))
            ups = sum(verdict is Verdict.UP for verdict in sure.values())
            outcomes.add(MEANING[kind](ups, len(PARTS), count))
        wanted = {
            frozenset({True}): Verdict.UP,
            frozenset({False}): Verdict.DOWN,
        }.get(frozenset(outcomes), Verdict.UNKNOWN)
        assert combined(rules, verdicts) is wanted, given


def test_not_turns_a_verdict_round_and_leaves_the_unknown() -> None:
    turned = [combined(monitor("not", ("a",)), [verdict]) for verdict in Verdict]
    wanted = {Verdict.UP: Verdict.DOWN, Verdict.DOWN: Verdict.UP}
    assert turned == [wanted.get(verdict, verdict) for verdict in Verdict]

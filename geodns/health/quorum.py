"""What several vantages together say of a target. Pure: no clock, no I/O.

Each vantage votes with a lease. Lapsed votes and votes of unknown say nothing; a vantage that
alone disagrees with all others abstains; with fewer than `quorum` votes, or in a tie, what was
decided last holds. With one vantage the outcome is its vote.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from geodns.snapshot.status import Verdict

Rule = Literal["majority", "share", "any", "all"]

OTHERS_MIN = 2
"""So many others must agree before one vantage is taken for the odd one out. Source: of two that
disagree neither is alone."""

ROUTE53_SHARE = 0.18
"""Source: Route 53 calls a target healthy when more than 18 % of its checkers do."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How votes make a verdict: up if more than half, more than ``share``, any or all say so."""

    rule: Rule = "majority"
    quorum: int = 1
    share: float = ROUTE53_SHARE


@dataclass(frozen=True, slots=True)
class Vote:
    """What one vantage says. Units: seconds of the receiver's clock, for the sender's may jump."""

    vantage: str
    verdict: Verdict
    until_s: float


def decide(votes: Iterable[Vote], policy: Policy, last: Verdict, now_s: float) -> Verdict:
    """The verdict that the votes make, ``last`` being the one before.

    Shape: one vote for each vantage.
    """
    said = [vote for vote in votes if vote.verdict is not Verdict.UNKNOWN and now_s < vote.until_s]
    if len(said) < max(1, policy.quorum):
        return last
    ups, downs = _without_the_odd_one(said)
    if policy.rule == "majority":
        if ups == downs:
            return last
        return _verdict(ups > downs)
    if policy.rule == "share":
        return _verdict(ups > policy.share * (ups + downs))
    return _verdict(ups > 0 if policy.rule == "any" else downs == 0)


def _without_the_odd_one(votes: list[Vote]) -> tuple[int, int]:
    ups = sum(vote.verdict is Verdict.UP for vote in votes)
    downs = len(votes) - ups
    if ups == 1 and downs >= OTHERS_MIN:
        return 0, downs
    if downs == 1 and ups >= OTHERS_MIN:
        return ups, 0
    return ups, downs


def _verdict(up: bool) -> Verdict:
    return Verdict.UP if up else Verdict.DOWN

"""The nodes of one answer, drawn from what the words leave: by weight, by user, or the first."""

from __future__ import annotations

from geodns.steering.choose import Candidate, Decision
from geodns.steering.mix import GOLDEN, MASK, mix64
from geodns.steering.rendezvous import Rivals
from geodns.steering.tables import FIRST, WEIGHTED

Tier = tuple[Candidate, ...]


def user_of(value: int, version: int, bits: int) -> int:
    """What all draws that must not change know a user by: the leading bits of the address.

    Shape: ``value`` is an IPv4 address, or the upper 64 bits of an IPv6 one; the rest is 0.
    """
    left = (32 if version == 4 else 64) - bits
    return value >> left << left


def pick(decision: Decision, draw: int) -> list[Candidate]:
    """The nodes of one answer, in order.

    Shape: ``draw`` is `mix` of the name's salt and, with spread weighted, the query; with spread
    sticky of the name's sticky salt and the user.
    """
    pool = decision.pool
    if pool is None:
        return []
    wanted = pool.answers
    chosen: list[Candidate] = []
    for tier, total in zip(decision.tiers, decision.totals, strict=True):
        count = wanted - len(chosen)
        if pool.spread == FIRST or len(tier) == 1:
            chosen.extend(tier[:count])
        elif pool.spread == WEIGHTED:
            draw = _draw(tier, total, count, draw, chosen)
        else:
            chosen.extend(favourites(tier, draw)[:count])
        wanted = pool.min_answers
        if len(chosen) >= wanted:
            break
    return chosen


def favourites(tier: Tier, draw: int) -> list[Candidate]:
    """The candidates of a tier in the order in which one user is given them."""
    return [tier[at] for at in rivals_of(tier).ranked(draw)]


def rivals_of(tier: Tier) -> Rivals:
    """The candidates of a tier, for the favour of users."""
    return Rivals([c.member.key for c in tier], [c.weight for c in tier])


def _draw(tier: Tier, total: int, count: int, draw: int, chosen: list[Candidate]) -> int:
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

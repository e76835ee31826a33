"""The design's rules for choosing, word for word and slowly; it imports nothing from geodns.

A chain is a list of pools, each a dict with its tiers; a tier is a list of nodes; a node has a
weight and, for each IP version, addresses with their health as plain fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Health:
    verdict: str = "unknown"  # unknown, up, down
    override: str = "none"  # none, up, down
    factor: int = 255
    unsettled: bool = False
    foreign: bool = False  # the word belongs to another target


@dataclass
class Node:
    number: int
    weight: int
    addresses: dict[int, list[Health]]


@dataclass
class Pool:
    tiers: list[list[Node]]
    answers: int = 1
    min_answers: int = 1
    min_up: int = 1
    near: bool = True
    open: bool = True


@dataclass
class Outcome:
    """Which pool answers, and per tier each candidate's (node, weight, usable addresses)."""

    pool: int | None = None
    tiers: list[list[tuple[int, int, tuple[int, ...]]]] = field(default_factory=list)
    failing_open: bool = False
    settled: bool = True


def usable(health: Health, ignoring_verdicts: bool) -> bool:
    if health.foreign:
        return True  # unknown counts as up
    if health.override != "none":
        return health.override == "up"
    return ignoring_verdicts or health.verdict != "down"


def candidates(
    tier: list[Node], family: int, ignoring: bool
) -> list[tuple[int, int, tuple[int, ...]]]:
    found = []
    for node in tier:
        healths = node.addresses[family]
        good = [n for n, health in enumerate(healths) if usable(health, ignoring)]
        if good:
            factor = max(255 if healths[n].foreign else healths[n].factor for n in good)
            found.append((node.number, node.weight * factor, tuple(good)))
    positive = [candidate for candidate in found if candidate[1] > 0]
    return positive or [(number, 1, good) for number, _, good in found]


def deciding_tiers(pool: Pool, family: int, ignoring: bool) -> list[int]:
    """The first usable tier, and later ones only until there are ``min_answers`` nodes."""
    chosen: list[int] = []
    nodes = 0
    for number, tier in enumerate(pool.tiers):
        here = len(candidates(tier, family, ignoring))
        if here and (not chosen or nodes < pool.min_answers):
            chosen.append(number)
            nodes += here
    return chosen


def is_up(node: Node) -> bool:
    return any(usable(health, False) for healths in node.addresses.values() for health in healths)


def unsettled(nodes: list[Node]) -> bool:
    return any(
        health.unsettled and not health.foreign
        for node in nodes
        for healths in node.addresses.values()
        for health in healths
    )


def healthy(chain: list[Pool], family: int) -> tuple[int, list[int], list[Pool]] | None:
    """The pool and tiers that answer, and the pools that were passed over on the way."""
    for relaxed in (False, True):
        for number, pool in enumerate(chain):
            up = sum(is_up(node) for tier in pool.tiers for node in tier)
            if up >= (1 if relaxed else pool.min_up):
                tiers = deciding_tiers(pool, family, ignoring=False)
                if tiers:
                    return number, tiers, chain if relaxed else chain[:number]
    return None


def decide(chain: list[Pool], family: int) -> Outcome:
    led = family == 6 and bool(chain) and chain[0].near
    for leading in [4, 6] if led else [family]:
        found = healthy(chain, leading)
        if found:
            return outcome(chain, *found, family, failing_open=False)
    if not chain or not chain[0].open:
        return Outcome()
    for leading in [4, 6] if led else [family]:
        for number, pool in enumerate(chain):
            tiers = deciding_tiers(pool, leading, ignoring=True)
            if tiers:
                return outcome(chain, number, tiers, [], family, failing_open=True)
    return Outcome()


def outcome(
    chain: list[Pool],
    pool: int,
    tiers: list[int],
    passed_over: list[Pool],
    family: int,
    *,
    failing_open: bool,
) -> Outcome:
    found = [candidates(chain[pool].tiers[tier], family, failing_open) for tier in tiers]
    passed = [node for earlier in passed_over for tier in earlier.tiers for node in tier]
    walked = [node for tier in chain[pool].tiers[: tiers[0] + 1] for node in tier]
    settled = not failing_open and not unsettled(passed + walked)
    return Outcome(pool, [tier for tier in found if tier], failing_open, settled)

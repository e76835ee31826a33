"""Who is meant: the most specific rule, and which nodes may answer whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from support.interpreter.geography import Spot, holds, prefix_of

_STATES = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU27 = set(_STATES.split())
EEA = EU27 | {"IS", "LI", "NO"}

Body = Mapping[str, Any]
NOT_AT_ALL = (0, 0)


@dataclass(frozen=True)
class Person:
    """Somebody at an address."""

    family: int
    value: int
    spot: Spot
    asn: int


def specificity(matchers: Body, who: Person) -> tuple[int, int]:
    """How specifically matchers mean somebody: subnet (the longer the more), AS number,
    subdivision, country, EU27, EEA, continent; `unknown` stands beside these."""
    found = [NOT_AT_ALL]
    for text in matchers.get("subnets", ()):
        if holds(text, who.family, who.value):
            found.append((9, prefix_of(text)[2]))
    if who.asn in matchers.get("asns", ()):
        found.append((8, 0))
    found += [(_geo(code, who), 0) for code in matchers.get("geos", ())]
    return max(found)


def _geo(code: str, who: Person) -> int:
    if code == "unknown":
        return 7 if who.spot.kind == "unknown" else 0
    place = who.spot.place
    if place is None:
        return 0
    if code in ("EU27", "EEA"):
        return (4 if code == "EU27" else 3) * (place.country in (EU27 if code == "EU27" else EEA))
    continent, *narrower = code.split("-")
    if len(narrower) == 2:
        return 6 * ([place.country, place.subdivision] == narrower)
    if len(narrower) == 1:
        return 5 * (place.country == narrower[0])
    return 2 * (place.continent == continent)


def rule_of(rules: Sequence[Body], who: Person) -> int | None:
    """The number of the rule that wins, of as many as there are for the catch-all; None for who
    is at a special-purpose address that no rule's subnet holds."""
    ranked = [(specificity(rule, who), number) for number, rule in enumerate(rules)]
    best, number = max(ranked, default=(NOT_AT_ALL, 0))
    if who.spot.kind == "special" and best[0] != 9:
        return None
    return number if best != NOT_AT_ALL else len(rules)


def may_answer(node: Body, who: Person) -> bool:
    """Whether a node serves somebody and does not refuse it."""
    serves, refuses = node.get("serves"), node.get("refuses")
    if serves is not None and specificity(serves, who) == NOT_AT_ALL:
        return False
    return refuses is None or specificity(refuses, who) == NOT_AT_ALL


def members(document: Body, pool_id: str) -> list[str]:
    """A pool's nodes, in its own order; by labels in the order of their ids."""
    pool = document["pools"][pool_id]
    if "nodes" in pool:
        return list(pool["nodes"])
    wanted = pool["select"].items()
    nodes = document["nodes"]
    return [i for i in sorted(nodes) if wanted <= nodes[i].get("labels", {}).items()]


Arm = tuple[str, int, tuple[str, ...]]
"""The first pool, the weight, and the chain."""


def destinations(document: Body, steer: Body) -> list[list[Arm]]:
    """The arms of each rule, and last of the catch-all."""

    def arms(chooser: Body, rest: Sequence[str]) -> list[Arm]:
        split = chooser.get("split") or {chooser["pool"]: 1}
        return [
            (pool_id, weight, tuple(dict.fromkeys([*chain(pool_id), *rest])))
            for pool_id, weight in split.items()
        ]

    def chain(pool_id: str) -> list[str]:
        found, following = [], pool_id
        while following is not None:
            found.append(following)
            following = document["pools"][following].get("fallback")
        return found

    general = arms(steer, ())
    rest = [pool_id for _, _, pools in general for pool_id in pools]
    ruled = [arms(rule, () if rule.get("fence") else rest) for rule in steer.get("rules", ())]
    return [*ruled, general]

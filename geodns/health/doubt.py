"""Perhaps it is me: when are failures the checker's own fault? Pure: no clock, no I/O.

Canaries are targets that never fail all at once. With them: the checker is to blame when every
canary fails and more than half of all targets, at least 5 in 3 sites. Without: when everything
that it watches fails, at least as much. Fewer failures look the same from wherever they come, and
are taken for the targets' own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TARGETS_MIN = 5
SITES_MIN = 3
"""Source: the issue that asked for it; less than this fails together by itself."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The last probe of something that came back. Units: seconds; when it was started."""

    started_s: float
    passed: bool
    site: str = ""


def can_tell(sites: Sequence[str]) -> bool:
    """Whether so many targets, each in a site, could ever fail in common."""
    return len(sites) >= TARGETS_MIN and len(set(sites)) >= SITES_MIN


def to_blame(targets: Sequence[Sight], canaries: Sequence[Sight], since_s: float) -> bool:
    """Whether what failed since a moment failed in common, so that it is the checker's fault."""
    if any(sight.passed or sight.started_s < since_s for sight in canaries):
        return False
    failing = [t.site for t in targets if not t.passed and t.started_s >= since_s]
    needed = len(targets) // 2 + 1 if canaries else len(targets)
    return len(failing) >= needed and can_tell(failing)


def cleared_s(targets: Sequence[Sight], canaries: Sequence[Sight]) -> float:
    """Failures noticed up to this moment are no fault of the checker's, though every canary fails.

    That is when so many targets have passed since that the rest cannot have failed in common.
    Minus infinity without canaries: any target that passes is a witness then.
    """
    if not canaries or any(sight.passed for sight in canaries):
        return -math.inf
    if not can_tell([target.site for target in targets]):
        return math.inf
    # Passes after the canaries' last failure may have come with the network's return.
    until_s = min(canary.started_s for canary in canaries)
    passes_s = [_passed_s(target, until_s) for target in targets]
    enough = len(targets) - max(len(targets) // 2, TARGETS_MIN - 1)
    by_number = sorted(passes_s, reverse=True)[enough - 1]
    sites: dict[str, float] = {}
    for target, passed_s in zip(targets, passes_s, strict=True):
        sites[target.site] = min(sites.get(target.site, math.inf), passed_s)
    by_site = sorted(sites.values(), reverse=True)[len(sites) - SITES_MIN]
    return max(by_number, by_site)


def _passed_s(target: Sight, until_s: float) -> float:
    return target.started_s if target.passed and target.started_s <= until_s else -math.inf

"""Flap damping: a target that keeps falling is held down until it has been steady.

After RFC 2439: each fall adds to a penalty that halves with time. Pure: no clock, no I/O.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

PENALTY = 1000.0
"""What one fall adds. Source: as routers add for a withdrawn route."""

HALF_LIFE_S = 300.0
SUPPRESS = 1250.0
"""From here on a target is held down. Source: two falls within ten minutes reach it exactly:
1000 halved twice, and 1000."""

REUSE = 625.0
PENALTY_MAX = 2000.0
"""Held down for 5 minutes at least and 8.4 at most after the last fall. Source: no reference;
RFC 2439 section 4.3 asks for half of SUPPRESS and a bound, its quarter hours are for routes."""

STEADY_S = 120.0
"""Within so long before it is let go, no probe of a target may have failed. Source: the longest
period of a flap that must be held down is two minutes, half of it down."""


@dataclass(frozen=True, slots=True)
class Damping:
    """What is held against a target. Units: seconds of the clock that is handed in."""

    penalty: float = 0.0
    at_s: float = 0.0
    held: bool = False
    failed_s: float = -math.inf

    def penalty_at(self, now_s: float) -> float:
        """What is left of the penalty by now."""
        return float(self.penalty * 0.5 ** (max(0.0, now_s - self.at_s) / HALF_LIFE_S))

    def steady_s(self) -> float:
        """When a target that is held is let go, if nothing more fails."""
        wait_s = HALF_LIFE_S * math.log2(max(self.penalty, REUSE) / REUSE)
        return max(self.at_s + wait_s, self.failed_s + STEADY_S)


NOT_DAMPED = Damping()
"""Nothing is held against a target."""


def fell(damping: Damping, now_s: float) -> Damping:
    """After a fall."""
    penalty = min(PENALTY_MAX, damping.penalty_at(now_s) + PENALTY)
    return Damping(penalty, now_s, damping.held or penalty >= SUPPRESS, now_s)


def probed(damping: Damping, passed: bool, now_s: float) -> Damping:
    """After any probe of a target that is held."""
    if not damping.held:
        return damping
    if not passed:
        return replace(damping, failed_s=now_s)
    return replace(damping, held=now_s < damping.steady_s())

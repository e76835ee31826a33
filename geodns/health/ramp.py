"""Slow start: the weight of a target that has come back grows over a time. Pure."""

from __future__ import annotations

from geodns.snapshot.status import FULL_WEIGHT

FLOOR = 0.1
"""Share of the weight to start with. Source: Envoy's min_weight_percent; with nothing at all a
target would still be the only one of its place."""

STEP_S = 1.0
"""How often weights are raised. Source: no reference; each step makes the workers forget the
answers they had ready."""


def factor(elapsed_s: float, over_s: float) -> int:
    """The weight factor of a target that came back so long ago. Shape: up to FULL_WEIGHT."""
    if elapsed_s >= over_s:
        return FULL_WEIGHT
    share = FLOOR + (1 - FLOOR) * max(0.0, elapsed_s) / over_s
    return max(1, int(FULL_WEIGHT * share))

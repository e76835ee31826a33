"""How much of its users a busy node gives away. Pure."""

from __future__ import annotations

SHED_MAX = 0xFFFF
"""All of them: the 16 bits of a word."""


def shed(load: float | None, lo: float, hi: float) -> int:
    """The share of users sent on, in 65,535ths: none up to a load of ``lo``, all from ``hi``."""
    if load is None or load <= lo:
        return 0
    if load >= hi:
        return SHED_MAX
    return round((load - lo) / (hi - lo) * SHED_MAX)

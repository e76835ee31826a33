"""How much of its users a busy node gives away. Pure."""

from __future__ import annotations

SHED_MAX = 0xFFFF
"""All of them, by definition: the largest that the 16 bits of a word hold."""

_USERS = 0x10000
"""What a share is of (FORMAT.md, Status table)."""


def shed(load: float | None, lo: float, hi: float) -> int:
    """Of 65,536 users so many are sent away: none up to a load of ``lo``, all from ``hi``."""
    if load is None or load <= lo:
        return 0
    if load >= hi:
        return SHED_MAX
    return min(round((load - lo) / (hi - lo) * _USERS), SHED_MAX)

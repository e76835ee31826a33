"""The verdict of a combined monitor, from those it judges by. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict


def combined(monitor: Monitor, parts: Sequence[Verdict]) -> Verdict:
    """What ``all``, ``any``, ``count`` or ``not`` makes of its parts' verdicts.

    Shape: three-valued, after Kleene: unknown unless the outcome is the same however the unknown
    parts turn out.
    """
    ups = sum(part is Verdict.UP for part in parts)
    unknown = sum(part is Verdict.UNKNOWN for part in parts)
    if monitor.type == "not":
        ups = len(parts) - ups - unknown
    needed = _needed(monitor, len(parts))
    if ups >= needed:
        return Verdict.UP
    return Verdict.UNKNOWN if ups + unknown >= needed else Verdict.DOWN


def _needed(monitor: Monitor, parts: int) -> int:
    if monitor.type == "count":
        return monitor.count or parts
    return 1 if monitor.type == "any" else parts

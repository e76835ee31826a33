"""Counts probes by type of monitor, for metrics."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from geodns.health.observation import Observation

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of durations. Source: `geodns.api.metrics`."""


class Tally:
    """What probes of each type came to, and how long those took that got a reply."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, Any]] = {}

    def probed(self, monitor_type: str, seen: Observation) -> None:
        """Count one probe."""
        told = self._types.get(monitor_type)
        if told is None:
            told = self._types[monitor_type] = {
                **dict.fromkeys(("passed", "failed", "unable"), 0),
                "buckets": [0] * (len(BOUNDS_S) + 1),
                "elapsed_s": 0.0,
            }
        told["unable" if seen.unable else "passed" if seen.passed else "failed"] += 1
        if seen.elapsed_ms is not None:
            elapsed_s = seen.elapsed_ms / 1000
            told["buckets"][bisect_left(BOUNDS_S, elapsed_s)] += 1
            told["elapsed_s"] += elapsed_s

    def view(self) -> dict[str, dict[str, Any]]:
        """By type: ``passed``, ``failed``, ``unable``, ``buckets`` and ``elapsed_s``."""
        return self._types

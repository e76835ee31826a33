"""The moment that something happens: both clocks are looked at once, for all that comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Moment(NamedTuple):
    """Units: ``steady_s`` on a clock that never steps, ``wall_ms`` on the wall's, which may."""

    steady_s: float
    wall_ms: int


def wall_ms() -> int:
    """The wall clock: for people and for what outlives this process, never for intervals."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where moments come from."""

    steady_s: Callable[[], float] = time.monotonic
    wall_ms: Callable[[], int] = wall_ms

    def now(self) -> Moment:
        return Moment(self.steady_s(), self.wall_ms())

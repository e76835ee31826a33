"""What became of a target: its last changes, and how long it was up in the last hour to month.

Bounded: some 2.5 kB for each target, whatever it does.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass

from geodns.snapshot.status import Verdict

TRANSITIONS_MAX = 100
"""Source: the issue that asked for it."""

WINDOWS = {
    "1h": (300.0, 12),
    "24h": (3600.0, 24),
    "7d": (21_600.0, 28),
    "30d": (86_400.0, 30),
}
"""Windows of uptime: (seconds of a bucket, number of buckets). Source: no reference; each is
right to a bucket at its far end."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of what is shown of a target.

    Units: Unix milliseconds; ``lasted_s`` is how long the verdict before had been shown.
    """

    at_ms: int
    before: Verdict
    after: Verdict
    reason: str
    elapsed_ms: float | None
    lasted_s: float


class History:
    """The past of one target. Belongs to one clock, which never steps."""

    def __init__(self, now_s: float, verdict: Verdict = Verdict.UNKNOWN) -> None:
        self.transitions: deque[Transition] = deque(maxlen=TRANSITIONS_MAX)
        self.known_from_s = now_s
        self._verdict = verdict
        self._until_s = now_s
        self._ledgers = {name: _Ledger(*window) for name, window in WINDOWS.items()}

    def add(self, transition: Transition, now_s: float) -> None:
        """Note a change."""
        self._advance(now_s)
        self._verdict = transition.after
        self.transitions.append(transition)

    def resume(self, verdict: Verdict, now_s: float) -> None:
        """Go on with a verdict that is no change."""
        self._advance(now_s)
        self._verdict = verdict

    def uptime(self, now_s: float) -> dict[str, float | None]:
        """The share of known time that it was up, by window; None where nothing is known."""
        self._advance(now_s)
        return {name: ledger.share() for name, ledger in self._ledgers.items()}

    def _advance(self, now_s: float) -> None:
        if self._verdict is not Verdict.UNKNOWN:
            up = self._verdict is Verdict.UP
            for ledger in self._ledgers.values():
                ledger.add(self._until_s, now_s, up)
        else:
            for ledger in self._ledgers.values():
                ledger.turn(now_s)
        self._until_s = now_s


class _Ledger:
    """Seconds up and down in the buckets of one window, as a ring."""

    def __init__(self, width_s: float, buckets: int) -> None:
        self._width_s = width_s
        self._up_s = array("f", bytes(4 * buckets))
        self._down_s = array("f", bytes(4 * buckets))
        self._number: int | None = None

    def add(self, from_s: float, to_s: float, up: bool) -> None:
        """Enter a stretch of time, later than all before."""
        from_s = max(from_s, to_s - self._width_s * len(self._up_s))
        seconds = self._up_s if up else self._down_s
        while from_s < to_s:
            number = int(from_s // self._width_s)
            end_s = min(to_s, (number + 1) * self._width_s)
            self.turn(from_s)
            seconds[number % len(seconds)] += end_s - from_s
            from_s = end_s
        self.turn(to_s)

    def turn(self, now_s: float) -> None:
        """Empty the buckets that time has come round to."""
        number = int(now_s // self._width_s)
        last = number if self._number is None else self._number
        for passed in range(max(last + 1, number + 1 - len(self._up_s)), number + 1):
            self._up_s[passed % len(self._up_s)] = 0
            self._down_s[passed % len(self._up_s)] = 0
        self._number = number

    def share(self) -> float | None:
        up_s, down_s = sum(self._up_s), sum(self._down_s)
        return up_s / (up_s + down_s) if up_s + down_s > 0 else None

"""The rules of verdicts and votes told again, slowly, from whole histories. Imports no geodns."""

from __future__ import annotations

import math
from collections.abc import Sequence

UP, DOWN, UNKNOWN = "up", "down", "unknown"


class Target:
    """One target: everything that ever happened to it, and what follows."""

    def __init__(self, rise: int, recheck: int, hold_s: float, interval_s: float) -> None:
        self.rise, self.recheck, self.hold_s = rise, recheck, hold_s
        self.interval_s = interval_s
        self.raw = UNKNOWN
        self.bursting = self.condemned = False
        self.members: list[int] = []
        self.failed: list[int] = []
        self.results_since_fall: list[bool] = []
        self.fell_s = 0.0
        self.events: list[tuple[float, str]] = []
        self.unrest: list[tuple[float, float]] = []

    def launch(self, probe: int) -> None:
        self.members.append(probe)

    def observe(self, probe: int, passed: bool, now_s: float) -> None:
        if probe not in self.members:
            return
        shown = self.shown()
        self.events.append((now_s, "pass" if passed else "fail"))
        held = self.held()
        if self.raw == DOWN:
            self._while_down(passed, now_s)
        elif passed:
            if self.bursting:
                if not held:
                    self.unrest.append((now_s, now_s + self.interval_s))
                self._new_round(bursting=False)
            self.raw = UP
        elif self.bursting:
            self.failed.append(probe)
        else:
            self._new_round(bursting=True)
        if self.bursting and len(self.failed) >= self.recheck:
            self.condemned = True
        self._disturbed(shown, now_s)

    def vouch(self, now_s: float) -> None:
        shown = self.shown()
        self.raw, self.fell_s, self.results_since_fall = DOWN, now_s, []
        self.events.append((now_s, "fall"))
        self._new_round(bursting=False)
        self._disturbed(shown, now_s)

    def again(self) -> None:
        self.results_since_fall = []
        self._new_round(bursting=False)

    def shown(self) -> str:
        return DOWN if self.held() else self.raw

    def unsettled(self, now_s: float) -> bool:
        suspect = self.bursting and not self.held()
        return suspect or any(start <= now_s < end for start, end in self.unrest)

    def held(self) -> bool:
        held, falls, failed_s = False, [], -math.inf
        for at_s, kind in self.events:
            if kind == "fall":
                falls.append(at_s)
                failed_s = at_s
                held = held or penalty(falls, at_s) >= 1250
            elif kind == "fail" and held:
                failed_s = at_s
            elif kind == "pass" and held:
                held = penalty(falls, at_s) > 625 or at_s < failed_s + 120
        return held

    def _while_down(self, passed: bool, now_s: float) -> None:
        self.results_since_fall.append(passed)
        last = self.results_since_fall[-self.rise :]
        if len(last) == self.rise and all(last) and now_s >= self.fell_s + self.hold_s:
            self.raw = UP
            self._new_round(bursting=False)

    def _disturbed(self, before: str, now_s: float) -> None:
        if (before == DOWN) != (self.shown() == DOWN):
            self.unrest.append((now_s, now_s + 3 * self.interval_s))

    def _new_round(self, *, bursting: bool) -> None:
        self.bursting, self.condemned, self.members, self.failed = bursting, False, [], []


def penalty(falls: Sequence[float], now_s: float) -> float:
    """RFC 2439: a thousand for each fall, halved every five minutes, two thousand at most."""
    total, last_s = 0.0, 0.0
    for at_s in falls:
        total = min(2000.0, total * 2 ** (-(at_s - last_s) / 300) + 1000)
        last_s = at_s
    return total * 2 ** (-(now_s - last_s) / 300)


def outcome(
    votes: Sequence[tuple[str, float]],
    rule: str,
    quorum: int,
    share: float,
    last: str,
    now_s: float,
) -> str:
    """What votes of (verdict, end of lease) come to."""
    fresh = [verdict for verdict, until_s in votes if verdict != UNKNOWN and until_s > now_s]
    if not fresh or len(fresh) < quorum:
        return last
    counted = list(fresh)
    for number, verdict in enumerate(fresh):
        others = fresh[:number] + fresh[number + 1 :]
        if len(others) >= 2 and all(other != verdict for other in others):
            counted = others
    ups = [verdict for verdict in counted if verdict == UP]
    if rule == "any":
        return UP if ups else DOWN
    if rule == "all":
        return UP if len(ups) == len(counted) else DOWN
    if rule == "share":
        return UP if len(ups) / len(counted) > share else DOWN
    if 2 * len(ups) == len(counted):
        return last
    return UP if 2 * len(ups) > len(counted) else DOWN


Sight = tuple[float, bool, str]
"""When the last probe was started, whether it passed, in which site."""


def in_common(targets: Sequence[Sight], failing: Sequence[Sight], *, canaries: bool) -> bool:
    """Whether so much fails that it may be the checker's fault."""
    enough = 2 * len(failing) > len(targets) if canaries else len(failing) == len(targets)
    return enough and len(failing) >= 5 and len({site for _, _, site in failing}) >= 3


def to_blame(targets: Sequence[Sight], canaries: Sequence[Sight], since_s: float) -> bool:
    failing = [t for t in targets if t[0] >= since_s and not t[1]]
    silent = all(c[0] >= since_s and not c[1] for c in canaries)
    return silent and in_common(targets, failing, canaries=bool(canaries))


def cleared_s(targets: Sequence[Sight], canaries: Sequence[Sight]) -> float:
    """The latest moment since when too few can have failed, by trying every one."""
    if not canaries or any(passed for _, passed, _ in canaries):
        return -math.inf
    until_s = min(at_s for at_s, _, _ in canaries)
    for moment_s in sorted({math.inf, -math.inf} | {t[0] for t in targets}, reverse=True):
        perhaps = [t for t in targets if not (t[1] and moment_s <= t[0] <= until_s)]
        if not in_common(targets, perhaps, canaries=True):
            return moment_s
    return -math.inf

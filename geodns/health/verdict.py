"""Up or down? The pure state machine of one target: no clock, no I/O.

Life of a target::

    unknown --pass--> up --fail--> up, burst on --all re-checks fail--> down
    unknown --fail--> unknown, burst on --any passes--> up
    down --`rise` passes in a row, at least hold_s after the fall--> up

A burst is `recheck` probes started `recheck_after_s` apart whether or not the earlier ones
have come back. Every probe carries the epoch it was launched in; one that comes back after
its burst is decided says nothing any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

UNSETTLED_INTERVALS = 3
"""How long answers keep their short TTL after a change. Source: no reference; chosen to
outlast the two passes that the default `rise` asks for."""

CALM_INTERVALS = 1
"""The same after a burst that changed nothing. Source: no reference; until the next check."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The re-checks that decide whether a failure was the target's."""

    since_s: float
    launched_s: float
    launched: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What is held of a target. Units: seconds of the clock that is handed in."""

    verdict: Verdict = Verdict.UNKNOWN
    since_s: float = 0.0
    unsettled_until_s: float = -math.inf
    passes: int = 0
    epoch: int = 0
    burst: Burst | None = None

    def unsettled(self, now_s: float) -> bool:
        """Whether the verdict may be about to change, or has only just."""
        return self.burst is not None or now_s < self.unsettled_until_s

    @property
    def decided(self) -> bool:
        """Whether probes have said something, and are not asked again this moment."""
        return self.verdict is not Verdict.UNKNOWN and self.burst is None


def recheck_due_s(state: State, monitor: Monitor) -> float | None:
    """When the burst's next probe is to start; None when none is left or no burst is on."""
    burst = state.burst
    if burst is None or burst.launched >= monitor.recheck:
        return None
    planned_s = burst.since_s + (burst.launched + 1) * monitor.recheck_after_s
    # A checker that was itself held up must not ask all at once and believe the one answer.
    return max(planned_s, burst.launched_s + monitor.recheck_after_s / 2)


def launched(state: State, now_s: float) -> State:
    """The state once a probe has started; the probe carries ``state.epoch``."""
    burst = state.burst
    if burst is None:
        return state
    return replace(state, burst=replace(burst, launched=burst.launched + 1, launched_s=now_s))


def observed(state: State, monitor: Monitor, epoch: int, passed: bool, now_s: float) -> State:
    """The state once a probe launched in ``epoch`` has come back."""
    if epoch != state.epoch:
        return state
    return _passed(state, monitor, now_s) if passed else _failed(state, monitor, now_s)


def resumed(state: State) -> State:
    """The state under changed settings: the verdict stays, probes under way are void."""
    return replace(state, burst=None, passes=0, epoch=state.epoch + 1)


def _passed(state: State, monitor: Monitor, now_s: float) -> State:
    if state.verdict is Verdict.DOWN:
        passes = min(state.passes + 1, monitor.rise)
        if passes < monitor.rise or now_s - state.since_s < monitor.hold_s:
            return replace(state, passes=passes)
        return _changed(state, monitor, Verdict.UP, now_s)
    if state.burst is not None:
        calm_s = now_s + CALM_INTERVALS * monitor.interval_s
        until_s = max(state.unsettled_until_s, calm_s)
        state = replace(state, burst=None, epoch=state.epoch + 1, unsettled_until_s=until_s)
    if state.verdict is Verdict.UNKNOWN:  # unknown counted as up: no answer changes
        return replace(state, verdict=Verdict.UP, since_s=now_s)
    return state


def _failed(state: State, monitor: Monitor, now_s: float) -> State:
    if state.verdict is Verdict.DOWN:
        return replace(state, passes=0)
    if state.burst is not None:
        failed = state.burst.failed + 1
        state = replace(state, burst=replace(state.burst, failed=failed))
    else:
        failed = 0
        state = replace(state, burst=Burst(now_s, now_s), epoch=state.epoch + 1)
    if failed < monitor.recheck:
        return state
    return _changed(state, monitor, Verdict.DOWN, now_s)


def _changed(state: State, monitor: Monitor, verdict: Verdict, now_s: float) -> State:
    return State(
        verdict=verdict,
        since_s=now_s,
        unsettled_until_s=now_s + UNSETTLED_INTERVALS * monitor.interval_s,
        epoch=state.epoch + 1,
    )

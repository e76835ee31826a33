"""Up or down? The pure state machine of one target: no clock, no I/O.

Life of a target::

    unknown --pass--> up --fail--> up, burst on --all re-checks fail--> up, condemned
    unknown --fail--> unknown, burst on --any passes--> up
    condemned --the checker itself is vouched for (`fallen`)--> down
    condemned --a pass--> up
    down --`rise` passes in a row, at least hold_s after the fall--> up

A burst is `recheck` probes started `recheck_after_s` apart whether or not the earlier ones
have come back. Every probe carries the epoch it was launched in; one that comes back after
its burst is decided says nothing any more. What answers are made from is `State.shown`: a
target that flaps is shown down until it has been steady (`damping`), unless its monitor asks
otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from geodns.health import damping
from geodns.health.damping import NOT_DAMPED, Damping
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
    condemned_s: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is held of a target. Units: seconds of the clock that is handed in."""

    verdict: Verdict = Verdict.UNKNOWN
    since_s: float = 0.0
    unsettled_until_s: float = -math.inf
    passes: int = 0
    epoch: int = 0
    burst: Burst | None = None
    damping: Damping = NOT_DAMPED

    @property
    def shown(self) -> Verdict:
        """The verdict that answers are made from."""
        return Verdict.DOWN if self.damping.held else self.verdict

    def unsettled(self, now_s: float) -> bool:
        """Whether what is shown may be about to change, or has only just."""
        about_to = self.burst is not None and not self.damping.held
        return about_to or now_s < self.unsettled_until_s

    @property
    def decided(self) -> bool:
        """Whether probes have said something, and are not asked again this moment."""
        return self.verdict is not Verdict.UNKNOWN and self.burst is None

    @property
    def condemned(self) -> bool:
        """Whether every re-check has failed: down, unless it was the checker's own fault."""
        return self.burst is not None and self.burst.condemned_s is not None


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
    if burst is None or state.condemned:
        return state
    return replace(state, burst=replace(burst, launched=burst.launched + 1, launched_s=now_s))


def observed(state: State, monitor: Monitor, epoch: int, passed: bool, now_s: float) -> State:
    """The state once a probe launched in ``epoch`` has come back."""
    if epoch != state.epoch:
        return state
    before, held = state, NOT_DAMPED
    if monitor.damping:
        held = damping.probed(state.damping, passed, now_s)
    if held is not before.damping:
        state = replace(state, damping=held)
    state = _passed(state, monitor, now_s) if passed else _failed(state, monitor, now_s)
    return _settle(before, state, monitor, now_s)


def fallen(state: State, monitor: Monitor, now_s: float) -> State:
    """The state of a condemned target once the checker itself is vouched for."""
    held = damping.fell(state.damping, now_s) if monitor.damping else NOT_DAMPED
    before = replace(state, damping=held)
    return _settle(state, _changed(before, Verdict.DOWN, now_s), monitor, now_s)


def resumed(state: State) -> State:
    """The state under changed settings: the verdict stays, probes under way are void."""
    return replace(state, burst=None, passes=0, epoch=state.epoch + 1)


def _passed(state: State, monitor: Monitor, now_s: float) -> State:
    if state.verdict is Verdict.DOWN:
        passes = min(state.passes + 1, monitor.rise)
        if passes < monitor.rise or now_s - state.since_s < monitor.hold_s:
            return replace(state, passes=passes)
        return _changed(state, Verdict.UP, now_s)
    if state.burst is not None:
        state = replace(state, burst=None, epoch=state.epoch + 1)
        if not state.damping.held:
            calm_s = now_s + CALM_INTERVALS * monitor.interval_s
            state = replace(state, unsettled_until_s=max(state.unsettled_until_s, calm_s))
    if state.verdict is Verdict.UNKNOWN:  # unknown counted as up: no answer changes
        return replace(state, verdict=Verdict.UP, since_s=now_s)
    return state


def _failed(state: State, monitor: Monitor, now_s: float) -> State:
    if state.verdict is Verdict.DOWN:
        return replace(state, passes=0)
    burst, epoch = state.burst, state.epoch
    if burst is None:
        burst, epoch = Burst(now_s, now_s), epoch + 1
    else:
        burst = replace(burst, failed=burst.failed + 1)
    if burst.failed >= monitor.recheck and burst.condemned_s is None:
        burst = replace(burst, condemned_s=now_s)
    return replace(state, burst=burst, epoch=epoch)


def _changed(state: State, verdict: Verdict, now_s: float) -> State:
    return State(verdict, now_s, state.unsettled_until_s, 0, state.epoch + 1, None, state.damping)


def _settle(before: State, after: State, monitor: Monitor, now_s: float) -> State:
    """Short TTLs for a while once another verdict is shown. Unknown counted as up."""
    if (before.shown is Verdict.DOWN) == (after.shown is Verdict.DOWN):
        return after
    return replace(after, unsettled_until_s=now_s + UNSETTLED_INTERVALS * monitor.interval_s)

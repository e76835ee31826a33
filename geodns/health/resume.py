"""Between a watch and what is remembered of it."""

from __future__ import annotations

from geodns.health import verdict
from geodns.health.damping import NOT_DAMPED, Damping
from geodns.health.history import History
from geodns.health.memory import Remembered
from geodns.health.watch import Watch
from geodns.snapshot.status import Verdict


def resume(watch: Watch, found: Remembered, now_s: float, now_ms: int) -> None:
    """Let a new watch go on from a verdict that is still young enough."""
    age_s = max(0.0, (now_ms - found.since_ms) / 1000)
    held = NOT_DAMPED
    if found.held_penalty and watch.monitor.damping:
        held = Damping(found.held_penalty, now_s, held=True, failed_s=now_s)
    watch.state = verdict.State(Verdict[found.verdict.upper()], since_s=now_s - age_s, damping=held)
    watch.shown = watch.state.shown
    watch.since_s, watch.since_ms, watch.checked_ms = (
        now_s - age_s,
        found.since_ms,
        found.checked_ms,
    )
    watch.reason = "as before the restart"
    watch.history = History(now_s, watch.shown)


def remembered(watch: Watch, lease_s: float, now_s: float, now_ms: int) -> Remembered | None:
    """What to remember of a watch; None of what is unknown or follows from others."""
    if watch.state.verdict is Verdict.UNKNOWN or watch.monitor.combines:
        return None
    damping = watch.state.damping
    return Remembered.of(
        watch.target,
        watch.state.verdict,
        watch.since_ms,
        watch.checked_ms,
        held_penalty=damping.penalty_at(now_s) if damping.held else 0.0,
        until_ms=now_ms + int(lease_s * 1000) if lease_s else 0,
    )

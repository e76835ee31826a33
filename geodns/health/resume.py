"""Between a watch and what is remembered of it."""

from __future__ import annotations

from geodns.health import verdict
from geodns.health.damping import NOT_DAMPED, Damping
from geodns.health.history import History, Transition
from geodns.health.journal import Journal, What
from geodns.health.memory import Remembered
from geodns.health.moment import Moment
from geodns.health.watch import Key, Watch
from geodns.snapshot.status import Verdict

Past = dict[Key, list[Transition]]


def resume(watch: Watch, found: Remembered, now: Moment) -> None:
    """Let a new watch go on from a verdict that is still young enough."""
    now_s, age_s = now.steady_s, max(0.0, (now.wall_ms - found.since_ms) / 1000)
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


def past(journal: Journal | None) -> Past:
    """The changes that the journal still knows, by target, oldest first."""
    found: Past = {}
    for record in journal.since(1) if journal else ():
        if record.what is What.TRANSITION:
            elapsed_ms = None if record.elapsed_us is None else record.elapsed_us / 1000
            transition = Transition(
                record.at_ms,
                record.before,
                record.after,
                record.reason,
                elapsed_ms,
                record.lasted_ms / 1000,
            )
            found.setdefault((record.address, record.monitor), []).append(transition)
    return found


def relive(watch: Watch, changes: list[Transition], now: Moment) -> None:
    """Give a watch the past that another process has seen."""
    if not changes:
        return
    (now_s, now_ms), first = now, changes[0]
    at_s = min(now_s, now_s - (now_ms - first.at_ms) / 1000)
    watch.history = History(at_s - first.lasted_s, first.before)
    for change in changes:  # never backwards, even if the wall clock has stepped
        at_s = max(at_s, min(now_s, now_s - (now_ms - change.at_ms) / 1000))
        watch.history.add(change, at_s)
    watch.history.resume(watch.shown, now_s)


def remembered(watch: Watch, lease_s: float, now: Moment) -> Remembered | None:
    """What to remember of a watch; None of what is unknown or follows from others."""
    if watch.state.verdict is Verdict.UNKNOWN or watch.monitor.combines:
        return None
    damping = watch.state.damping
    return Remembered.of(
        watch.target,
        watch.state.verdict,
        watch.since_ms,
        watch.checked_ms,
        held_penalty=damping.penalty_at(now.steady_s) if damping.held else 0.0,
        until_ms=now.wall_ms + int(lease_s * 1000) if lease_s else 0,
    )

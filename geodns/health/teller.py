"""Tells the world what is thought of a target: status word, note, journal, history and log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from geodns.health import quorum, ramp
from geodns.health.board import Board
from geodns.health.history import Transition
from geodns.health.journal import Journal, Record, What
from geodns.health.moment import Moment
from geodns.health.quorum import Policy, Vote
from geodns.health.tally import Tally
from geodns.health.watch import Watch
from geodns.snapshot.status import FULL_WEIGHT, Note, Verdict

OWN_VANTAGE = "self"

LEASE_INTERVALS = 10
"""A vote that is not renewed for so long says nothing. Source: as for verdicts after a restart."""

log = logging.getLogger("geodns.health")


class Teller:
    """Shows what watches come to. ``hush`` keeps words from being called unsettled; ``counts``
    is what there was to tell, for metrics."""

    def __init__(
        self,
        board: Board,
        journal: Journal | None,
        policy: Policy | None = None,
    ) -> None:
        self.hush = False
        self.counts = Counter[str]()
        self.tally = Tally()
        self._board = board
        self._journal = journal
        self._policy = policy or Policy()

    def poll(self, watch: Watch, now_s: float) -> Verdict:
        """The verdict of all vantages once ours has voted."""
        lease_s = LEASE_INTERVALS * watch.monitor.interval_s
        watch.votes[OWN_VANTAGE] = Vote(OWN_VANTAGE, watch.state.shown, now_s + lease_s)
        return quorum.decide(watch.votes.values(), self._policy, watch.shown, now_s)

    def show(self, watch: Watch, verdict: Verdict, reason: str, now: Moment) -> bool:
        """Show a verdict; whether it is another than before."""
        before, now_s = watch.shown, now.steady_s
        if verdict is not before:
            watch.shown, watch.since_ms = verdict, now.wall_ms
            lasted_s, watch.since_s = now_s - watch.since_s, now_s
            back = before is Verdict.DOWN and verdict is Verdict.UP
            watch.back_s = now_s if back and watch.target.slow_start_s else None
        watch.reason = reason
        self.publish(watch, now_s)
        if verdict is not before:
            self._record(watch, before, lasted_s, now_s)
        return verdict is not before

    def publish(self, watch: Watch, now_s: float) -> None:
        """Put what is known of a target into its word and note, if it has a slot."""
        if not watch.slotted:
            return
        elapsed_ms = (watch.last.elapsed_ms if watch.last else None) or 0
        note = Note(watch.since_ms, watch.checked_ms, int(elapsed_ms * 1000), watch.reason)
        unsettled = watch.state.unsettled(now_s) and not self.hush
        target = watch.target
        weight = self._weight(watch, now_s)
        self._board.show(target.slot, target.tag, watch.shown, unsettled, note, weight)

    def alarm(self, text: str, raised: bool, now: Moment) -> None:
        """Tell of the checker's own trouble, or of its end."""
        self.counts["holding"] = int(raised)
        log.log(logging.ERROR if raised else logging.WARNING, "%s", text)
        self._write(Record(now.wall_ms, What.ALARM if raised else What.RELIEF, text))

    def raise_weights(self, watches: Iterable[Watch], now_s: float) -> None:
        """The next step of every slow start."""
        for watch in watches:
            if watch.back_s is not None:
                self.publish(watch, now_s)
                if now_s - watch.back_s >= watch.target.slow_start_s:
                    watch.back_s = None

    def _weight(self, watch: Watch, now_s: float) -> int | None:
        over_s = watch.target.slow_start_s
        if not over_s:
            return None
        if watch.back_s is None:
            return FULL_WEIGHT
        return ramp.factor(now_s - watch.back_s, over_s)

    def _record(self, watch: Watch, before: Verdict, lasted_s: float, now_s: float) -> None:
        reason = watch.reason
        elapsed_ms = watch.last.elapsed_ms if watch.last else None
        transition = Transition(watch.since_ms, before, watch.shown, reason, elapsed_ms, lasted_s)
        watch.history.add(transition, now_s)
        self.counts[f"to_{watch.shown.name.lower()}"] += 1
        if not watch.slotted:
            return
        self._write(
            Record(
                watch.since_ms,
                What.TRANSITION,
                reason,
                watch.target.slot,
                watch.target.tag,
                watch.target.address,
                str(watch.target.monitor),
                before,
                watch.shown,
                max(0, int(lasted_s * 1000)) if before is not Verdict.UNKNOWN else 0,
                None if elapsed_ms is None else int(elapsed_ms * 1000),
            )
        )
        known = before is not Verdict.UNKNOWN
        after = f" after {lasted_s:.{1 if lasted_s < 10 else 0}f} s" if known else ""
        change = f"{before.name.lower()} -> {watch.shown.name.lower()}"
        log.info("%s: %s%s: %s", watch.target, change, after, reason)

    def _write(self, record: Record) -> None:
        if self._journal is not None:
            self._journal.write(record)

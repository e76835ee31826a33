"""Judges what comes back, and shows what it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from geodns.health import verdict
from geodns.health.derived import Derived
from geodns.health.dispatch import Dispatcher
from geodns.health.moment import Clocks, Moment
from geodns.health.observation import Observation
from geodns.health.teller import Teller
from geodns.health.watch import Check, Flight, Watch
from geodns.health.witness import Verdicts, Witnesses
from geodns.snapshot.status import Verdict


class Judge:
    """Between the probes and what is shown. Belongs to one watcher.

    ``first_round`` is set once each watch awaited is decided, ``changed`` whenever what is to be
    remembered has changed.
    """

    def __init__(
        self, teller: Teller, clocks: Clocks, in_flight_max: int, behind: Callable[[], bool]
    ) -> None:
        self.first_round = asyncio.Event()
        self.changed = asyncio.Event()
        self.dispatcher = Dispatcher(
            self._judge,
            lambda now_s: self.witnesses.last_recheck(now_s),
            clocks.steady_s,
            in_flight_max,
            behind,
        )
        verdicts = Verdicts(self._fall, self._again, self._calm, self._alarm)
        self.witnesses = Witnesses(self.dispatcher, verdicts)
        self.derived = Derived(self._show)
        self._teller = teller
        self._clocks = clocks
        self._awaited: set[Watch] = set()

    def sweep(self, now: Moment) -> None:
        """Start every check that is due, and see what time alone has changed."""
        self.dispatcher.sweep(now.steady_s)
        self.witnesses.sweep(now)
        self.derived.sweep(now)

    def wait_for(self, watches: Iterable[Watch]) -> None:
        """The first round ends with the verdicts of these."""
        self._awaited = set(watches)
        self._count_first_round()

    def forget(self, watch: Watch) -> None:
        """It is watched no more."""
        self.witnesses.forget(watch)
        self._settled(watch)

    def _judge(self, flight: Flight, observation: Observation) -> None:
        now = self._clocks.now()
        self._teller.tally.probed(flight.watches[0][0].monitor.type, observation)
        if not observation.unable:
            self.witnesses.saw(flight, observation.passed, now)
        judged = False
        for watch, epoch in flight.watches:
            if watch.check is flight.check and epoch == watch.state.epoch:
                self._judge_one(watch, observation, now)
                judged = True
        if judged:
            self._plan(flight.check, now.steady_s)

    def _judge_one(self, watch: Watch, observation: Observation, now: Moment) -> None:
        before, watch.last = watch.state, observation
        if observation.unable:  # a burst cannot go on without the answer
            watch.state = verdict.resumed(before) if watch.bursting else before
            self._conclude(watch, observation.reason, now)
            self._settled(watch)  # there may never be more to know
            return
        watch.checked_ms = now.wall_ms
        watch.state = verdict.observed(
            before, watch.monitor, before.epoch, observation.passed, now.steady_s
        )
        if before.condemned and not watch.state.condemned:
            self.witnesses.forget(watch)
        self._conclude(watch, observation.reason, now)
        if watch.state.condemned and not before.condemned:
            self.witnesses.condemn(watch, now)

    def _conclude(self, watch: Watch, reason: str, now: Moment) -> None:
        """Vote, and show what comes of it."""
        flapping = watch.state.damping
        if flapping.held and watch.state.verdict is Verdict.UP:
            wait_s = max(0.0, flapping.steady_s() - now.steady_s)
            reason = f"flaps, held down for {wait_s:.0f} s yet: {reason}"
        if self._teller.show(watch, self._teller.poll(watch, now.steady_s), reason, now):
            self.changed.set()
            self.derived.changed(watch, now)
        if watch.state.decided:
            self._settled(watch)

    def _plan(self, check: Check, now_s: float) -> None:
        check.settle()
        self.dispatcher.plan(check, now_s)

    def _fall(self, watch: Watch, now: Moment) -> None:
        watch.state = verdict.fallen(watch.state, watch.monitor, now.steady_s)
        self._conclude(watch, watch.reason, now)
        if watch.check:
            self._plan(watch.check, now.steady_s)

    def _again(self, watch: Watch, now: Moment) -> None:
        """Its failures may have been our own: ask anew."""
        watch.state = verdict.resumed(watch.state)
        self._calm(watch, now)
        if watch.check:
            watch.check.settle()
            self.dispatcher.soon([watch.check], now.steady_s)

    def _calm(self, watch: Watch, now: Moment) -> None:
        self._teller.publish(watch, now.steady_s)

    def _alarm(self, text: str, raised: bool, now: Moment) -> None:
        self._teller.hush = raised
        self._teller.alarm(text, raised, now)
        if raised:  # what is not decided now will not be for long
            self._awaited.clear()
            self._count_first_round()

    def _show(self, watch: Watch, shown: Verdict, reason: str, now: Moment) -> None:
        """Show a verdict that no probe has made."""
        watch.checked_ms = now.wall_ms
        if shown is not watch.state.verdict:
            watch.state = verdict.State(shown, now.steady_s)
        if self._teller.show(watch, shown, reason, now):
            self.changed.set()
            self.derived.changed(watch, now)

    def _settled(self, watch: Watch) -> None:
        """The first round waits for it no more."""
        self._awaited.discard(watch)
        self._count_first_round()

    def _count_first_round(self) -> None:
        if not self._awaited:
            self.first_round.set()

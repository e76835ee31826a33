"""Watches all targets: judges what comes back, and shows what it comes to."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from geodns.health import verdict
from geodns.health.board import Board
from geodns.health.derived import Derived, Push
from geodns.health.dispatch import IN_FLIGHT_MAX, Dispatcher
from geodns.health.history import History
from geodns.health.journal import Journal
from geodns.health.memory import Memory, Remembered, still_known
from geodns.health.moment import Clocks, Moment, wall_ms
from geodns.health.observation import Observation
from geodns.health.overrides import Overrides
from geodns.health.ramp import STEP_S
from geodns.health.requests import told
from geodns.health.resume import past, relive, remembered, resume
from geodns.health.roster import Wanted, roster
from geodns.health.targets import Target, Watchlist
from geodns.health.teller import Teller
from geodns.health.watch import Check, Checks, Flight, Key, MakeProbe, Watch
from geodns.health.witness import Verdicts, Witnesses
from geodns.snapshot.status import FULL_WEIGHT, Verdict

log = logging.getLogger("geodns.health")


class Watcher:
    """All targets of the current generation. Belongs to one event loop.

    ``loaded`` is set by the first generation, ``first_round`` once each of its targets has a
    verdict, ``changed`` whenever what is to be remembered has changed.
    """

    def __init__(
        self,
        board: Board,
        memory: Memory,
        *,
        probe: MakeProbe,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = wall_ms,
        in_flight_max: int = IN_FLIGHT_MAX,
        behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self.generation: int | None = None
        self.loaded = asyncio.Event()
        self.first_round = asyncio.Event()
        self.changed = asyncio.Event()
        self.swept_s = self._ramped_s = clock()
        self.watches: dict[Key, Watch] = {}
        self._board = board
        self._memory = memory
        self._past = past(journal)
        self._clocks = Clocks(clock, wall_ms)
        self._checks = Checks(probe)
        self._teller = Teller(board, journal)
        self.counts = self._teller.counts
        self.dispatcher = Dispatcher(
            self._judge,
            lambda now_s: self._witnesses.last_recheck(now_s),
            clock,
            in_flight_max,
            behind,
        )
        verdicts = Verdicts(self._fall, self._again, self._calm, self._alarm)
        self._witnesses = Witnesses(self.dispatcher, verdicts)
        self.derived = Derived(self._show)
        self.overrides = Overrides(board, clock, wall_ms, journal)
        self._awaited: set[Watch] = set()

    def sweep(self) -> None:
        """Start every check that is due, and see what time alone has changed."""
        now = self._clocks.now()
        now_s = self.swept_s = now.steady_s
        self.dispatcher.sweep(now_s)
        self._witnesses.sweep(now)
        self.derived.sweep(now)
        self.overrides.sweep(now_s)
        if now_s - self._ramped_s >= STEP_S:
            self._ramped_s = now_s
            self._teller.raise_weights(self.watches.values(), now_s)

    def load(self, watchlist: Watchlist) -> int:
        """Watch what a generation names. Targets it does not change keep their state.

        Returns how many are new or changed.
        """
        now = self._clocks.now()
        fitting = [target for target in watchlist.targets if self._fits(target)]
        self.overrides.load(fitting, watchlist.book)
        wanted = roster(
            Watchlist(watchlist.generation, tuple(fitting), watchlist.monitors, watchlist.sites)
        )
        for key in self.watches.keys() - wanted.keys():
            self._drop(self.watches.pop(key))
        soon = {w for item in wanted.values() if (w := self._adopt(item, now)) is not None}
        for target in fitting:
            if target.monitor is None:
                self._board.disown(target.slot, target.tag)
        self.derived.watch(self.watches, now)
        self._witnesses.watch(self.watches.values(), now)
        self.dispatcher.checks_per_s = sum(
            c.cost / c.interval_s(now.steady_s) for c in self._checks
        )
        self.dispatcher.soon({w.check for w in soon if w.check}, now.steady_s)
        if self.generation is None:
            self._memory, self._past = {}, {}
            self._awaited = {watch for watch in self.watches.values() if watch.check}
            self._count_first_round()
        self.generation = watchlist.generation
        self.loaded.set()
        self.changed.set()
        log.info(
            "generation %d: watching %d targets by %d checks",
            watchlist.generation,
            sum(watch.slotted for watch in self.watches.values()),
            len(self._checks),
        )
        return len(soon)

    def push(self, push: Push) -> int:
        """Take in a verdict from outside; returns how many targets it is about."""
        return self.derived.push(push, self._clocks.now())

    def pushable(self, reachable: bool) -> None:
        """Whether anybody can push verdicts."""
        now_s = self._clocks.steady_s()
        self.derived.reachable(reachable, now_s)
        self.overrides.leases.reachable(reachable, now_s)

    def told(self, keys: Iterable[Key]) -> list[dict[str, Any]]:
        """What is known of some targets; of one alone also its past."""
        found = [self.watches[key] for key in keys if key in self.watches]
        now, whole = self._clocks.now(), len(found) == 1
        return [told(watch, self.dispatcher, now, whole=whole) for watch in found]

    def verdicts(self) -> list[Remembered]:
        """Every verdict there is, to be remembered."""
        now = self._clocks.now()
        items = (
            remembered(watch, self.derived.lease_s(watch, now.steady_s), now)
            for watch in self.watches.values()
        )
        return [item for item in items if item is not None]

    def shortest_interval_s(self) -> float:
        """Between the most frequent regular checks; infinite when there are none."""
        return min((w.monitor.interval_s for w in self.watches.values()), default=math.inf)

    def close(self) -> None:
        """Stop all probes under way."""
        for watch in self.watches.values():
            self._drop(watch)
        self.watches.clear()

    # Verdicts

    def _judge(self, flight: Flight, observation: Observation) -> None:
        now = self._clocks.now()
        passed = "passed" if observation.passed else "failed"
        self.counts["unable" if observation.unable else passed] += 1
        if not observation.unable:
            self._witnesses.saw(flight, observation.passed, now)
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
            self._witnesses.forget(watch)
        self._conclude(watch, observation.reason, now)
        if watch.state.condemned and not before.condemned:
            self._witnesses.condemn(watch, now)

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

    # Targets

    def _fits(self, target: Target) -> bool:
        if target.slot >= self._board.slots:
            log.error("%s: no slot %d in the status table; not watched", target, target.slot)
        return target.slot < self._board.slots

    def _adopt(self, wanted: Wanted, now: Moment) -> Watch | None:
        """Watch a target from now on; returns it if it should be checked soon."""
        target, monitor = wanted.target, wanted.monitor
        watch = self.watches.get((target.address, str(target.monitor)))
        if watch is None:
            return self._watch_anew(wanted, now)
        same = watch.monitor == monitor and watch.target.probed == target.probed
        moved = (watch.slotted, watch.target.slot, watch.target.tag) != (
            wanted.slotted,
            target.slot,
            target.tag,
        )
        watch.target, watch.site, watch.slotted = target, wanted.site, wanted.slotted
        if not same:
            self._leave_check(watch)
            watch.state, watch.monitor = verdict.resumed(watch.state), monitor
            self._checks.join(watch)
        if moved:
            self._teller.publish(watch, now.steady_s)
        return None if same else watch

    def _watch_anew(self, wanted: Wanted, now: Moment) -> Watch:
        target, monitor, now_s = wanted.target, wanted.monitor, now.steady_s
        watch = Watch(target, monitor, wanted.site, wanted.slotted, History(now_s), since_s=now_s)
        watch.reason = "not checked yet"
        if self.generation is None:  # later, a new target is new, whatever had its address
            self._resume(watch, now)
            relive(watch, self._past.get(watch.key, []), now)
        self.watches[watch.key] = watch
        self._checks.join(watch)
        self._teller.publish(watch, now_s)
        return watch

    def _resume(self, watch: Watch, now: Moment) -> None:
        """Go on from what was known before this process started."""
        board = self._board if watch.slotted else None
        found = still_known(self._memory, board, watch.target, watch.monitor, now.wall_ms)
        if found is None or watch.monitor.combines:
            return
        resume(watch, found, now)
        if watch.monitor.type == "push":
            lease_s = (found.until_ms - now.wall_ms) / 1000
            self.derived.renew(watch, watch.shown, lease_s, now.steady_s)
        if board is not None and watch.target.slow_start_s:
            word = board.word(watch.target.slot, watch.target.tag)
            grown = word.weight_factor == FULL_WEIGHT or watch.shown is not Verdict.UP
            watch.back_s = None if grown else watch.since_s

    def _drop(self, watch: Watch) -> None:
        self._leave_check(watch)
        self._witnesses.forget(watch)
        self._settled(watch)

    def _leave_check(self, watch: Watch) -> None:
        check = self._checks.leave(watch)
        if check is not None:
            self.dispatcher.forget(check)

"""Watches all targets: takes over what each generation names, and sees that it is checked."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from geodns.health import verdict
from geodns.health.board import Board
from geodns.health.derived import Push
from geodns.health.dispatch import IN_FLIGHT_MAX
from geodns.health.history import History
from geodns.health.journal import Journal
from geodns.health.judge import Judge
from geodns.health.memory import Memory, Remembered, still_known
from geodns.health.moment import Clocks, Moment, wall_ms
from geodns.health.overrides import Overrides
from geodns.health.ramp import STEP_S
from geodns.health.requests import told
from geodns.health.resume import past, relive, remembered, resume
from geodns.health.roster import Wanted, roster
from geodns.health.targets import Target, Watchlist
from geodns.health.teller import Teller
from geodns.health.watch import Checks, Key, MakeProbe, Watch
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
        self.swept_s = self._ramped_s = clock()
        self.watches: dict[Key, Watch] = {}
        self._board = board
        self._memory = memory
        self._past = past(journal)
        self._clocks = Clocks(clock, wall_ms)
        self._checks = Checks(probe)
        self._teller = Teller(board, journal)
        self._judge = Judge(self._teller, self._clocks, in_flight_max, behind)
        self.first_round, self.changed = self._judge.first_round, self._judge.changed
        self.dispatcher = self._judge.dispatcher
        self.overrides = Overrides(board, clock, wall_ms, journal)

    @property
    def counts(self) -> dict[str, Any]:
        """Checks, changes and whether all is held, for metrics."""
        return {**self._teller.counts, "checks": self._teller.tally.view()}

    def sweep(self) -> None:
        """Start every check that is due, and see what time alone has changed."""
        now = self._clocks.now()
        now_s = self.swept_s = now.steady_s
        self._judge.sweep(now)
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
        self._judge.derived.watch(self.watches, now)
        self._judge.witnesses.watch(self.watches.values(), now)
        self.dispatcher.checks_per_s = sum(
            c.cost / c.interval_s(now.steady_s) for c in self._checks
        )
        self.dispatcher.soon({w.check for w in soon if w.check}, now.steady_s)
        if self.generation is None:
            self._memory, self._past = {}, {}
            self._judge.wait_for(watch for watch in self.watches.values() if watch.check)
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
        return self._judge.derived.push(push, self._clocks.now())

    def pushable(self, reachable: bool) -> None:
        """Whether anybody can push verdicts."""
        now_s = self._clocks.steady_s()
        self._judge.derived.reachable(reachable, now_s)
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
            remembered(watch, self._judge.derived.lease_s(watch, now.steady_s), now)
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
            self._judge.derived.renew(watch, watch.shown, lease_s, now.steady_s)
        if board is not None and watch.target.slow_start_s:
            word = board.word(watch.target.slot, watch.target.tag)
            grown = word.weight_factor == FULL_WEIGHT or watch.shown is not Verdict.UP
            watch.back_s = None if grown else watch.since_s

    def _drop(self, watch: Watch) -> None:
        self._leave_check(watch)
        self._judge.forget(watch)

    def _leave_check(self, watch: Watch) -> None:
        check = self._checks.leave(watch)
        if check is not None:
            self.dispatcher.forget(check)

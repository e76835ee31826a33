"""Watches all targets: starts what is due, judges what comes back, writes status words."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from geodns.health import verdict
from geodns.health.board import Board
from geodns.health.memory import Memory, Remembered, still_known
from geodns.health.observation import Observation, Probe, failure
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.health.schedule import Agenda, fraction, next_check_s
from geodns.health.targets import Target, Watchlist
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Note, Verdict

IN_FLIGHT_MAX = 1000
"""Probes under way at once. Source: no reference; 1,000 dead nodes hold up nobody else, and
each costs a file descriptor."""

FIRST_CHECKS_PER_S = 500
"""How fast new targets are first checked. Source: half of the 1,000 to
1,400 checks that one core was measured to manage with httpx."""

MakeProbe = Callable[[str, Monitor], Probe]

log = logging.getLogger("geodns.health")
make_probe = ProbeMaker(Local())


@dataclass(slots=True, eq=False)
class _Watch:
    """A target being watched, and what is known of it."""

    target: Target
    monitor: Monitor
    probe: Probe
    state: verdict.State = field(default_factory=verdict.State)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    since_ms: int = 0
    checked_ms: int = 0

    @property
    def name(self) -> str:
        return f"{self.target.address} {self.target.monitor}"

    def void(self) -> None:
        """Stop the probes under way and be deaf to what they still say."""
        self.state = verdict.resumed(self.state)
        self.cancel()

    def cancel(self) -> None:
        for task in self.tasks - {asyncio.current_task()}:
            task.cancel()


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
        probe: MakeProbe = make_probe,
        clock: Callable[[], float] = time.monotonic,
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> None:
        self.generation: int | None = None
        self.loaded = asyncio.Event()
        self.first_round = asyncio.Event()
        self.changed = asyncio.Event()
        self.swept_s = clock()
        self._board = board
        self._memory = memory
        self._make_probe = probe
        self._clock = clock
        self._in_flight_max = in_flight_max
        self._in_flight = 0
        self._watches: dict[int, _Watch] = {}
        self._agenda = Agenda()
        self._awaited: set[int] = set()

    def sweep(self) -> None:
        """Start every check that is due, as far as there is room."""
        now_s = self.swept_s = self._clock()
        while self._in_flight < self._in_flight_max:
            slot = self._agenda.pop(now_s)
            if slot is None:
                return
            self._start_check(self._watches[slot], now_s)

    def load(self, watchlist: Watchlist) -> None:
        """Watch what a generation names. Targets it does not change keep their state."""
        wanted = {target.slot: target for target in watchlist.targets if self._fits(target)}
        probed = {slot for slot, target in wanted.items() if target.monitor is not None}
        for slot in self._watches.keys() - probed:
            self._drop(slot)
        soon = [slot for slot in probed if self._adopt(wanted[slot], watchlist)]
        for slot in wanted.keys() - probed:
            self._board.disown(slot, wanted[slot].tag)
        self._check_soon(soon)
        if self.generation is None:
            self._memory = {}
            self._awaited = probed
            self._count_first_round(None)
        self.generation = watchlist.generation
        self.loaded.set()
        self.changed.set()
        log.info("generation %d: watching %d targets", watchlist.generation, len(probed))

    def verdicts(self) -> list[Remembered]:
        """Every verdict there is, to be remembered."""
        return [
            Remembered.of(watch.target, watch.state.verdict, watch.since_ms, watch.checked_ms)
            for watch in self._watches.values()
            if watch.state.verdict is not Verdict.UNKNOWN
        ]

    def shortest_interval_s(self) -> float:
        """Between the most frequent regular checks; infinite when there are none."""
        return min((w.monitor.interval_s for w in self._watches.values()), default=float("inf"))

    def close(self) -> None:
        """Stop all probes under way."""
        for slot in list(self._watches):
            self._drop(slot)

    # Checks

    def _start_check(self, watch: _Watch, now_s: float) -> None:
        if watch.state.burst is not None or not watch.tasks:
            watch.state = verdict.launched(watch.state, now_s)
            self._in_flight += 1
            task = asyncio.create_task(self._check(watch, watch.state.epoch))
            watch.tasks.add(task)
            task.add_done_callback(lambda done: self._finish(watch, done))
        self._plan_next(watch, now_s)

    async def _check(self, watch: _Watch, epoch: int) -> None:
        try:
            observation = await watch.probe.observe()
        except Exception as error:  # a node must not stop its own checks by odd behaviour
            log.exception("%s: probe failed in itself", watch.target)
            observation = failure(f"probe failed: {type(error).__name__}: {error}")
        if epoch == watch.state.epoch:
            self._judge(watch, observation)

    def _finish(self, watch: _Watch, task: asyncio.Task[None]) -> None:
        self._in_flight -= 1
        watch.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s: check failed", watch.target, exc_info=task.exception())

    def _plan_next(self, watch: _Watch, now_s: float) -> None:
        slot = watch.target.slot
        if watch.state.burst is None:
            self._agenda.set(slot, next_check_s(watch.name, watch.monitor.interval_s, now_s))
            return
        due_s = verdict.recheck_due_s(watch.state, watch.monitor)
        if due_s is None:  # all are under way, the last to come back decides
            self._agenda.remove(slot)
        else:
            self._agenda.set(slot, due_s)

    # Verdicts

    def _judge(self, watch: _Watch, observation: Observation) -> None:
        now_s, before = self._clock(), watch.state
        watch.state = verdict.observed(
            before, watch.monitor, before.epoch, observation.passed, now_s
        )
        if watch.state.epoch != before.epoch:
            watch.cancel()
        watch.checked_ms = _wall_ms()
        if watch.state.verdict is not before.verdict:
            watch.since_ms = watch.checked_ms
        self._publish(watch, observation.reason, observation.elapsed_ms or 0, now_s)
        if watch.state.verdict is not before.verdict:
            self.changed.set()
            _log_change(watch, before, now_s, observation.reason)
        self._plan_next(watch, now_s)
        self._count_first_round(watch)

    def _publish(self, watch: _Watch, reason: str, elapsed_ms: float, now_s: float) -> None:
        note = Note(watch.since_ms, watch.checked_ms, int(elapsed_ms * 1000), reason)
        state, target = watch.state, watch.target
        self._board.show(target.slot, target.tag, state.verdict, state.unsettled(now_s), note)

    def _count_first_round(self, watch: _Watch | None) -> None:
        if watch is not None and watch.state.decided:
            self._awaited.discard(watch.target.slot)
        if not self._awaited:
            self.first_round.set()

    # Targets

    def _fits(self, target: Target) -> bool:
        if target.slot >= self._board.slots:
            log.error("%s: no slot %d in the status table; not watched", target, target.slot)
        return target.slot < self._board.slots

    def _adopt(self, target: Target, watchlist: Watchlist) -> bool:
        """Watch a target from now on; whether it should be checked soon."""
        monitor = watchlist.monitor_of(target)
        assert monitor is not None  # the watchlist is checked when it is read
        watch = self._watches.get(target.slot)
        if watch is None or _identity(watch.target) != _identity(target):
            self._drop(target.slot)
            self._watch_anew(target, monitor)
            return True
        same = watch.monitor == monitor and watch.target.probed == target.probed
        watch.target = target
        if not same:
            watch.void()
            watch.monitor, watch.probe = monitor, self._make_probe(target.probed, monitor)
        return not same

    def _watch_anew(self, target: Target, monitor: Monitor) -> None:
        watch = _Watch(target, monitor, self._make_probe(target.probed, monitor))
        found = None
        if self.generation is None:  # later, a new target is new, whatever had its address
            found = still_known(self._memory, self._board, target, monitor, _wall_ms())
        if found is not None:
            age_s = max(0.0, (_wall_ms() - found.since_ms) / 1000)
            known = Verdict[found.verdict.upper()]
            watch.state = verdict.State(known, since_s=self._clock() - age_s)
            watch.since_ms, watch.checked_ms = found.since_ms, found.checked_ms
        self._watches[target.slot] = watch
        reason = "not checked yet" if found is None else "as before the restart"
        self._publish(watch, reason, 0, self._clock())

    def _drop(self, slot: int) -> None:
        watch = self._watches.pop(slot, None)
        if watch is None:
            return
        watch.void()
        self._agenda.remove(slot)
        self._awaited.discard(slot)
        self._count_first_round(None)

    def _check_soon(self, slots: list[int]) -> None:
        now_s = self._clock()
        spread_s = len(slots) / FIRST_CHECKS_PER_S
        for slot in slots:
            self._agenda.set(slot, now_s + fraction(self._watches[slot].name) * spread_s)


def _identity(target: Target) -> tuple[object, ...]:
    return target.tag, target.address, target.monitor


def _log_change(watch: _Watch, before: verdict.State, now_s: float, reason: str) -> None:
    known = before.verdict is not Verdict.UNKNOWN
    lasted_s = now_s - before.since_s
    after = f" after {lasted_s:.{1 if lasted_s < 10 else 0}f} s" if known else ""
    change = f"{before.verdict.name.lower()} -> {watch.state.verdict.name.lower()}"
    log.info("%s: %s%s: %s", watch.target, change, after, reason)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000

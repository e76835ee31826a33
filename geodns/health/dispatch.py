"""Starts checks when they are due: in step with nothing, never too many at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import cast

from geodns.health import verdict
from geodns.health.observation import Observation, failure
from geodns.health.schedule import TICK_S, Agenda, next_check_s
from geodns.health.watch import NO_EPOCH, Check, Flight, Watch

IN_FLIGHT_MAX = 4000
"""Probes under way at once. Source: no reference; the bursts of 1,000 nodes that died together,
and each costs a file descriptor."""

HOST_IN_FLIGHT_MAX = 64
"""The same for one address. Source: no reference; half of the shortest usual listen backlog."""

CHECKS_PER_S = 1000
"""How fast many checks that are due at once are started, if they are not due so often anyway.
Source: measured, half of what one core manages with plain http probes."""

PACE = 1.5
"""So much faster than on average regular checks are started at most. Source: the issue that asked
for it."""

SAMPLES_MAX = 8
"""Extra probes of one check under way, that only see whether anything answers. Source: no
reference; a witness that hangs is none."""

LATE_TICK_S = 0.25
"""A sweep that comes late starts what was due meanwhile, but no more than in so long. Source: the
lateness that is promised; more at once would be slow by our own fault."""

STALL_S = 2.0
"""What was missed in shorter gaps is made up for, at up to twice the pace; what was missed in a
longer one is not. Source: no reference; on a machine with four times more to do than it can, gaps
were below 2 s (measured), and without it the checker fell further behind with each."""

LATENESS_KEPT = 8192

log = logging.getLogger("geodns.health")


class Dispatcher:
    """Starts probes and hands on what they saw. Belongs to one event loop.

    ``lateness_s`` holds how late the last regular checks were started.
    """

    def __init__(
        self,
        judge: Callable[[Flight, Observation], None],
        last_recheck: Callable[[float], None],
        clock: Callable[[], float],
        in_flight_max: int = IN_FLIGHT_MAX,
        behind: Callable[[], bool] = lambda: False,
    ) -> None:
        """``last_recheck`` is told whenever a burst has started all its probes; while ``behind``,
        this process has more replies to read than it can, and regular checks wait."""
        self.in_flight = 0
        self.checks_per_s = 0.0
        self.lateness_s: deque[float] = deque(maxlen=LATENESS_KEPT)
        self._judge = judge
        self._last_recheck = last_recheck
        self._clock = clock
        self._in_flight_max = in_flight_max
        self._behind = behind
        self._hosts: Counter[str] = Counter()
        self._parked: dict[str, deque[Check]] = {}
        self._regular: Agenda[Check] = Agenda()
        self._urgent: Agenda[Check] = Agenda()
        self._swept_s: float | None = None
        self._credit = 0.0

    def sweep(self, now_s: float) -> None:
        """Start every check that is due, as far as there is room; re-checks first."""
        while self.in_flight < self._in_flight_max and (due := self._urgent.pop(now_s)):
            self._start(due[1], now_s)
        most = self._refill(now_s)
        while most >= 1 and self.in_flight < self._in_flight_max and not self._behind():
            regular = self._regular.pop(now_s)
            if regular is None:
                self._credit = min(self._credit, 0.0)  # nothing was missed
                return
            due_s, check = regular
            self._credit -= check.cost
            most -= check.cost
            self.lateness_s.append(now_s - due_s)
            self._start(check, now_s)

    def plan(self, check: Check, now_s: float) -> None:
        """Set when a check is due next, by the states of its watches."""
        if any(watch.bursting for watch in check.watches):
            self._regular.remove(check)
            dues_s = [due for watch in check.watches if (due := watch.recheck_due_s()) is not None]
            if dues_s:
                self._urgent.set(check, min(dues_s))
            else:  # all are under way, the last to come back decides
                self._urgent.remove(check)
        else:
            self._urgent.remove(check)
            interval_s = check.interval_s(now_s)
            self._regular.set(check, next_check_s(check.name, interval_s, now_s))

    def soon(self, checks: Iterable[Check], now_s: float) -> None:
        """Make checks due now: many of them one after the other, in the order of their phases, so
        that those of the next round do not fall in with them."""
        phases = ((next_check_s(c.name, c.interval_s(now_s), now_s), c.name, c) for c in checks)
        for _, _, check in sorted(phases):
            self._regular.set(check, now_s)
            now_s += check.cost / CHECKS_PER_S

    def sample(self, check: Check, now_s: float) -> bool:
        """Probe at once and besides what is due, for its sight alone; whether there was room."""
        if len(check.flights) >= SAMPLES_MAX:
            return False
        self._fly_for(check, now_s, tuple((watch, NO_EPOCH) for watch in check.watches))
        return True

    def forget(self, check: Check) -> None:
        """Check it no more."""
        self._regular.remove(check)
        self._urgent.remove(check)
        check.cancel()

    def next_s(self, check: Check) -> float | None:
        """When a check is due next; None while one is being waited for."""
        urgent_s = self._urgent.due_s(check)
        return urgent_s if urgent_s is not None else self._regular.due_s(check)

    def _refill(self, now_s: float) -> float:
        """How much may be started now. Regular checks keep to a pace: what waited while this
        process was stopped is not started all at once."""
        rate = max(CHECKS_PER_S, PACE * self.checks_per_s)
        passed_s = TICK_S if self._swept_s is None else now_s - self._swept_s
        self._swept_s = now_s
        self._credit += rate * passed_s
        if passed_s > STALL_S:
            self._credit = rate * TICK_S
        self._credit = min(self._credit, max(1.0, rate * STALL_S))
        return min(self._credit, max(1.0, rate * min(max(2 * TICK_S, passed_s), LATE_TICK_S)))

    def _start(self, check: Check, now_s: float) -> None:
        if check.parked or not check.watches:
            return
        if self._hosts[check.host] >= HOST_IN_FLIGHT_MAX:
            check.parked = True
            self._parked.setdefault(check.host, deque()).append(check)
            return
        if any(watch.bursting for watch in check.watches):
            dues = [(watch.recheck_due_s(), watch) for watch in check.watches]
            due = [watch for due_s, watch in dues if due_s is not None and due_s <= now_s]
            if due:
                self._launch(check, due, now_s)
        elif not check.busy:
            self._launch(check, check.watches, now_s)
        self.plan(check, now_s)

    def _launch(self, check: Check, watches: list[Watch], now_s: float) -> None:
        for watch in watches:
            watch.state = verdict.launched(watch.state, now_s)
        self._fly_for(check, now_s, tuple((watch, watch.state.epoch) for watch in watches))
        if any(watch.bursting and watch.recheck_due_s() is None for watch in watches):
            self._last_recheck(now_s)

    def _fly_for(self, check: Check, now_s: float, watches: tuple[tuple[Watch, int], ...]) -> None:
        self.in_flight += 1
        self._hosts[check.host] += 1
        flight = Flight(check, now_s, watches)
        task = asyncio.create_task(self._fly(flight))
        check.flights[task] = flight
        task.add_done_callback(lambda done: self._landed(check, done))

    async def _fly(self, flight: Flight) -> None:
        try:
            observation = await flight.check.probe.observe()
        except Exception as error:  # a node must not stop its own checks by odd behaviour
            log.exception("%s: probe failed in itself", flight.watches[0][0].target)
            observation = failure(f"probe failed: {type(error).__name__}: {error}")
        # Out of the way first: this task must not be stopped by what it brings about.
        flight.check.flights.pop(cast(asyncio.Task[None], asyncio.current_task()))
        self._judge(flight, observation)

    def _landed(self, check: Check, task: asyncio.Task[None]) -> None:
        self.in_flight -= 1
        self._hosts[check.host] -= 1
        if not self._hosts[check.host]:
            del self._hosts[check.host]
        check.flights.pop(task, None)
        self._unpark(check.host)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s: check failed", check.name, exc_info=task.exception())

    def _unpark(self, host: str) -> None:
        waiting = self._parked.get(host)
        if waiting:
            check = waiting.popleft()
            check.parked = False
            self._urgent.set(check, self._clock())
        elif waiting is not None:
            del self._parked[host]

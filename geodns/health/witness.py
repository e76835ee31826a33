"""Who vouches for the checker before a target falls: canaries, else other targets.

When a burst starts its last re-check, witnesses are probed in the same moment. One that answers
shows that the network was well when that re-check was sent, and the target falls. If none answers,
the target waits; what is sent later says nothing of that moment, for the network may have come
back: if it is answered, the burst is repeated. What fails in common is the checker's fault
(`doubt`): the last good state is held, and one alarm told, until something answers again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from geodns.health import doubt
from geodns.health.dispatch import Dispatcher
from geodns.health.doubt import Sight
from geodns.health.moment import Moment
from geodns.health.watch import Check, Flight, Watch

SAMPLE = 4
"""How many other targets are probed where there are no canaries. Source: no reference; of those
that answered last one at least will, while more than a fifth of a fleet is well."""

RECENT = 64
"""Source: no reference; enough to find SAMPLE sites among them."""

PONDER_S = 0.25
"""How often those that wait are thought over, and how long one waits before all others are asked.
Source: no reference; what a probe across the world takes."""

CANARIES_EVERY_S = 1.0
"""How often canaries are probed while somebody waits. Source: no reference; the network's return
is noticed within so long."""


MEMORY_S = 120.0
"""How long a witness is remembered. Source: twice the longest timeout a monitor may have."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the watcher does with a condemned target: let it fall, ask it again, show it calm."""

    fall: Callable[[Watch, Moment], None]
    again: Callable[[Watch, Moment], None]
    calm: Callable[[Watch, Moment], None]
    alarm: Callable[[str, bool, Moment], None]


class Witnesses:
    """Holds the condemned until somebody vouches for the checker. Belongs to one watcher."""

    def __init__(self, dispatcher: Dispatcher, verdicts: Verdicts) -> None:
        self.holding = False
        self._dispatcher = dispatcher
        self._verdicts = verdicts
        self._targets: list[Watch] = []
        self._canaries: list[Watch] = []
        self._can_tell = False
        self._condemned: dict[Watch, None] = {}  # in order
        self._recent: deque[Watch] = deque(maxlen=RECENT)
        self._witness_s = -math.inf
        self._answered: dict[float, None] = {}  # when probes that were answered were started
        self._sampled_s = -math.inf
        self._pondered_s = -math.inf
        self._asked_s = -math.inf
        self._hastened_s = -math.inf
        self._held_s = -math.inf

    def watch(self, watches: Iterable[Watch], now: Moment) -> None:
        """All that is watched from now on."""
        probed = [watch for watch in watches if watch.check is not None]
        self._targets = [watch for watch in probed if not watch.monitor.canary]
        self._canaries = [watch for watch in probed if watch.monitor.canary]
        self._can_tell = doubt.can_tell([watch.site for watch in self._targets])
        self._condemned = {w: None for w in self._condemned if w.check and w.state.condemned}
        if not self._can_tell:
            self._release(now)

    def last_recheck(self, now_s: float) -> None:
        """A burst has started its last probe: ask the witnesses in the same moment."""
        if not self._can_tell or now_s <= self._sampled_s:
            return
        self._sampled_s = now_s
        for check in self._canary_checks() or self._sample():
            self._dispatcher.sample(check, now_s)

    def saw(self, flight: Flight, passed: bool, now: Moment) -> None:
        """A probe has come back, whatever for."""
        for watch, _ in flight.watches:
            if watch.check is not flight.check:
                continue  # watched no more
            if watch.sight is None or watch.sight.started_s <= flight.started_s:
                watch.sight = Sight(flight.started_s, passed, watch.site)
            if passed:
                self._recent.append(watch)
                if watch.monitor.canary or not self._canaries:
                    self._testify(flight.started_s, now)

    def condemn(self, watch: Watch, now: Moment) -> None:
        """Every re-check of a target has failed; it falls now, or when somebody vouches for us."""
        burst = watch.state.burst
        assert burst is not None
        if not self._can_tell:
            self._verdicts.fall(watch, now)
            return
        if burst.launched == 0:
            self.last_recheck(now.steady_s)
        self._condemned[watch] = None
        if self.holding:
            self._verdicts.calm(watch, now)
        else:
            self._settle(watch, now)

    def sweep(self, now: Moment) -> None:
        """Think over those that wait."""
        now_s = now.steady_s
        if now_s - self._pondered_s < PONDER_S or not (self._condemned or self.holding):
            return
        self._pondered_s = now_s
        if now_s - self._asked_s >= CANARIES_EVERY_S:
            self._asked_s = now_s
            for check in self._canary_checks():
                self._dispatcher.sample(check, now_s)
        since_s = min((_launched_s(watch) for watch in self._condemned), default=math.inf)
        self._hasten(since_s, now_s)
        targets, canaries = _sights(self._targets), _sights(self._canaries)
        cleared_s = doubt.cleared_s(targets, canaries)
        if self.holding:
            if not self._condemned or cleared_s >= self._held_s:
                self._release(now)
        elif doubt.to_blame(targets, canaries, since_s):
            self._hold(targets, now)
        else:
            for watch in [w for w in self._condemned if _launched_s(w) <= cleared_s]:
                self._fall(watch, now)

    def forget(self, watch: Watch) -> None:
        """It is watched no more, or has answered."""
        self._condemned.pop(watch, None)

    def _testify(self, started_s: float, now: Moment) -> None:
        """Something has answered a probe that was started at a moment."""
        if started_s in self._answered:
            return
        now_s = now.steady_s
        self._answered[started_s] = None
        while (oldest_s := next(iter(self._answered), now_s)) < now_s - MEMORY_S:
            del self._answered[oldest_s]
        self._witness_s = max(self._witness_s, started_s)
        if self.holding:
            self._release(now)
        for watch in list(self._condemned):
            self._settle(watch, now)

    def _settle(self, watch: Watch, now: Moment) -> None:
        burst = watch.state.burst
        if burst is None or burst.condemned_s is None:
            self.forget(watch)
        elif burst.launched_s in self._answered:
            self._fall(watch, now)
        elif self._witness_s > burst.condemned_s:
            self.forget(watch)
            self._verdicts.again(watch, now)

    def _fall(self, watch: Watch, now: Moment) -> None:
        self.forget(watch)
        self._verdicts.fall(watch, now)

    def _hold(self, targets: Sequence[Sight], now: Moment) -> None:
        self.holding, self._held_s = True, now.steady_s
        failing = [target for target in targets if not target.passed]
        canaries = f" and all {len(self._canaries)} canaries" if self._canaries else ""
        self._verdicts.alarm(
            f"perhaps it is me: {len(failing)} of {len(targets)} targets in "
            f"{len({target.site for target in failing})} sites{canaries} fail together; "
            "the last good state is held",
            True,
            now,
        )
        for watch in list(self._condemned):
            self._verdicts.calm(watch, now)

    def _release(self, now: Moment) -> None:
        if self.holding:
            self.holding = False
            self._verdicts.alarm("something answers again: verdicts go on", False, now)
        for watch in list(self._condemned):
            self.forget(watch)
            self._verdicts.again(watch, now)

    def _hasten(self, since_s: float, now_s: float) -> None:
        """Ask all that have said nothing since: once for each time somebody waits in vain."""
        if now_s - since_s < PONDER_S or self._hastened_s >= since_s:
            return
        self._hastened_s = now_s
        late = {w.check: None for w in self._targets if w.check and not _fresh(w, since_s)}
        self._dispatcher.soon((check for check in late if not check.busy), now_s)

    def _canary_checks(self) -> list[Check]:
        return list({watch.check: None for watch in self._canaries if watch.check})

    def _sample(self) -> list[Check]:
        """Those that answered last, no two in one site."""
        chosen: dict[str, Check] = {}
        for watch in reversed(self._recent):
            if watch.check and watch.sight and watch.sight.passed:
                chosen.setdefault(watch.site, watch.check)
            if len(chosen) == SAMPLE:
                break
        return list(chosen.values())


def _launched_s(watch: Watch) -> float:
    return watch.state.burst.launched_s if watch.state.burst else math.inf


def _fresh(watch: Watch, since_s: float) -> bool:
    return watch.sight is not None and watch.sight.started_s >= since_s


def _sights(watches: Iterable[Watch]) -> list[Sight]:
    return [watch.sight or Sight(-math.inf, False, watch.site) for watch in watches]

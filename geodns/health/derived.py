"""Verdicts that no probe makes: those combined from others, and those pushed from outside.

A pushed verdict holds for its lease, and lapses to down. While the control process is away nobody
can push: leases stand still then, or its death would be everybody's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from geodns.health.combine import combined
from geodns.health.moment import Moment
from geodns.health.observation import clean
from geodns.health.watch import Key, Watch
from geodns.snapshot.status import Verdict

Show = Callable[[Watch, Verdict, str, Moment], None]


@dataclass(frozen=True, slots=True)
class _Lease:
    verdict: Verdict
    pushed_s: float
    lease_s: float


@dataclass(frozen=True, slots=True)
class Push:
    """A verdict that somebody sends. Shape: of all addresses of a node, or of one."""

    monitor: str
    node: str
    verdict: Verdict
    lease_s: float
    address: str | None = None
    reason: str = ""


class Derived:
    """All watches that are not probed. Belongs to one watcher."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._watches: Mapping[Key, Watch] = {}
        self._parents: dict[Watch, list[Watch]] = {}
        self._leases: dict[Watch, _Lease] = {}
        self._reachable = True

    def watch(self, watches: Mapping[Key, Watch], now: Moment) -> None:
        """All that is watched from now on; combines anew."""
        self._watches = watches
        self._parents = {}
        combining = [watch for watch in watches.values() if watch.monitor.combines]
        for watch in combining:
            for part in self._parts(watch):
                self._parents.setdefault(part, []).append(watch)
        self._leases = {w: lease for w, lease in self._leases.items() if watches.get(w.key) is w}
        done: set[Watch] = set()
        for watch in combining:
            self._combine_after_parts(watch, done, now)

    def changed(self, part: Watch, now: Moment) -> None:
        """Combine anew what depends on a watch, and what depends on that."""
        for parent in self._parents.get(part, ()):
            self._combine(parent, now)

    def push(self, push: Push, now: Moment) -> int:
        """Take a verdict in; returns how many targets it is about."""
        found = [watch for watch in self._watches.values() if _is_about(push, watch)]
        for watch in found:
            lease_s = min(push.lease_s, watch.monitor.lease_s or math.inf)
            self._leases[watch] = _Lease(push.verdict, now.steady_s, lease_s)
            self._show(watch, push.verdict, clean(push.reason) or "as pushed", now)
        return len(found)

    def renew(self, watch: Watch, verdict: Verdict, lease_s: float, now_s: float) -> None:
        """Go on with a verdict that was pushed before this process started."""
        self._leases[watch] = _Lease(verdict, now_s, lease_s)

    def lease_s(self, watch: Watch, now_s: float) -> float:
        """How long a pushed verdict will hold; 0 for what was not pushed."""
        lease = self._leases.get(watch)
        return max(0.0, lease.pushed_s + lease.lease_s - now_s) if lease else 0.0

    def reachable(self, reachable: bool, now_s: float) -> None:
        """Whether anybody can push; once they can again, every lease starts anew."""
        if reachable and not self._reachable:
            self._leases = {w: replace(x, pushed_s=now_s) for w, x in self._leases.items()}
        self._reachable = reachable

    def sweep(self, now: Moment) -> None:
        """Let the verdicts go whose leases have lapsed."""
        if not self._leases or not self._reachable:
            return
        for watch, lease in list(self._leases.items()):
            age_s = now.steady_s - lease.pushed_s
            if age_s > lease.lease_s:
                del self._leases[watch]
                reason = f"nothing pushed for {age_s:.0f} s, lease {lease.lease_s:g} s"
                self._show(watch, Verdict.DOWN, reason, now)

    def _combine_after_parts(self, watch: Watch, done: set[Watch], now: Moment) -> None:
        """Depth first; documents refuse circles, and ``done`` ends them here."""
        if watch in done:
            return
        done.add(watch)
        for part in self._parts(watch):
            if part.monitor.combines:
                self._combine_after_parts(part, done, now)
        self._combine(watch, now)

    def _combine(self, watch: Watch, now: Moment) -> None:
        said = {str(part.target.monitor): part.shown for part in self._parts(watch)}
        parts = [said.get(part_id, Verdict.UNKNOWN) for part_id in watch.monitor.of]
        named = zip(watch.monitor.of, parts, strict=True)
        reason = ", ".join(f"{part_id} {verdict.name.lower()}" for part_id, verdict in named)
        reason = clean(f"{watch.monitor.type}: {reason}")
        self._show(watch, combined(watch.monitor, parts), reason, now)

    def _parts(self, watch: Watch) -> list[Watch]:
        keys = ((watch.target.address, part_id) for part_id in watch.monitor.of)
        return [self._watches[key] for key in keys if key in self._watches]


def _is_about(push: Push, watch: Watch) -> bool:
    return (
        watch.monitor.type == "push"
        and watch.target.monitor == push.monitor
        and push.node in watch.target.nodes
        and push.address in (None, watch.target.address)
    )

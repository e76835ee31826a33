"""What is watched, and by which check: the records that the watcher keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from geodns.health import verdict
from geodns.health.doubt import Sight
from geodns.health.history import History
from geodns.health.observation import Observation, Probe
from geodns.health.probes.make import cost_of
from geodns.health.quorum import Vote
from geodns.health.schedule import back_off_s
from geodns.health.targets import Target
from geodns.model.monitor import UNPROBED, Monitor
from geodns.snapshot.status import Verdict

NO_EPOCH = -1
"""Of a probe that no verdict is made from."""

Key = tuple[str, str]
"""What a watch is about: (address, monitor id)."""

MakeProbe = Callable[[str, Monitor], Probe]

_NOT_ON_THE_WIRE = frozenset(
    {
        "interval_s",
        "rise",
        "recheck",
        "recheck_after_s",
        "hold_s",
        "damping",
        "lease_s",
        "canary",
        "of",
        "count",
    }
)
"""Fields that say when to probe and what to make of it, not how."""


@dataclass(slots=True, eq=False)
class Watch:
    """One address as one monitor sees it.

    Shape: without a slot of its own (``slotted`` False) it is watched for the sake of others: a
           part of a combined monitor, or a canary. ``check`` is None if nothing is probed.
    Units: ``since_s`` on the clock of the watcher, ``since_ms`` and ``checked_ms`` of the wall.
    """

    target: Target
    monitor: Monitor
    site: str
    slotted: bool
    history: History
    check: Check | None = None
    state: verdict.State = field(default_factory=verdict.State)
    votes: dict[str, Vote] = field(default_factory=dict)
    shown: Verdict = Verdict.UNKNOWN
    since_s: float = 0.0
    since_ms: int = 0
    checked_ms: int = 0
    reason: str = ""
    last: Observation | None = None
    sight: Sight | None = None
    back_s: float | None = None

    @property
    def key(self) -> Key:
        return self.target.address, str(self.target.monitor)

    @property
    def bursting(self) -> bool:
        """Whether re-checks are still to be started or waited for."""
        return self.state.burst is not None and not self.state.condemned

    def recheck_due_s(self) -> float | None:
        """When its next re-check is to start, if one is."""
        return verdict.recheck_due_s(self.state, self.monitor) if self.bursting else None

    def interval_s(self, now_s: float) -> float:
        """Between its regular checks: more and more for the long dead."""
        state, interval_s = self.state, self.monitor.interval_s
        if state.verdict is not Verdict.DOWN or state.passes:
            return interval_s
        return back_off_s(interval_s, now_s - state.since_s)


@dataclass(frozen=True, slots=True)
class Flight:
    """One probe under way: when it was started, and for whom, in which epoch of each."""

    check: Check
    started_s: float
    watches: tuple[tuple[Watch, int], ...]

    def awaited(self) -> bool:
        """Whether a verdict may still be made from it."""
        return any(epoch == watch.state.epoch for watch, epoch in self.watches)

    def sample(self) -> bool:
        """Whether it only looks if anything answers."""
        return any(epoch == NO_EPOCH for _, epoch in self.watches)


@dataclass(slots=True, eq=False)
class Check:
    """A probe repeated, on behalf of all watches that would send the same."""

    name: str
    host: str
    probe: Probe
    cost: float = 1.0
    watches: list[Watch] = field(default_factory=list)
    flights: dict[asyncio.Task[None], Flight] = field(default_factory=dict)
    parked: bool = False

    @property
    def busy(self) -> bool:
        """Whether a probe is under way that a verdict waits for."""
        return any(flight.awaited() for flight in self.flights.values())

    def interval_s(self, now_s: float) -> float:
        """As often as the most frequent of its watches asks."""
        return min(watch.interval_s(now_s) for watch in self.watches)

    def settle(self) -> None:
        """Stop the probes that no verdict waits for any more."""
        for task, flight in self.flights.items():
            if not flight.awaited() and not flight.sample():
                task.cancel()

    def cancel(self) -> None:
        """Stop all probes under way."""
        for task in self.flights:
            task.cancel()


class Checks:
    """Every check there is, by what it sends."""

    def __init__(self, make_probe: MakeProbe) -> None:
        self._make_probe = make_probe
        self._checks: dict[str, Check] = {}

    def __len__(self) -> int:
        return len(self._checks)

    def __iter__(self) -> Iterator[Check]:
        return iter(list(self._checks.values()))

    def join(self, watch: Watch) -> None:
        """Give a watch the check that sends what its monitor asks for, unless it is unprobed."""
        if watch.monitor.type in UNPROBED:
            return
        name = wire_name(watch.target.probed, watch.monitor)
        check = self._checks.get(name)
        if check is None:
            probe = self._make_probe(watch.target.probed, watch.monitor)
            cost = cost_of(watch.monitor)
            check = self._checks[name] = Check(name, watch.target.probed, probe, cost)
        check.watches.append(watch)
        watch.check = check

    def leave(self, watch: Watch) -> Check | None:
        """Take a watch off its check; returns the check if nobody needs it any more."""
        check, watch.check = watch.check, None
        if check is None:
            return None
        check.watches.remove(watch)
        if check.watches:
            return None
        return self._checks.pop(check.name)


def wire_name(probed: str, monitor: Monitor) -> str:
    """Equal for two checks that send the same octets to the same place and judge them alike."""
    text = monitor.model_dump_json(exclude=set(_NOT_ON_THE_WIRE))
    return f"{probed} {blake2b(text.encode(), digest_size=8).hexdigest()}"

"""What others ask of the health process over its link, read totally, and what it answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geodns.health.derived import Push
from geodns.health.dispatch import Dispatcher
from geodns.health.history import Transition
from geodns.health.moment import Moment
from geodns.health.watch import Watch
from geodns.model.base import Id
from geodns.snapshot.status import Verdict

TARGETS_MAX = 100
"""Targets told of at once. Source: no reference; a line of some 100 kB."""

REASON_MAX_CHARS = 1024


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class PushRequest(_Request):
    """A verdict from outside; see `Push`."""

    monitor: Id
    node: Id
    state: Literal["up", "down"]
    lease_s: float = Field(gt=0, le=86_400)
    address: str | None = Field(default=None, max_length=1024)
    reason: str = Field(default="", max_length=REASON_MAX_CHARS)

    def push(self) -> Push:
        """The same in the words of the watcher."""
        verdict = Verdict[self.state.upper()]
        return Push(self.monitor, self.node, verdict, self.lease_s, self.address, self.reason)


class BeatRequest(_Request):
    """A sign of life of a node that has a lease."""

    node: Id
    load: float | None = None


class AskRequest(_Request):
    """Targets, as (address, monitor), to be told of; with their transitions if it is one."""

    id: int
    targets: tuple[tuple[str, str], ...] = Field(max_length=TARGETS_MAX, strict=False)


class Request(_Request):
    """One line of the link. Shape: any of these, or several."""

    generation: int | None = None
    control: bool | None = None
    push: PushRequest | None = None
    beat: BeatRequest | None = None
    ask: AskRequest | None = None


def told(watch: Watch, dispatcher: Dispatcher, now: Moment, *, whole: bool) -> dict[str, Any]:
    """What there is to know of a target beyond its word and note.

    Units: as the names say; ``next_check_in_s`` is None while a check is being waited for.
    """
    now_s = now.steady_s
    next_s = dispatcher.next_s(watch.check) if watch.check else None
    damping = watch.state.damping
    last = watch.last
    said: dict[str, Any] = {
        "address": watch.target.address,
        "monitor": watch.target.monitor,
        "nodes": list(watch.target.nodes),
        "site": watch.site,
        "canary": watch.monitor.canary,
        "state": watch.shown.name.lower(),
        "since_ms": watch.since_ms,
        "lasted_s": round(now_s - watch.since_s, 3),
        "checked_ms": watch.checked_ms,
        "reason": watch.reason,
        "flapping": damping.held,
        "last": None
        if last is None
        else {
            "passed": last.passed,
            "reason": last.reason,
            "elapsed_ms": last.elapsed_ms,
            "warning": last.warning,
            "certificate_days": last.certificate_days,
            "unable": last.unable,
        },
        "next_check_in_s": None if next_s is None else round(max(0.0, next_s - now_s), 3),
        "uptime": watch.history.uptime(now_s),
        "known_since_ms": now.wall_ms - int((now_s - watch.history.known_from_s) * 1000),
    }
    if whole:
        said["transitions"] = [_told(each) for each in watch.history.transitions]
    return said


def _told(transition: Transition) -> dict[str, Any]:
    return {
        "at_ms": transition.at_ms,
        "before": transition.before.name.lower(),
        "after": transition.after.name.lower(),
        "reason": transition.reason,
        "elapsed_ms": transition.elapsed_ms,
        "lasted_s": round(transition.lasted_s, 3),
    }

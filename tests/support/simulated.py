"""A target under simulated time: its regular checks and its bursts, by the pure rules alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from geodns.health.schedule import next_check_s
from geodns.health.verdict import State, fallen, launched, observed, recheck_due_s
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Verdict

Alive = Callable[[float], bool]
"""Whether a probe that is started at a moment passes."""


@dataclass
class Life:
    """What was shown of a target, as (when, verdict)."""

    changes: list[tuple[float, Verdict]] = field(default_factory=list)

    def named(self) -> list[str]:
        return [verdict.name.lower() for _, verdict in self.changes]


def lived(alive: Alive, until_s: float, *, name: str = "192.0.2.1 web", **fields: Any) -> Life:
    """Watch a target until a moment. The checker is always vouched for, replies come at once."""
    rules = Monitor.model_validate({"type": "tcp", "port": 1} | fields)
    state, life = State(Verdict.UP), Life()
    now_s = next_check_s(name, rules.interval_s, 0.0)
    while now_s < until_s:
        state = launched(state, now_s)
        shown = state.shown
        state = observed(state, rules, state.epoch, alive(now_s), now_s)
        if state.condemned:
            state = fallen(state, rules, now_s)
        if state.shown is not shown:
            life.changes.append((now_s, state.shown))
        due_s = recheck_due_s(state, rules) if state.burst else None
        now_s = due_s if due_s is not None else next_check_s(name, rules.interval_s, now_s)
    return life


def changed_hours(seed: int, hours: int, failing: float) -> int:
    """In how many target-hours a target changes that fails so many of its checks at random."""
    dice = random.Random(seed)
    life = lived(lambda _now_s: dice.random() >= failing, hours * 3600.0)
    return len({int(at_s // 3600) for at_s, _ in life.changes})

"""Health as clients see it: what the table says, and what the health process knows besides."""

from __future__ import annotations

from typing import Any

from geodns.api.ports import Health, Observer
from geodns.model.override import instant

DETAILED_MAX = 1000
"""Targets that `status` tells the past of. Source: no reference; of more, ask for each node."""

State = dict[str, Any]


async def node_status(observer: Observer, health: Health, node_id: str) -> State:
    """A node's health with the past of each target: transitions, uptime, next check."""
    status = observer.node_status(node_id)
    targets: list[State] = []
    for target in status["targets"]:
        found = await health.told([_key(target)]) if target.get("monitor") else []
        targets.append(target | _details(found[0], whole=True) if found else target)
    return {**status, "targets": targets}


async def server_status(observer: Observer, health: Health) -> State:
    """The server at a glance, each target with its uptime and its next check."""
    status = observer.status()
    targets: list[State] = status.get("targets", [])
    if not 0 < len(targets) <= DETAILED_MAX:
        return status
    watched = [_key(target) for target in targets if target.get("monitor")]
    # Of a single target the process tells the past as well, which is not wanted here.
    told = {(each["address"], each["monitor"]): each for each in await health.told(watched)}
    detailed = [
        target | _details(told[_key(target)], whole=False) if _key(target) in told else target
        for target in targets
    ]
    return {**status, "targets": detailed}


def _key(target: State) -> tuple[str, str]:
    return target["address"], target.get("monitor") or ""


def _details(told: State, *, whole: bool) -> State:
    details = {
        "lasted_s": told["lasted_s"],
        "flapping": told["flapping"],
        "next_check_in_s": told["next_check_in_s"],
        "uptime": told["uptime"],
        "uptime_since": instant(told["known_since_ms"]),
    }
    if not whole:
        return details
    transitions = [_transition(each) for each in reversed(told.get("transitions", []))]
    return {**details, "last": told["last"], "transitions": transitions}


def _transition(told: State) -> State:
    rest = {name: value for name, value in told.items() if name != "at_ms"}
    return {"at": instant(told["at_ms"]), **rest}

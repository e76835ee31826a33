"""What the server tells of the past and of the checks to come."""

from __future__ import annotations

import os
import signal
from typing import Any

from support.server import until

from .conftest import Fleet


def target_of(fleet: Fleet, node: str = "lon") -> dict[str, Any]:
    found: dict[str, Any] = fleet.server.api("GET", f"nodes/{node}")["status"]["targets"][0]
    return found


def changes(transitions: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [(each["at"], each["before"], each["after"], each["reason"]) for each in transitions]


def metric(fleet: Fleet, name: str) -> float:
    lines = fleet.server._client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name + " ")), -1.0)


CHECKS = 'geodns_health_checks_total{result="passed",type="http"}'


def test_a_node_tells_its_transitions_its_uptime_and_its_next_check(fleet: Fleet) -> None:
    fleet.nodes["lon"].stop()
    until(lambda: target_of(fleet)["state"] == "down")
    fleet.nodes["lon"].start()
    until(lambda: target_of(fleet)["state"] == "up")
    seen = target_of(fleet)
    last, before = seen["transitions"][:2]
    assert (last["before"], last["after"]) == ("down", "up")
    assert (before["before"], before["after"]) == ("up", "down")
    assert "refused" in before["reason"]
    assert last["lasted_s"] > 0
    assert before["at"] < last["at"]
    assert 0 < seen["uptime"]["1h"] < 1
    assert seen["uptime_since"] < before["at"]
    assert 0 <= seen["next_check_in_s"] <= 1.1
    assert seen["last"]["passed"]


def test_the_past_outlives_the_health_process(fleet: Fleet) -> None:
    fleet.nodes["fra"].stop()
    until(lambda: target_of(fleet, "fra")["state"] == "down")
    seen = target_of(fleet, "fra")["transitions"]
    os.kill(fleet.server.pid_of("health"), signal.SIGKILL)
    until(lambda: not fleet.server.ready())
    until(fleet.server.ready)
    until(lambda: "transitions" in target_of(fleet, "fra"))
    again = target_of(fleet, "fra")
    assert changes(again["transitions"][-len(seen) :]) == changes(seen)
    assert again["uptime"]["1h"] < 1
    fleet.nodes["fra"].start()
    until(lambda: target_of(fleet, "fra")["state"] == "up")


def test_the_status_tells_of_every_target(fleet: Fleet) -> None:
    targets = fleet.server.api("GET", "status")["targets"]
    assert len(targets) >= 3
    assert all({"uptime", "next_check_in_s", "override"} <= target.keys() for target in targets)


def test_the_status_is_told_when_health_is_mute(fleet: Fleet) -> None:
    pid = fleet.server.pid_of("health")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert fleet.server.api("GET", "nodes/lon")["status"]["state"] == "up"
    finally:
        os.kill(pid, signal.SIGCONT)


def test_metrics_count_checks_transitions_and_states(fleet: Fleet) -> None:
    passed = metric(fleet, CHECKS)
    until(lambda: metric(fleet, CHECKS) > passed)
    timed = metric(fleet, 'geodns_health_check_duration_seconds_count{type="http"}')
    assert timed >= passed > 0
    assert metric(fleet, 'geodns_targets{state="up"}') == 3
    assert metric(fleet, "geodns_health_holding") == 0
    down = metric(fleet, 'geodns_health_transitions_total{to="down"}')
    fleet.nodes["nyc"].stop()
    until(lambda: metric(fleet, 'geodns_targets{state="down"}') == 1)
    until(lambda: metric(fleet, 'geodns_health_transitions_total{to="down"}') == down + 1)
    fleet.nodes["nyc"].start()

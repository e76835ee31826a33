"""The event stream: health as it changes, and what a reader missed while it was away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.server import until

from .conftest import Fleet


@contextmanager
def events(fleet: Fleet, last: str | None = None) -> Iterator[Iterator[tuple[str, str, Any]]]:
    headers = {"Authorization": f"Bearer {fleet.server.token}"}
    if last:
        headers["Last-Event-ID"] = last
    client = fleet.server._client
    with client.stream("GET", "/api/v1/events", headers=headers, timeout=20) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = reply.iter_lines()
        assert next(lines) == ": geodns", "connected"
        yield read(lines)


def read(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def transition(found: Iterator[tuple[str, str, Any]]) -> tuple[str, Any]:
    return next((at, data) for at, kind, data in found if kind == "transition")


def down(fleet: Fleet, node: str) -> bool:
    return bool(fleet.server.api("GET", f"nodes/{node}")["status"]["state"] == "down")


def test_transitions_come_as_they_happen_and_are_resumed_over_restarts(fleet: Fleet) -> None:
    with events(fleet) as found:
        fleet.nodes["nyc"].stop()
        last, seen = transition(found)
    assert (seen["address"], seen["before"], seen["after"]) == ("127.0.1.3", "up", "down")
    assert "refused" in seen["reason"]
    fleet.nodes["fra"].stop()
    until(lambda: down(fleet, "fra"))
    before = fleet.server.pid_of("control")
    os.kill(before, signal.SIGKILL)
    until(lambda: fleet.server.pid_of("control") not in (0, before))
    until(fleet.server.ready)
    with events(fleet, last) as found:
        _, missed = transition(found)
    assert (missed["address"], missed["after"]) == ("127.0.1.2", "down")
    with events(fleet, "0-0") as found:
        kinds = [next(found)[2]["after"] for _ in range(3)]
    assert kinds == ["up"] * 3, "the whole ring, from the first verdicts on"
    for node in ("nyc", "fra"):
        fleet.nodes[node].start()
    until(lambda: not any(down(fleet, each) for each in ("nyc", "fra")))


OVERRIDE = {"match": {"nodes": ["lon"]}, "state": "up", "reason": "x"}


def test_generations_are_told(fleet: Fleet) -> None:
    with events(fleet) as found:
        fleet.server.api("PUT", "overrides/x", OVERRIDE)
        told = next(data for _, kind, data in found if kind == "generation")
    assert told["generation"] == fleet.server.api("GET", "status")["generation"]


def test_what_is_no_event_is_refused(fleet: Fleet) -> None:
    headers = {"Authorization": f"Bearer {fleet.server.token}", "Last-Event-ID": "x"}
    reply = fleet.server._client.get("/api/v1/events", headers=headers)
    assert reply.status_code == 422

"""Operators send users elsewhere: with the API, and with the API dead."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.server import COMMAND, environment, until

from .conftest import Fleet

PROMISE_S = 0.1
"""An override's way from the request to the answer. Source: the issue, p99; here the median."""


def run(fleet: Fleet, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words, "--data-dir", str(fleet.server.data)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


def down(fleet: Fleet, node: str = "lon") -> None:
    body = {"match": {"nodes": [node]}, "state": "down", "reason": "test"}
    fleet.server.api("PUT", "overrides/held?force=true&reason=test", body)


def status_of(fleet: Fleet, node: str = "lon") -> dict[str, object]:
    found: dict[str, object] = fleet.server.api("GET", f"nodes/{node}")["status"]["targets"][0]
    return found


@pytest.fixture(autouse=True)
def unheld(fleet: Fleet) -> Iterator[None]:
    yield
    for override in fleet.server.api("GET", "overrides")["items"]:
        fleet.server.request("DELETE", f"overrides/{override['id']}")
    (fleet.server.data / "drains").unlink(missing_ok=True)
    until(lambda: all(status_of(fleet, node)["override"] is None for node in ("lon", "fra")))


@contextmanager
def no_api(fleet: Fleet) -> Iterator[None]:
    """The control process is there but does nothing, as when its disk hangs."""
    pid = fleet.server.pid_of("control")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        until(fleet.server.ready)


def test_an_override_is_answered_by_at_once_and_leaves_the_state_visible(fleet: Fleet) -> None:
    assert fleet.serving() == "lon"
    taken_s = []
    for _ in range(7):
        begun_s = time.monotonic()
        down(fleet)
        until(lambda: fleet.serving() == "fra")
        taken_s.append(time.monotonic() - begun_s)
        seen = status_of(fleet)
        fleet.server.request("DELETE", "overrides/held")
        until(lambda: status_of(fleet)["override"] is None)
    assert sorted(taken_s)[3] < 2 * PROMISE_S, taken_s
    assert seen["state"] == "up"
    assert seen["override"] == {"state": "down", "id": "held", "reason": "test", "until": None}


def test_the_author_of_an_override_is_shown_and_cannot_be_written(fleet: Fleet) -> None:
    body = {"match": {"nodes": ["fra"]}, "state": "up", "reason": "x", "author": "somebody"}
    assert fleet.server.api("PUT", "overrides/kept", body)["author"] == "admin"


def test_a_drain_by_the_command_line_ends_by_itself(fleet: Fleet) -> None:
    done = run(fleet, "drain", "node=lon", "--for", "3s", "--reason", "works", "--force")
    assert done.returncode == 0, done.stderr
    assert "keeps 0 of its 1 nodes" in done.stderr
    until(lambda: fleet.serving() == "fra")
    assert until(lambda: status_of(fleet)["override"] is None) < 4
    until(lambda: fleet.serving() == "lon")


def test_a_drain_that_would_empty_a_pool_is_refused(fleet: Fleet) -> None:
    done = run(fleet, "drain", "node=lon", "--for", "1h", "--reason", "works")
    assert done.returncode == 3
    assert "Pool shut would have none of its 1 nodes left" in done.stderr
    assert fleet.serving() == "lon"


def test_a_drain_works_with_the_api_dead(fleet: Fleet) -> None:
    assert fleet.serving() == "lon"
    with no_api(fleet):
        refused = run(fleet, "drain", "node=lon", "--for", "1h", "--reason", "works")
        assert refused.returncode == 3, "the store tells what would be empty"
        done = run(fleet, "drain", "node=lon", "--for", "1h", "--reason", "works", "--force")
        assert done.returncode == 0, done.stderr
        assert "did not answer" in done.stderr
        assert until(lambda: fleet.serving() == "fra") < 1
        done = run(fleet, "undrain", "node=lon")
        assert done.returncode == 0, done.stderr
        assert until(lambda: fleet.serving() == "lon") < 1


def test_a_drain_by_the_file_outlives_the_health_process(fleet: Fleet) -> None:
    with no_api(fleet):
        run(fleet, "drain", "node=lon", "--reason", "works", "--force")
        until(lambda: fleet.serving() == "fra")
        os.kill(fleet.server.pid_of("health"), signal.SIGKILL)
        time.sleep(0.5)
        assert fleet.serving() == "fra"
    until(fleet.server.ready)
    assert fleet.serving() == "fra"
    assert status_of(fleet)["override"]["id"] == "drain-node-lon"  # type: ignore[index]
    assert run(fleet, "undrain", "node=lon").returncode == 0
    until(lambda: fleet.serving() == "lon")


def test_a_damaged_file_of_drains_changes_nothing(fleet: Fleet) -> None:
    (fleet.server.data / "drains").write_text("{")
    until(lambda: fleet.server.logged("drains stay as they were"))
    assert fleet.serving() == "lon"


def test_a_drain_of_nobody_is_told(fleet: Fleet) -> None:
    assert run(fleet, "drain", "node=lno", "--reason", "x").returncode == 2
    assert run(fleet, "drain", "everything", "--reason", "x").returncode == 2
    assert run(fleet, "undrain", "node=lon").returncode == 2

"""64 open files and not one more: DNS goes on, what is wrong is said, and it passes by itself."""

from __future__ import annotations

import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.server import Server, until

FEW = 64
MANY = 40


@pytest.fixture
def poor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that was started under ``ulimit -n 64``."""
    popen = subprocess.Popen

    def limited(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        hard = (FEW, FEW)
        options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, hard)
        return popen(*words, **options)

    server = Server(tmp_path)
    monkeypatch.setattr(subprocess, "Popen", limited)
    server.start()
    monkeypatch.undo()
    yield server
    server.close()


def zones(count: int) -> dict[str, Any]:
    return {
        f"z{number}.test": {
            "nameservers": [{"name": f"ns1.z{number}.test.", "addresses": ["127.0.0.1"]}],
            "rrsets": {"a": {"TXT": ["here"]}},
        }
        for number in range(count)
    }


def answers(server: Server, number: int = 0) -> bool:
    return bool(server.ask(f"a.z{number}.test", "TXT").answer)


def test_it_serves_and_says_what_is_scarce(poor: Server) -> None:
    poor.apply({"zones": zones(3)})
    assert all(answers(poor, number) for number in range(3))
    assert poor.logged("only 64 files may be open")


def test_more_connections_than_files_keep_nobody_from_api_or_dns(poor: Server) -> None:
    poor.apply({"zones": zones(3)})
    control = poor.pid_of("control")
    with ExitStack() as crowd:
        for _ in range(3 * FEW):
            idle = crowd.enter_context(socket.create_connection((poor.host, poor.api_port), 5))
            idle.sendall(b"GET /live")
        assert poor.api("GET", "status")["ready"]
        poor.api("PUT", "zones/z0.test/rrsets/b/TXT?wait=true", {"values": ["there"]})
        assert answers(poor)
        assert poor.ask("b.z0.test", "TXT").answer
    assert poor.pid_of("control") == control
    assert not poor.logged("Traceback")


def test_a_change_that_needs_a_worker_without_files_is_served(poor: Server) -> None:
    poor.apply({"zones": zones(3)})
    with ExitStack() as crowd:
        for _ in range(2 * FEW):
            crowd.enter_context(socket.create_connection((poor.host, poor.dns_port), 5))
        assert answers(poor)
        poor.api("PUT", "zones/z0.test/rrsets/b/TXT?wait=true", {"values": ["there"]})
        assert poor.ask("b.z0.test", "TXT").answer
    assert poor.ask("b.z0.test", "TXT", tcp=True).answer
    assert not poor.logged("Traceback")


def test_a_generation_without_room_is_refused_and_served_once_there_is(poor: Server) -> None:
    poor.apply({"zones": zones(3)})
    refused = poor.request("PUT", "document", {"geodns": 1, "zones": zones(MANY)})
    assert refused.status_code in (200, 503)
    until(lambda: poor.logged("have no room in 64 open files"))
    until(lambda: any("open files" in fault for fault in poor.faults()))
    assert answers(poor)
    for number in range(3, MANY):
        poor.request("DELETE", f"zones/z{number}.test?force=true&reason=scarce")
    until(lambda: not poor.faults(), "it does not heal")
    poor.api("PUT", "zones/z0.test/rrsets/b/TXT?wait=true", {"values": ["there"]})
    assert poor.ask("b.z0.test", "TXT").answer
    assert not poor.logged("Traceback")

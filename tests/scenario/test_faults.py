"""A worker dies under load: it is back within 250 ms, and what was queued is answered."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from support.load import Load
from support.server import Server, free_port, running_server, until

from .conftest import document

BACK_S = 0.25
DEATHS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGBUS)
NAME = "www.example.test"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Server]:
    """One worker of each engine in turn."""
    with running_server(tmp_path_factory.mktemp("server"), engine=engine) as server:
        server.apply(document(free_port("127.0.1.1")))
        yield server


def test_a_worker_that_dies_is_back_at_once_and_its_queue_is_answered(server: Server) -> None:
    taken_s = []
    with Load(server) as load:
        for death in DEATHS:
            time.sleep(0.3)
            pid = server.worker()
            killed_s = time.monotonic()
            os.kill(pid, death)
            until(lambda pid=pid: server.worker() != pid)  # type: ignore[misc]
            assert set(server.addresses(NAME)), "UDP"
            taken_s.append(time.monotonic() - killed_s)
            assert server.ask(NAME, tcp=True).answer, "TCP"
        time.sleep(0.3)
    assert max(taken_s) < BACK_S, f"{max(taken_s):.3f} s to the first answer"
    assert load.longest_gap_s() < BACK_S
    # Only what the dead worker had taken and not yet answered is gone: one query at a time.
    assert load.lost <= len(DEATHS), f"{load.lost} of {len(load.sent_s)} queries lost"


def test_connections_that_died_with_a_worker_are_counted_as_closed(server: Server) -> None:
    assert server.ask(NAME, tcp=True).answer
    pid = server.worker()
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.worker() != pid)
    counters = server.api("GET", "status")["workers"][0]["counters"]
    assert counters["tcp_open"] == counters["tcp_closed"] > 0

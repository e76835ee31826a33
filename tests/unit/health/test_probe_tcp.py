"""TCP probes against real sockets."""

from __future__ import annotations

import asyncio
import socket
import time

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.tcp import TcpProbe
from geodns.model.monitor import Monitor


def observe(port: int, address: str = "127.0.0.1") -> Observation:
    return asyncio.run(
        TcpProbe(address, Monitor(type="tcp", port=port, timeout_s=0.3), Local()).observe()
    )


def test_a_listening_port_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = observe(server.getsockname()[1])
    assert (seen.passed, seen.reason) == (True, "connected")
    assert seen.elapsed_ms is not None
    assert 0 < seen.elapsed_ms < 300


def test_ipv6_addresses_are_probed() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert observe(server.getsockname()[1], "::1").passed


def test_a_closed_port_is_refused() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        seen = observe(reserved.getsockname()[1])
    assert seen == Observation(False, "connection refused", None)


def test_a_host_that_swallows_packets_costs_no_more_than_the_timeout() -> None:
    with socket.socket() as full:  # a full backlog drops further handshakes
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        started_s = time.monotonic()
        seen = observe(full.getsockname()[1])
        elapsed_s = time.monotonic() - started_s
        for client in waiting:
            client.close()
    assert seen == Observation(False, "no connection in 0.3 s", None)
    assert elapsed_s < 0.3 + 0.1

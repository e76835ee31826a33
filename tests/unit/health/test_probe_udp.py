"""UDP and ICMP probes against real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor


@contextmanager
def answering(reply: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A UDP server on 127.0.0.1; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                octets, peer = server.recvfrom(70_000)
                if octets == b"end":
                    return
                said = reply(octets)
                if said is not None:
                    server.sendto(said, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"end", server.getsockname())
            thread.join()


def observe(**fields: Any) -> Observation:
    monitor = Monitor.model_validate({"type": "udp", "timeout_s": 0.3} | fields)
    return asyncio.run(ProbeMaker(Local())("127.0.0.1", monitor).observe())


@pytest.mark.parametrize(
    ("fields", "passed", "reason"),
    [
        ({"send": "ping"}, True, "replied"),
        ({"send_hex": "ffffffff54", "expect": {"body_hex": "FFFF"}}, True, "replied as expected"),
        ({"send": "ping", "expect": {"body": "gni"}}, True, "replied as expected"),
        ({"send": "ping", "expect": {"regex": "^g.*p$"}}, True, "replied as expected"),
        ({"send": "ping", "expect": {"body_hex": "00"}}, False, "the reply lacks 00"),
        ({"send": "silence"}, False, "no reply in 0.3 s"),
    ],
)
def test_the_first_reply_is_judged(fields: dict[str, Any], passed: bool, reason: str) -> None:
    with answering(lambda octets: None if octets == b"silence" else octets[::-1]) as port:
        seen = observe(port=port, **fields)
    assert (seen.passed, seen.reason) == (passed, reason)


def test_a_closed_port_is_refused_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    assert observe(port=port, send="x") == Observation(False, "connection refused", None)


def test_what_a_stranger_sends_is_no_reply() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
    ):
        server.bind(("127.0.0.1", 0))
        stranger.bind(("127.0.0.1", 0))

        def forge() -> None:
            _, peer = server.recvfrom(99)
            stranger.sendto(b"forged", peer)

        thread = threading.Thread(target=forge)
        thread.start()
        seen = observe(port=server.getsockname()[1], send="x")
        thread.join()
    assert seen.reason == "no reply in 0.3 s"


# --- ICMP ---


def ping_allowed() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_echo_request_is_answered_or_the_setting_named(address: str) -> None:
    monitor = Monitor(type="icmp", timeout_s=0.5)
    seen = asyncio.run(ProbeMaker(Local())(address, monitor).observe())
    if ping_allowed():
        assert (seen.passed, seen.reason) == (True, "echo reply")
    else:
        assert seen.unable
        group = os.getegid()
        assert f"sysctl -w net.ipv4.ping_group_range='{group} {group}'" in seen.reason

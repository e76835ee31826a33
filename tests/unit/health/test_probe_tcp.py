"""TCP probes against real sockets."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

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


# What is sent and expected


def spoken(serve: Callable[..., Any], behaviour: Callable[..., Any], **fields: Any) -> Observation:
    async def scene() -> Observation:
        async with serve(behaviour) as port:
            rules = Monitor.model_validate({"type": "tcp", "port": port, "timeout_s": 0.3} | fields)
            return await TcpProbe("127.0.0.1", rules, Local()).observe()

    return asyncio.run(scene())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(99):
        writer.write(octets)


async def greeting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for piece in (b"22", b"0 mail", b".example ESMTP\r\n"):
        writer.write(piece)
        await asyncio.sleep(0.01)


async def babbling(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


@pytest.mark.parametrize(
    ("behaviour", "fields", "passed", "reason"),
    [
        (echo, {"send": "PING\r\n", "expect": {"body": "PING"}}, True, "replied as expected"),
        (echo, {"send_hex": "00ff", "expect": {"body_hex": "00FF"}}, True, "replied as expected"),
        (echo, {"send": "a", "expect": {"body": "b"}}, False, "the reply lacks 'b' in 0.3 s"),
        (greeting, {"expect": {"body": "220 mail"}}, True, "replied as expected"),
        (greeting, {"expect": {"regex": r"^220 .*ESMTP\s*$"}}, True, "replied as expected"),
        (greeting, {"expect": {"body": "250"}}, False, "the reply lacks '250'"),
        (babbling, {"expect": {"body": "ok"}}, False, "the reply lacks 'ok'"),
        (echo, {"expect": {"body": "ok"}}, False, "no reply in 0.3 s"),
        (babbling, {}, True, "connected"),
    ],
)
def test_a_reply_is_judged(
    serve: Callable[..., Any],
    behaviour: Callable[..., Any],
    fields: dict[str, Any],
    passed: bool,
    reason: str,
) -> None:
    seen = spoken(serve, behaviour, **fields)
    assert (seen.passed, seen.reason) == (passed, reason)


def test_a_reply_that_comes_late_is_slow_and_not_up(serve: Callable[..., Any]) -> None:
    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(b"ok")

    fast_enough = {"body": "ok", "max_latency_ms": 4900}
    assert spoken(serve, slow, expect=fast_enough, timeout_s=5).passed
    seen = spoken(serve, slow, expect=fast_enough | {"max_latency_ms": 50}, timeout_s=5)
    assert not seen.passed
    assert seen.elapsed_ms is not None
    assert seen.reason == f"replied as expected, but in {seen.elapsed_ms:.0f} ms, wanted 50"


def test_no_descriptors_left_says_nothing_about_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(*_args: object) -> None:
        raise OSError(errno.EMFILE, "x")

    async def scene() -> Observation:
        monkeypatch.setattr(socket, "socket", none_left)
        try:
            return await TcpProbe("127.0.0.1", Monitor(type="tcp", port=9), Local()).observe()
        finally:
            monkeypatch.undo()

    seen = asyncio.run(scene())
    assert seen.unable
    assert seen.reason == "cannot probe: too many open files"

"""gRPC health checks against a server made with h2. Its messages are written out as octets."""

from __future__ import annotations

import asyncio
import builtins
import ssl
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
import trustme

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

SERVING = bytes.fromhex("00 00000002 0801")
NOT_SERVING = bytes.fromhex("00 00000002 0802")
UNKNOWN = bytes.fromhex("00 00000000")  # proto3 leaves out a field that is 0


def server(
    message: bytes, status: str = "0", http: str = "200", heard: list[Any] | None = None
) -> Callable[..., Any]:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while octets := await reader.read(9999):
            for event in connection.receive_data(octets):
                if heard is not None:
                    heard.append(event)
                if isinstance(event, h2.events.StreamEnded):
                    fields = [(":status", http), ("content-type", "application/grpc")]
                    connection.send_headers(event.stream_id, fields)
                    if message:
                        connection.send_data(event.stream_id, message)
                    trailers = [("grpc-status", status), ("grpc-message", "as asked")]
                    connection.send_headers(event.stream_id, trailers, end_stream=True)
            writer.write(connection.data_to_send())

    return behave


Check = Callable[..., Observation]


@pytest.fixture
def check(serve: Callable[..., Any]) -> Check:
    def run(behaviour: Callable[..., Any], context: Any = None, **fields: Any) -> Observation:
        async def scene() -> Observation:
            async with serve(behaviour, context) as port:
                body = {"type": "grpc", "port": port, "timeout_s": 0.5}
                monitor = Monitor.model_validate(body | fields)
                return await ProbeMaker(Local())("127.0.0.1", monitor).observe()

        return asyncio.run(scene())

    return run


@pytest.mark.parametrize(
    ("behaviour", "passed", "reason"),
    [
        (server(SERVING), True, "SERVING"),
        (server(NOT_SERVING), False, "NOT_SERVING"),
        (server(UNKNOWN), False, "UNKNOWN"),
        (server(bytes.fromhex("00 00000002 0803")), False, "SERVICE_UNKNOWN"),
        (server(bytes.fromhex("00 00000002 0863")), False, "state 99"),
        (server(b"", "5"), False, "gRPC status 5: unknown service"),
        (server(b"", "12"), False, "gRPC status 12: it has no health service"),
        (server(b"", "13"), False, "gRPC status 13: as asked"),
        (server(b"", http="404"), False, "HTTP 404, wanted 200"),
        (server(bytes.fromhex("00 00000002 1001")), False, "the reply is no HealthCheckResponse"),
        (server(b"\x01" + SERVING[1:]), False, "the reply is compressed, which was not asked for"),
    ],
)
def test_the_state_is_judged(
    check: Check, behaviour: Callable[..., Any], passed: bool, reason: str
) -> None:
    seen = check(behaviour)
    assert (seen.passed, seen.reason) == (passed, reason)


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("", "00 00000000"),
        ("shop", "00 00000006 0a0473686f70"),
        ("s" * 200, "00 000000cb 0ac801" + "73" * 200),
    ],
)
def test_the_request_is_the_health_services(check: Check, service: str, message: str) -> None:
    heard: list[Any] = []
    assert check(server(SERVING, heard=heard), service=service, host="api.example.com").passed
    request = next(e for e in heard if isinstance(e, h2.events.RequestReceived))
    fields = {bytes(name).decode(): bytes(value).decode() for name, value in request.headers}
    assert fields[":path"] == "/grpc.health.v1.Health/Check"
    assert fields[":method"] == "POST"
    assert fields["te"] == "trailers"
    assert fields[":authority"].startswith("api.example.com:")
    data = b"".join(e.data for e in heard if isinstance(e, h2.events.DataReceived))
    assert data == bytes.fromhex(message)


def test_over_tls_the_certificate_is_judged(check: Check, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("api.example.com").configure_cert(context)
    pem = authority.cert_pem.bytes().decode()
    seen = check(server(SERVING), context, tls=True, host="api.example.com", ca=pem)
    assert (seen.passed, seen.reason) == (True, "SERVING")
    assert seen.certificate_days is not None
    wrong = check(server(SERVING), context, tls=True, host="b.example.com", ca=pem)
    assert wrong.reason == "certificate is not valid for 'b.example.com'"


def flood(octets: bytes) -> Callable[..., Any]:
    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while True:
            writer.write(octets)
            await writer.drain()

    return behave


async def old(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


PING = bytes.fromhex("000008 06 00 00000000") + bytes(8)
EMPTY_SETTINGS = bytes.fromhex("000000 04 00 00000000")


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (flood(PING * 100), "the reply has over 32768 octets"),
        (flood(EMPTY_SETTINGS * 100), "the reply has over 32768 octets"),
        (old, "not HTTP/2: HTTP/1 is spoken here"),
        (flood(bytes.fromhex("000008 06 00 00000001") + bytes(8)), "not HTTP/2: "),
    ],
)
def test_floods_and_other_protocols_are_observations(
    check: Check, behaviour: Callable[..., Any], reason: str
) -> None:
    seen = check(behaviour, timeout_s=2)
    assert not seen.passed
    assert seen.reason.startswith(reason)


def test_without_the_library_it_is_said_what_to_install(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kw: Any) -> Any:
        if name.partition(".")[0] == "h2":
            raise ImportError(name)
        return real(name, *args, **kw)

    behaviour = server(SERVING)
    monkeypatch.setattr(builtins, "__import__", without)
    seen = check(behaviour)
    assert seen.unable
    assert seen.reason == "gRPC checks need h2: pip install 'geodns[grpc]'"

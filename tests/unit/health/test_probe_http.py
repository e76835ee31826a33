"""HTTP probes against real servers, good and hostile."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from support.hostile import CHUNKED, endless, replying, silent

from geodns.health.observation import REASON_MAX_CHARS, Observation
from geodns.health.probes.general import GeneralHttpProbe
from geodns.health.probes.lean import LeanHttpProbe
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.health.probes.tls import context_of
from geodns.model.expect import BODY_MAX_BYTES
from geodns.model.monitor import Monitor

TIMEOUT_S = 0.4

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok!"


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


Check = Callable[..., Observation]


@pytest.fixture(params=[LeanHttpProbe, GeneralHttpProbe], ids=["lean", "general"])
def check(request: pytest.FixtureRequest, serve: Callable[..., Any]) -> Check:
    """Probe a server of some behaviour; the verdict must come in time."""

    def run(behaviour: Callable[..., Any], tls: Any = None, **fields: Any) -> Observation:
        async def scene() -> tuple[Observation, float]:
            async with serve(behaviour, tls) as port:
                settings = {"type": "https" if tls else "http", "timeout_s": TIMEOUT_S}
                rules = Monitor.model_validate(settings | {"port": port} | fields)
                kind = GeneralHttpProbe if tls else request.param
                probe = kind("127.0.0.1", rules, Local())
                started_s = time.monotonic()
                return await probe.observe(), time.monotonic() - started_s

        seen, elapsed_s = asyncio.run(scene())
        assert elapsed_s < TIMEOUT_S + 0.1
        assert len(seen.reason) <= REASON_MAX_CHARS
        return seen

    return run


def test_a_wanted_status_passes(check: Check) -> None:
    seen = check(replying(OK))
    assert (seen.passed, seen.reason) == (True, "HTTP 200")
    assert seen.elapsed_ms is not None


@pytest.mark.parametrize(
    ("wanted", "passed", "reason"),
    [
        (["200-299"], False, "HTTP 503, wanted 200-299"),
        (["200", "301-399"], False, "HTTP 503, wanted 200, 301-399"),
        (["500-599"], True, "HTTP 503"),
    ],
)
def test_the_status_is_judged(check: Check, wanted: list[str], passed: bool, reason: str) -> None:
    away = replying(b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n")
    seen = check(away, expect={"status": tuple(wanted)})
    assert (seen.passed, seen.reason) == (passed, reason)


def test_a_redirect_is_not_followed(check: Check) -> None:
    reply = b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
    assert check(replying(reply)).reason == "HTTP 302, wanted 200-299"


def test_the_request_is_for_the_service_on_the_nodes_own_address(check: Check) -> None:
    requests: list[bytes] = []

    async def recording(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    path = "/a//b/../%2e?q=%zz"
    headers = {"X-Key": "s3cret", "user-Agent": "mine"}
    assert check(recording, host="www.example.com", path=path, headers=headers).passed
    line, *fields = requests[0].decode().lower().strip().split("\r\n")
    assert line == f"get {path} http/1.1"
    assert any(field.startswith("host: www.example.com:") for field in fields)
    for field in ("accept-encoding: identity", "connection: close", "x-key: s3cret"):
        assert field in fields
    assert [field for field in fields if field.startswith("user-agent")] == ["user-agent: mine"]


def test_head_reads_no_body(check: Check) -> None:
    head = replying(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
    assert check(head, method="HEAD").passed


def test_ipv6_addresses_stand_in_brackets() -> None:
    requests: list[bytes] = []

    async def scene() -> tuple[Observation, bytes]:

        async def recording(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)
            writer.close()

        server = await asyncio.start_server(recording, "::1", 0)
        port = server.sockets[0].getsockname()[1]
        seen = await LeanHttpProbe("::1", Monitor(type="http", port=port), Local()).observe()
        server.close()
        return seen, b"host: [::1]:%d\r\n" % port

    seen, host = asyncio.run(scene())
    assert seen.passed
    assert host in requests[0].lower()


@pytest.mark.parametrize(
    ("body", "passed"),
    [
        (b"all is ok here", True),
        (b"nothing", False),
        (b"", False),
        (b"x" * (BODY_MAX_BYTES - 2) + b"ok", True),
        (b"x" * (BODY_MAX_BYTES - 1) + b"ok", False),
    ],
)
def test_the_text_is_looked_for_in_the_first_64_kb(check: Check, body: bytes, passed: bool) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert check(replying(reply), expect={"body": "ok"}).passed is passed


def test_the_text_is_found_across_pieces(check: Check) -> None:
    pieces = replying(CHUNKED, b"1\r\no\r\n", b"1\r\nk\r\n", pause_s=0.02)
    assert check(pieces, expect={"body": "ok"}).passed


def test_a_missing_text_is_named(check: Check) -> None:
    seen = check(replying(OK), expect={"body": "ready"})
    assert seen.reason == "HTTP 200, but its body lacks 'ready'"


def test_a_refused_connection_is_told() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        rules = Monitor(type="http", port=reserved.getsockname()[1])
        seen = asyncio.run(ProbeMaker(Local())("127.0.0.1", rules).observe())
    assert seen == Observation(False, "connection refused", None)


BOMB = gzip.compress(bytes(50 * 2**20))
BOMB_HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (silent, "no reply in 0.4 s"),
        (resetting, "connection reset by peer"),
        (replying(), "connection closed before the reply was whole"),
        (replying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), "connection closed before"),
        (replying(b"SSH-2.0-OpenSSH_9.2\r\n"), "connection closed before"),
        (replying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not HTTP: "),
        (replying(bytes(range(256)) * 64), "not HTTP: "),
        (replying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "not HTTP: "),
        (replying(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 300_000), "not HTTP: "),
        (endless(b"HTTP/1.1 200 OK\r\n", b"x: yyyyyyyyyyyyyyyyyyyyyy\r\n"), "not HTTP: "),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "not HTTP: the head of the reply"),
        (endless(b"HT", b"T", 0.02), "no reply in 0.4 s"),
        (endless(CHUNKED, b"1\r\nx\r\n", 0.02), "HTTP 200, but no whole body in 0.4 s"),
        (endless(CHUNKED, b"1\r\nx\r\n" * 1000), "HTTP 200, but its body lacks 'ok'"),
        (endless(CHUNKED, b"ffff\r\n" + bytes(0xFFFF) + b"\r\n"), "HTTP 200, but its body"),
        (replying(BOMB_HEAD % len(BOMB) + BOMB), "HTTP 200, but its body lacks 'ok'"),
    ],
    ids=range(16),
)
def test_misbehaviour_is_an_observation(
    check: Check, behaviour: Callable[..., Any], reason: str
) -> None:
    seen = check(behaviour, expect={"body": "ok"})
    assert not seen.passed
    assert seen.reason.startswith(reason)


# Certificates


@pytest.fixture
def trusted(
    authority: trustme.CA, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[trustme.CA]:
    """An authority that this machine trusts."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context_of.cache_clear()
    yield authority
    context_of.cache_clear()


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_the_certificate_is_judged_by_the_services_name(check: Check, trusted: trustme.CA) -> None:
    tls = certified(trusted, "www.example.com")
    names: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    assert check(replying(OK), tls, host="www.example.com").reason == "HTTP 200"
    assert names == ["www.example.com"]


def test_a_certificate_for_another_name_fails(check: Check, trusted: trustme.CA) -> None:
    seen = check(replying(OK), certified(trusted, "other.example"), host="www.example.com")
    assert (seen.passed, seen.reason) == (False, "certificate is not valid for 'www.example.com'")


def test_an_unknown_authority_fails_unless_told_not_to_verify(check: Check) -> None:
    tls = certified(trustme.CA(), "www.example.com")
    seen = check(replying(OK), tls, host="www.example.com")
    assert not seen.passed
    assert seen.reason.startswith("certificate: ")
    assert check(replying(OK), tls, host="www.example.com", verify=False).passed


def test_plain_text_on_a_tls_port_is_told(serve: Callable[..., Any]) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def scene() -> Observation:
        async with serve(plain) as port:
            rules = Monitor(type="https", port=port, host="a.example", timeout_s=TIMEOUT_S)
            return await ProbeMaker(Local())("127.0.0.1", rules).observe()

    assert asyncio.run(scene()).reason == "TLS: wrong version number"


def test_a_silent_tls_port_is_told(serve: Callable[..., Any]) -> None:
    async def scene() -> Observation:
        async with serve(silent) as port:
            rules = Monitor(type="https", port=port, host="a.example", timeout_s=0.2)
            return await ProbeMaker(Local())("127.0.0.1", rules).observe()

    assert asyncio.run(scene()) == Observation(False, "no TLS handshake in 0.2 s", None)


def test_checks_at_once_do_not_disturb_one_another(serve: Callable[..., Any]) -> None:
    async def scene() -> list[Observation]:
        async with serve(replying(OK)) as port:
            probe = LeanHttpProbe("127.0.0.1", Monitor(type="http", port=port), Local())
            return await asyncio.gather(*(probe.observe() for _ in range(20)))

    assert all(seen.passed for seen in asyncio.run(scene()))

"""One attempt over real sockets: what arrives, and where nobody connects to."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

import pytest
import trustme

from geodns.daemon.poster import Poster
from geodns.health.probes.local import Local
from geodns.model.webhook import Webhook

SECRET_PATH = "/T000/B000/very-secret"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


def attempt(
    url: Callable[[int], str],
    reply: bytes = TAKEN,
    *,
    tls: ssl.SSLContext | None = None,
    local: Callable[[int], Local] = lambda port: Local(),
    timeout_s: float = 10,
) -> tuple[str, bytes]:
    """What a poster says of one attempt at a server of ours, and what the server got."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        got.extend(head + await reader.readexactly(2))
        writer.write(reply)
        await writer.drain()
        if reply:
            writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        port: int = server.sockets[0].getsockname()[1]
        try:
            webhook = Webhook(url=url(port))
            return await Poster(local(port), timeout_s)(webhook, b"{}", {"Webhook-Id": "msg_1"})
        finally:
            server.close()

    return asyncio.run(run()), bytes(got)


def plain(port: int) -> str:
    return f"http://127.0.0.1:{port}{SECRET_PATH}?a=b"


def test_what_arrives_is_one_post_of_the_body() -> None:
    said, got = attempt(plain)
    assert said == ""
    head, _, body = got.partition(b"\r\n\r\n")
    line, *fields = head.decode().lower().split("\r\n")
    assert line == f"post {SECRET_PATH}?a=b http/1.1".lower()
    assert "webhook-id: msg_1" in fields
    assert any(each.startswith("host: 127.0.0.1:") for each in fields)
    assert body == b"{}"


def test_no_log_tells_the_path(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the level: the library below us logs whole URLs by itself."""
    with caplog.at_level(logging.DEBUG):
        attempt(plain)
        attempt(plain, b"HTTP/1.1 500 Oops\r\n\r\n")
    assert "secret" not in caplog.text


def test_a_name_is_asked_for_at_the_address_it_has() -> None:
    said, got = attempt(lambda port: f"http://localhost:{port}/x")
    assert said == ""
    assert b"host: localhost:" in got.lower()


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 500 Oops\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"what?\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
    ],
)
def test_what_is_no_success_is_a_failure_that_does_not_tell_the_path(reply: bytes) -> None:
    said, _ = attempt(plain, reply)
    assert said.startswith("127.0.0.1")
    assert "secret" not in said


def test_a_receiver_who_is_mute_costs_bounded_time() -> None:
    said, _ = attempt(plain, b"", timeout_s=0.2)
    assert said == "127.0.0.1 did not answer within 0.2 s"


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fe80::1]", "0.0.0.0"]
)
def test_what_must_not_be_connected_to_is_not(host: str) -> None:
    said, got = attempt(lambda port: f"http://{host}:{port}{SECRET_PATH}")
    assert "is not connected to" in said
    assert got == b""


def test_our_own_api_is_not_connected_to() -> None:
    said, got = attempt(plain, local=lambda port: Local(own_ports=lambda: frozenset({port})))
    assert "our own API" in said
    assert got == b""


def test_nobody_at_home_is_a_failure() -> None:
    said, _ = attempt(lambda port: f"http://127.0.0.1:1{SECRET_PATH}")
    assert said.startswith("127.0.0.1: ")


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    made = trustme.CA()

    def trusted() -> ssl.SSLContext:
        context = ssl.create_default_context()
        made.configure_trust(context)
        return context

    monkeypatch.setattr("geodns.net._trusted", trusted)
    return made


def served(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_certificate_must_be_for_the_name_in_the_url(authority: trustme.CA) -> None:
    def named(port: int) -> str:
        return f"https://localhost:{port}/x"

    said, got = attempt(named, tls=served(authority, "localhost"))
    assert (said, got[:4]) == ("", b"POST")
    said, got = attempt(named, tls=served(authority, "other.test"))
    assert "certificate" in said.lower()
    assert got == b""

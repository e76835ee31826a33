"""TLS: handshakes, own authorities, and certificates that end soon."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok!"


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def server(issuer: trustme.CA, name: str = "www.example.com", **fields: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(name, **fields).configure_cert(context)
    return context


Check = Callable[..., Observation]


@pytest.fixture
def check(serve: Callable[..., Any]) -> Check:
    def run(kind: str, tls: ssl.SSLContext | None, **fields: Any) -> Observation:
        async def scene() -> Observation:
            async with serve(web if kind == "https" else silent, tls) as port:
                body = {"type": kind, "port": port, "host": "www.example.com", "timeout_s": 0.5}
                monitor = Monitor.model_validate(body | fields)
                return await ProbeMaker(Local())("127.0.0.1", monitor).observe()

        return asyncio.run(scene())

    return run


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@pytest.mark.parametrize(("kind", "reason"), [("https", "HTTP 200"), ("tls", "TLSv1.3 handshake")])
def test_an_own_authority_is_trusted_and_no_other(
    check: Check, authority: trustme.CA, kind: str, reason: str
) -> None:
    tls = server(authority)
    seen = check(kind, tls, ca=pem(authority))
    assert (seen.passed, seen.reason, seen.warning) == (True, reason, "")
    stranger = check(kind, tls, ca=pem(trustme.CA()))
    assert not stranger.passed
    assert stranger.reason.startswith("certificate: ")
    assert not check(kind, tls).passed
    assert check(kind, tls, verify=False).passed


@pytest.mark.parametrize("kind", ["https", "tls"])
def test_the_name_is_judged(check: Check, authority: trustme.CA, kind: str) -> None:
    seen = check(kind, server(authority, "other.example"), ca=pem(authority))
    assert seen.reason == "certificate is not valid for 'www.example.com'"


@pytest.mark.parametrize("kind", ["https", "tls"])
@pytest.mark.parametrize(
    ("life", "age", "warned"),
    [(90, 80, True), (90, 60, False), (6, 3, False), (6, 5.5, True), (365, 352, True)],
)
def test_a_certificate_that_ends_soon_is_a_warning(
    check: Check, authority: trustme.CA, kind: str, life: float, age: float, warned: bool
) -> None:
    begins = datetime.now(UTC) - timedelta(days=age, minutes=-5)
    ends = begins + timedelta(days=life)
    tls = server(authority, not_before=begins, not_after=ends)
    seen = check(kind, tls, ca=pem(authority))
    assert seen.passed
    days = int(life - age)
    assert seen.certificate_days == days
    assert seen.warning == (f"certificate ends in {days} days" if warned else "")


def test_a_certificate_that_has_ended_fails(check: Check, authority: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tls = server(authority, not_before=yesterday - timedelta(days=9), not_after=yesterday)
    seen = check("https", tls, ca=pem(authority))
    assert (seen.passed, seen.reason) == (False, "certificate: certificate has expired")


def test_a_port_that_does_not_speak_tls_is_told(serve: Callable[..., Any]) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def scene() -> list[Observation]:
        async with serve(plain) as talking, serve(silent) as mute:
            monitors = [
                Monitor(type="tls", port=port, host="a.example", timeout_s=0.3)
                for port in (talking, mute)
            ]
            return [await ProbeMaker(Local())("127.0.0.1", m).observe() for m in monitors]

    talking, mute = asyncio.run(scene())
    assert talking.reason == "TLS: wrong version number"
    assert mute.reason == "no TLS handshake in 0.3 s"

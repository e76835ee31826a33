"""Whether a web server on a node answers as it should. The door to httpx for probes.

Every check opens its own connection, as the next user would: a server that keeps old
connections alive but accepts no new ones is down, and no stale connection can cry wolf.
A bare transport is used instead of a client, since a client keeps cookies (a node could
change its own next check) and costs twice the CPU (measured, 2.0 ms against 1.0).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from functools import cache
from typing import Any

import httpx

from geodns import __version__
from geodns.health.observation import Observation, clean, failure, words_of
from geodns.model.expect import BODY_MAX_BYTES
from geodns.model.monitor import Monitor

PIECES_MAX = 4096
"""How many pieces a body may come in. Source: no reference; chosen so that a body of
1-octet chunks costs under 0.1 s of CPU."""

PIECES_PER_TURN = 32
"""Pieces read before others get a turn. Source: no reference; about 1 ms of work."""

_DEFAULT_PORT = {"http": 80, "https": 443}


class HttpProbe:
    """Asks the node's own address for the service's URL."""

    def __init__(self, address: str, monitor: Monitor) -> None:
        self._monitor = monitor
        self._transport = _transport(monitor.verify)
        self._url = httpx.URL(scheme=monitor.type, host=address, port=monitor.port_or_default())
        self._headers = httpx.Headers(_headers(address, monitor))
        self._wanted = monitor.expect.body.encode() if monitor.expect.body else b""

    async def observe(self) -> Observation:
        """Passed when status and body are as expected within the monitor's timeout."""
        started_s = time.monotonic()
        progress = _Progress()
        try:
            async with asyncio.timeout(self._monitor.timeout_s):
                passed, reason = await self._exchange(progress)
        except TimeoutError:
            return failure(f"{progress.missing} in {self._monitor.timeout_s:g} s")
        except httpx.RemoteProtocolError as error:
            return failure(_protocol_words(error))
        except (httpx.HTTPError, OSError) as error:
            return failure(words_of(error))
        return Observation(passed, clean(reason), (time.monotonic() - started_s) * 1000)

    async def _exchange(self, progress: _Progress) -> tuple[bool, str]:
        response = await self._transport.handle_async_request(self._request(progress))
        try:
            return await self._judge(response, progress)
        finally:
            await response.aclose()

    def _request(self, progress: _Progress) -> httpx.Request:
        extensions: dict[str, Any] = {
            "target": self._monitor.path.encode("ascii"),  # as written, not normalised
            "timeout": dict.fromkeys(("connect", "read", "write"), self._monitor.timeout_s),
            "trace": progress.trace,
        }
        if self._monitor.host:
            extensions["sni_hostname"] = self._monitor.host
        return httpx.Request(
            self._monitor.method, self._url, headers=self._headers, extensions=extensions
        )

    async def _judge(self, response: httpx.Response, progress: _Progress) -> tuple[bool, str]:
        expect = self._monitor.expect
        status = f"HTTP {response.status_code}"
        if not expect.status_matches(response.status_code):
            return False, f"{status}, wanted {', '.join(expect.status)}"
        if not self._wanted:
            return True, status
        progress.missing = f"{status}, but no whole body"
        if await _body_holds(response, self._wanted):
            return True, status
        return False, f"{status}, but its body lacks {expect.body!r}"


async def _body_holds(response: httpx.Response, wanted: bytes) -> bool:
    """Whether the text stands in the body's first 64 kB, read raw: nothing is decompressed."""
    body = bytearray()
    pieces = 0
    async for piece in response.aiter_raw():
        seen = len(body)
        body += piece[: BODY_MAX_BYTES - seen]
        if body.find(wanted, max(0, seen - len(wanted))) >= 0:
            return True
        pieces += 1
        if len(body) >= BODY_MAX_BYTES or pieces >= PIECES_MAX:
            return False
        if pieces % PIECES_PER_TURN == 0:
            await asyncio.sleep(0)
    return False


class _Progress:
    """How far a request has come, for the words of a timeout."""

    def __init__(self) -> None:
        self.missing = "no connection"

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        if event == "connection.start_tls.started":
            self.missing = "no TLS handshake"
        elif event == "http11.send_request_headers.started":
            self.missing = "no reply"


def _headers(address: str, monitor: Monitor) -> dict[str, str]:
    """The monitor's fields over ours. RFC 9110 §7.2: Host carries a port that is not the
    scheme's own."""
    host = monitor.host or (f"[{address}]" if ":" in address else address)
    port = monitor.port_or_default()
    ours = {
        "host": host if port == _DEFAULT_PORT[monitor.type] else f"{host}:{port}",
        "user-agent": f"geodns/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    return ours | {name.lower(): value for name, value in monitor.headers.items()}


def _protocol_words(error: httpx.RemoteProtocolError) -> str:
    text = str(error)
    if "without sending a response" in text or "without sending complete" in text:
        return "connection closed before the reply was whole"
    return f"not HTTP: {text}"


def _transport(verify: bool) -> httpx.AsyncHTTPTransport:
    """One per target: a pool searches all its connections for every request (measured,
    8 ms of CPU with 500 in flight)."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=_tls(verify), trust_env=False, limits=limits)


@cache
def _tls(verify: bool) -> ssl.SSLContext:
    """One per process: making one costs 20 ms (measured). Trusted are certifi's authorities
    and the machine's own, where operators install theirs."""
    context = httpx.create_ssl_context(verify=verify, trust_env=False)
    if verify:
        context.load_default_certs()
    return context

"""The general path for HTTP and HTTPS: httpx. The door to httpx for probes.

A bare transport is used instead of a client, since a client keeps cookies (a node could change
its own next check), follows and decompresses, and costs twice the CPU (measured, 2.0 ms against
1.0).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore
import httpx

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Misbehaviour, Progress, bounded, expiry
from geodns.health.probes.http import (
    BODY_RAW_MAX_OCTETS,
    HEAD_MAX_OCTETS,
    Judge,
    protocol_words,
    request_of,
    too_long,
    waiting_for_body,
)
from geodns.health.probes.line import PORTION_OCTETS, Line
from geodns.health.probes.local import Local
from geodns.health.probes.tls import context_of
from geodns.health.probes.turns import Turns
from geodns.model.monitor import Monitor

PIECES_PER_TURN = 32
"""Pieces read before others get a turn. Source: measured, about 1 ms of work."""


class GeneralHttpProbe:
    """Asks the node's own address for the service's URL."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._monitor = monitor
        self._local = local
        self._judge = Judge(monitor)
        request = request_of(address, monitor)
        # The host stands for nothing: connections go to the address, whatever form it has.
        self._url = httpx.URL(scheme=monitor.type, host="node", port=monitor.port_or_default())
        self._headers = httpx.Headers(list(request.headers))
        self._target = request.target
        self._transport = _Transport(address, monitor, local)

    async def observe(self) -> Observation:
        """Passed when status and body are as expected within the monitor's timeout."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        try:
            response = await self._transport.handle_async_request(self._request(progress))
        except httpx.RemoteProtocolError as error:
            raise Misbehaviour(protocol_words(str(error))) from None
        try:
            return await self._judged(response, progress)
        except (httpx.RemoteProtocolError, httpcore.RemoteProtocolError) as error:
            raise Misbehaviour(protocol_words(str(error))) from None
        finally:
            await response.aclose()

    async def _judged(self, response: httpx.Response, progress: Progress) -> Finding:
        status = response.status_code
        stream = response.extensions["network_stream"]
        found = self._judge.by_status(status)
        if found is None:
            progress.missing = waiting_for_body(status)
            stream.allow(BODY_RAW_MAX_OCTETS)
            found = await self._judge.by_body(status, _Pieces(response, self._local.turns))
        if not found.passed:
            return found
        return Finding(True, found.reason, *expiry(stream.get_extra_info("ssl_object")))

    def _request(self, progress: Progress) -> httpx.Request:
        extensions: dict[str, Any] = {"target": self._target, "trace": _Trace(progress).note}
        if self._monitor.host:
            extensions["sni_hostname"] = self._monitor.host
        return httpx.Request(
            self._monitor.method, self._url, headers=self._headers, extensions=extensions
        )


class _Trace:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    async def note(self, event: str, _info: dict[str, Any]) -> None:
        if event == "connection.start_tls.started":
            self._progress.missing = "no TLS handshake"
        elif event == "http11.send_request_headers.started":
            self._progress.missing = "no reply"


class _Pieces:
    def __init__(self, response: httpx.Response, turns: Turns) -> None:
        self._pieces: AsyncIterator[bytes] = response.aiter_raw()
        self._turns = turns
        self._count = 0

    async def next(self) -> bytes:
        self._count += 1
        if self._count % PIECES_PER_TURN == 0:
            await self._turns.take()
        return await anext(self._pieces, b"")


class _Transport(httpx.AsyncHTTPTransport):
    """One per target: a pool searches all its connections for every request (measured,
    8 ms of CPU with 500 in flight). Connections are our own, guarded and in portions."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        # Not super().__init__(): httpx has no way to hand in a pool, only this attribute.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context_of(monitor.verify, monitor.ca),
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=_Backend(address, local),
        )


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, address: str, local: Local) -> None:
        self._address = address
        self._local = local

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface asks for it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        line = Line(self._local.turns)
        try:
            await line.connect(self._local, self._address, port)
        except BaseException:
            line.close()
            raise
        return _Stream(line)


class _Stream(httpcore.AsyncNetworkStream):
    """A line as httpcore wants it. It reads no more than it is allowed to: first a head."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._left = HEAD_MAX_OCTETS

    def allow(self, octets: int) -> None:
        """How much may be read from now on."""
        self._left = octets

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._left <= 0:
            raise too_long()
        octets = await self._line.receive(min(max_bytes, PORTION_OCTETS, self._left))
        self._left -= len(octets)
        return octets

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._line.send(buffer)

    async def aclose(self) -> None:
        self._line.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            await self._line.handshake(ssl_context, server_hostname)
        except BaseException:
            self._line.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._line.tls if info == "ssl_object" else None

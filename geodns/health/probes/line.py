"""Line: a TCP connection, plain or TLS, whose octets are taken in small portions.

Made for checks: measured, a plain exchange costs half of what asyncio's streams take. Every
portion waits for its turn, so that a thousand peers that send without end cost bounded time.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable

from geodns.health.probes.local import Local
from geodns.health.probes.turns import Turns

PORTION_OCTETS = 8192
"""Most octets taken in a turn. Source: no reference; a usual reply's head and more, 20 µs."""

RECEIVE_BUFFER_OCTETS = 65_536
"""What the kernel holds for one connection. Source: no reference; as much as is ever looked at;
the usual limit is 6 MB."""

_PENDING = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Line:
    """One connection; it belongs to one task."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLObject | None = None
        self._incoming = self._outgoing = _NONE

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What is known of the TLS session, once there is one."""
        return self._tls

    async def connect(self, local: Local, target: str, port: int) -> None:
        """Connect to a target that may be connected to.

        Errors: Refused, OSError.
        """
        address = await local.admitted(target, port)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
        number = made.connect_ex((address, port))
        if number in _PENDING:
            await self._writable()
            number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    async def handshake(self, context: ssl.SSLContext, name: str | None) -> None:
        """Go over to TLS; ``name`` is sent as SNI and checked if the context verifies.

        Errors: ssl.SSLError, OSError.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
        await self._flush()
        self._tls = tls

    async def send(self, octets: bytes) -> None:
        """Send all of them. Errors: OSError."""
        if self._tls is None:
            await self._send(octets)
        else:
            self._tls.write(octets)  # into memory, never blocks
            await self._flush()

    async def receive(self, limit: int = PORTION_OCTETS) -> bytes:
        """Some octets, at most ``limit``; none at the end. Errors: OSError."""
        if self._tls is None:
            return await self._receive(limit)
        while True:
            try:
                return self._tls.read(min(limit, PORTION_OCTETS))
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    def close(self) -> None:
        """Hang up. What the peer has yet to send is of no interest."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- Octets ---

    async def _send(self, octets: bytes) -> None:
        assert self._socket is not None
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await self._writable()

    async def _receive(self, limit: int) -> bytes:
        assert self._socket is not None
        await self._readable()
        while True:
            try:
                return self._socket.recv(min(limit, PORTION_OCTETS))
            except BlockingIOError:
                await self._readable()

    async def _flush(self) -> None:
        octets = self._outgoing.read()
        if octets:
            await self._send(octets)

    async def _feed(self) -> None:
        octets = await self._receive(PORTION_OCTETS)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()

    # --- Waiting ---

    async def _readable(self) -> None:
        await self._until(self._loop.add_reader, self._loop.remove_reader)

    async def _writable(self) -> None:
        await self._until(self._loop.add_writer, self._loop.remove_writer)

    async def _until(self, watch: Callable[..., None], forget: Callable[[int], bool]) -> None:
        assert self._socket is not None
        number, ready = self._socket.fileno(), self._loop.create_future()
        watch(number, wake, ready)
        try:
            await ready
        finally:
            forget(number)
        await self._turns.take()


_NONE = ssl.MemoryBIO()


def wake(ready: asyncio.Future[None]) -> None:
    """Go on with what waits for a descriptor."""
    if not ready.done():
        ready.set_result(None)

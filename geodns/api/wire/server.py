"""Accepts connections, as many as there are descriptors for, and ends those that last too long."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import ssl
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any, cast

from geodns.api.pace import source_of
from geodns.api.wire.connection import HEAD_TIMEOUT_S, LINGER_S, READ_OCTETS, Connection, Shared
from geodns.api.wire.guests import Guests

SWEEP_S = 0.5
"""How often it is looked who lasts too long. Source: no reference; limits are seconds."""

SPARE_DESCRIPTORS = 24
"""Kept for the store, the compiler and files. Source: measured, a write opens up to 12."""

CONNECTIONS_MIN = 4
"""So many are served however few descriptors there are. Source: no reference."""

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
EXHAUSTED_PAUSE_S = 0.1
COMPLAINT_S = 60.0
"""Between two log lines on the same lack."""

STOP_S = 2.0
"""How long requests under way may take when the server ends."""

FLUSH_S = 0.2
"""How long the last replies may take to leave. Source: no reference."""

log = logging.getLogger("geodns.api")


class WebServer:
    """Serves an ASGI application on a listening socket.

    Shape: ``context`` gives the TLS context for the next connection; None for plain HTTP.
           ``is_secure`` says that without one nobody is served. ``state`` is what requests find
           in theirs.
    """

    def __init__(
        self,
        app: Any,
        listener: socket.socket,
        *,
        connections: int,
        connections_per_source: int,
        is_secure: bool = False,
        context: Callable[[], ssl.SSLContext | None] = lambda: None,
        state: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._listener = listener
        self._wanted = connections
        self._is_secure = is_secure
        # asyncio sets aside 256 kB for each connection with TLS, 310 MB for 1,100; it reads as well
        # with less. Measured: 39 kB each instead of 283.
        SSLProtocol.max_size = READ_OCTETS
        self._context = context
        self._guests = Guests(connections, connections_per_source)
        self._shared = Shared(app, self._guests, state)
        self._used_at_start = 0
        self._complained_s = float("-inf")

    async def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled; requests under way are then ended first."""
        self._listener.setblocking(False)
        self._used_at_start = len(os.listdir("/proc/self/fd"))
        sweeping = asyncio.ensure_future(self._sweep())
        try:
            started()
            await self._accept()
        finally:
            sweeping.cancel()
            await self._end()

    # -- Connections

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, peer = await loop.sock_accept(self._listener)
            except OSError as error:
                if error.errno in EXHAUSTED:
                    await self._do_without(error)
                continue  # who hung up meanwhile is no trouble
            self._welcome(sock, source_of(peer[0]))
            await asyncio.sleep(0)  # between two of a flood, those who are here get their turn

    def _welcome(self, sock: socket.socket, source: str) -> None:
        context = self._context()
        if (context is None and self._is_secure) or not self._guests.admit(source):
            sock.close()
            return
        connection = Connection(self._shared, source, sock)
        task = asyncio.ensure_future(self._connect(sock, connection, context))
        self._shared.tasks.add(task)
        task.add_done_callback(self._shared.tasks.discard)

    async def _connect(
        self, sock: socket.socket, connection: Connection, context: ssl.SSLContext | None
    ) -> None:
        patience: dict[str, float] = {}
        if context is not None:
            patience = {
                "ssl_handshake_timeout": HEAD_TIMEOUT_S,
                "ssl_shutdown_timeout": LINGER_S,
            }
        loop = asyncio.get_running_loop()
        try:
            sock.setblocking(False)
            await loop.connect_accepted_socket(
                lambda: connection, sock, ssl=context, **cast(Any, patience)
            )
        except OSError:  # no handshake, or they hung up
            self._guests.leave(connection)
            sock.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._guests.most = self._affordable()
            now_s = time.monotonic()
            for guest in self._guests:
                connection = cast(Connection, guest)
                if connection.due_s <= now_s:
                    connection.expire()

    # -- Descriptors

    def _affordable(self) -> int:
        """Connections that leave enough descriptors for what else this process does."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit == resource.RLIM_INFINITY:
            return self._wanted
        left = limit - self._used_at_start - SPARE_DESCRIPTORS
        return max(CONNECTIONS_MIN, min(self._wanted, left))

    async def _do_without(self, error: OSError) -> None:
        """No descriptor is left for one who knocks: say so, and have somebody give way."""
        now_s = time.monotonic()
        if now_s - self._complained_s > COMPLAINT_S:
            self._complained_s = now_s
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            log.error(
                "a connection cannot be taken: %s; this process may have %d files open and has %d "
                "connections (raise it with ulimit -n or LimitNOFILE=)",
                error.strerror,
                limit,
                len(self._guests),
            )
        self._guests.make_room()
        await asyncio.sleep(EXHAUSTED_PAUSE_S)

    # -- The end

    async def _end(self) -> None:
        self._shared.closing = True
        for guest in self._guests:
            cast(Connection, guest).shut_down()
        tasks = list(self._shared.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
        if len(self._guests):
            await asyncio.sleep(FLUSH_S)
        for guest in self._guests:
            guest.abort()
        self._listener.close()

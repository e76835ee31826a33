"""Datagrams: a connected UDP or ping socket whose octets are taken in turns."""

from __future__ import annotations

import asyncio
import socket

from geodns.health.probes.line import wake
from geodns.health.probes.local import Local


class Datagrams:
    """One peer's datagrams; it belongs to one task. Connected, the kernel reports a closed port
    and drops what others send."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None

    async def connect(self, target: str, port: int) -> None:
        """Be for a target that may be probed. Errors: Refused, OSError."""
        address = await self._local.admitted(target, port)
        self.open(address, port, socket.IPPROTO_UDP)

    def close(self) -> None:
        """Hear no more."""
        if self._socket is not None:
            self._socket.close()

    def open(self, address: str, port: int, protocol: int) -> None:
        """The same for an address that was admitted already. Errors: OSError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        self._socket = made = socket.socket(family, kind, protocol)
        made.connect((address, port))

    def send(self, octets: bytes) -> None:
        """Send one. Errors: OSError; a full buffer is one of them."""
        assert self._socket is not None
        self._socket.send(octets)

    async def receive(self, limit: int) -> bytes:
        """The next one, cut off at ``limit``. Errors: OSError."""
        assert self._socket is not None
        number = self._socket.fileno()
        while True:
            ready = self._loop.create_future()
            self._loop.add_reader(number, wake, ready)
            try:
                await ready
            finally:
                self._loop.remove_reader(number)
            await self._local.turns.take()
            try:
                return self._socket.recv(limit)
            except BlockingIOError:
                continue

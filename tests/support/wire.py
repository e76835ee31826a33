"""A web server in a thread, and a client that sends whatever octets it likes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import h11

from geodns.api.wire.server import WebServer


@contextmanager
def web_server(app: Any, **options: Any) -> Iterator[tuple[str, int]]:
    """Serves an application; the address to connect to."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    address = listener.getsockname()
    limits = {"connections": 4096, "connections_per_source": 2048} | options
    server = WebServer(app, listener, **limits)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    task = loop.create_task(server.serve(started.set))
    thread = threading.Thread(target=_run, args=(loop, task))
    thread.start()
    assert started.wait(10)
    yield address[:2]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Peer:
    """One connection, read with h11 so that a reply is held to the standard."""

    def __init__(
        self,
        address: tuple[str, int],
        wrap: Callable[[socket.socket], ssl.SSLSocket] | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        plain = socket.create_connection(address, timeout_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock: socket.socket = wrap(plain) if wrap else plain
        self._octets = b""

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, octets: bytes) -> None:
        with suppress(ConnectionError):  # it may have seen enough
            self.sock.sendall(octets)

    def reply(self, method: str = "GET") -> Reply:
        """The next reply. AssertionError if the server closes instead."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        reader.send(h11.EndOfMessage())
        status, headers, body = 0, {}, b""
        reader.receive_data(self._octets) if self._octets else None
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA:
                octets = self.sock.recv(65_536)
                assert octets or status, "the server closed"
                reader.receive_data(octets)
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._octets = reader.trailing_data[0]
                return Reply(status, headers, body)

    def ask(self, octets: bytes, method: str = "GET") -> Reply:
        self.send(octets)
        return self.reply(method)

    def take(self, size: int) -> int:
        """How many octets there are to read; 0 once the server has ended it."""
        try:
            return len(self.sock.recv(size))
        except ConnectionError:
            return 0

    def is_closed(self) -> bool:
        """Whether the server ends it, sooner or later."""
        try:
            while self.take(65_536):
                pass
        except TimeoutError:
            return False
        return True

"""The TCP side of either engine on real sockets, without the rest of a server."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from array import array
from collections import Counter

from geodns.engine import tcp
from geodns.engine.page import COUNTERS
from geodns.engine.responder import Surroundings
from geodns.engine.tcp import TcpServer
from support.engines import native_around, sections
from support.lab import Lab

PATIENCE_S = 10.0
QUIET_S = 0.05
"""What has not come after so long is taken not to come."""


class Clients:
    """Clients of a listener, whoever serves it."""

    idle_s = tcp.IDLE_S

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # soon full; inherited by connections
            self.listener.setsockopt(socket.SOL_SOCKET, buffer, 65_536)
        self.listener.setblocking(False)
        self._clients: list[socket.socket] = []

    def client(self) -> socket.socket:
        """A new connection, which the server has accepted."""
        before = self.counted("tcp_open")
        client = socket.create_connection(self.listener.getsockname())
        client.settimeout(PATIENCE_S)
        self._clients.append(client)
        self.until(lambda: self.counted("tcp_open") > before)
        return client

    def read(self, client: socket.socket, count: int = 1) -> list[bytes]:
        """So many messages, which have come by and by; b"" is the server's end."""
        octets, closed = b"", False
        client.setblocking(False)

        def enough() -> bool:
            nonlocal octets, closed
            with contextlib.suppress(BlockingIOError):
                try:
                    more = client.recv(1 << 20)
                except ConnectionResetError:
                    more = b""
                octets, closed = octets + more, not more
            return len(messages(octets)) + closed >= count or closed

        self.until(enough)
        found = messages(octets)
        assert sum(2 + len(message) for message in found) == len(octets), "a part of a message"
        return found + [b""] * closed

    def is_quiet(self, client: socket.socket) -> bool:
        """Whether nothing more comes, and the server does not close."""
        self.pass_time(QUIET_S)
        client.setblocking(False)
        try:
            client.recv(1)
        except BlockingIOError:
            return True
        return False

    def until(self, condition: object) -> None:
        """Let the server work until something is so."""
        assert callable(condition)
        until_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until_s, "it did not happen"
            self.turn()

    def counted(self, name: str) -> int:
        raise NotImplementedError

    def turn(self) -> None:
        """Let the server do what there is to do."""
        raise NotImplementedError

    def pass_time(self, time_s: float) -> None:
        """Let so much of the server's time go by."""
        raise NotImplementedError

    def close(self) -> None:
        for sock in (*self._clients, self.listener):
            sock.close()


def messages(octets: bytes) -> list[bytes]:
    """The whole messages of a stream."""
    found = []
    while len(octets) >= 2 and len(octets) >= (end := 2 + int.from_bytes(octets[:2], "big")):
        found.append(octets[2:end])
        octets = octets[end:]
    return found


class ReferenceTcp(Clients):
    """The reference engine's, turned by the test, with a clock in its hand."""

    def __init__(self, lab: Lab, connections: int) -> None:
        super().__init__()
        self._lab, self._counted, self._now_s = lab, Counter[str](), 1000.0
        self._selector = selectors.DefaultSelector()
        self._server = TcpServer(
            self._selector,
            self._respond,
            lambda name: self._counted.update([name]),
            lambda: self._now_s,
            connections_max=connections,
        )
        self._selector.register(
            self.listener, selectors.EVENT_READ, lambda _: self._server.accept(self.listener)
        )

    def counted(self, name: str) -> int:
        return self._counted[name]

    def turn(self) -> None:
        for key, mask in self._selector.select(0.005):
            key.data(mask)
        self._server.expire()

    def pass_time(self, time_s: float) -> None:
        self._now_s += time_s
        self.turn()

    def close(self) -> None:
        super().close()
        self._server.close()
        self._selector.close()

    def _respond(self, packet: bytes, peer: str) -> bytes | None:
        assert peer == "127.0.0.1"
        self._counted["tcp"] += 1
        return self._lab.raw(packet, peer, tcp=True)


class NativeTcp(Clients):
    """The native engine's thread; its time is real, so idle connections live shorter."""

    def __init__(self, lab: Lab, connections: int, idle_s: float = 1.0) -> None:
        from geodns import _native

        super().__init__()
        self.idle_s = idle_s
        self._counters = [array("Q", bytes(8 * len(COUNTERS))) for _ in range(2)]
        self._server = _native.Server(
            [],
            [self.listener.fileno()],
            lab.status.words,
            self._counters,
            native_around(Surroundings()),
            sections(lab),
            connections=connections,
            idle_s=idle_s,
        )

    def counted(self, name: str) -> int:
        return self._counters[1][COUNTERS.index(name)]

    def turn(self) -> None:
        time.sleep(0.001)

    def pass_time(self, time_s: float) -> None:
        time.sleep(time_s)

    def close(self) -> None:
        super().close()
        self._server.stop()

"""DNS over TCP: pipelined queries, bounded connections, nobody holds a place for long."""

from __future__ import annotations

import selectors
import socket
import time
from collections import OrderedDict
from collections.abc import Callable

CONNECTIONS_MAX = 256
"""Connections of one worker, whatever its engine; beyond it the longest idle one gives way.
Source: gdnsd."""

IDLE_S = 10.0
"""Seconds without a whole message before a connection is closed. Source: RFC 7766 section
6.2.3 asks for seconds; Knot's default is 10."""

ACCEPT_BURST = 32
"""Connections accepted before those already open get their turn."""

UNSENT_MAX = 65_537
"""Octets of replies that may wait for a slow reader before its next query is answered."""

Respond = Callable[[bytes, str], bytes | None]


class Connection:
    """One client: octets not yet a message, octets not yet sent."""

    __slots__ = ("active_s", "inbox", "outbox", "peer", "sock", "watching")

    def __init__(self, sock: socket.socket, peer: str, now_s: float) -> None:
        self.sock = sock
        self.peer = peer
        self.active_s = now_s
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.watching = selectors.EVENT_READ


class TcpServer:
    """The TCP side of a worker, driven by its selector."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        respond: Respond,
        count: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._selector = selector
        self._respond = respond
        self._count = count
        self._clock = clock
        self._connections_max = connections_max
        # Ordered by last activity: the first is the longest idle.
        self._connections: OrderedDict[int, Connection] = OrderedDict()

    def accept(self, listener: socket.socket) -> None:
        """Take the connections that wait."""
        for _ in range(ACCEPT_BURST):
            try:
                sock, peer = listener.accept()
            except OSError:  # none left, or out of descriptors: those we have go on
                return
            sock.setblocking(False)
            if len(self._connections) >= self._connections_max:
                self._close(next(iter(self._connections.values())))
            connection = Connection(sock, peer[0], self._clock())
            self._connections[sock.fileno()] = connection
            self._selector.register(sock, selectors.EVENT_READ, self._handler(connection))
            self._count("tcp_open")

    def expire(self) -> None:
        """Close who has been idle too long; call it about once a second."""
        limit = self._clock() - IDLE_S
        for connection in list(self._connections.values()):
            if connection.active_s > limit:
                return
            self._close(connection)

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._connections.values()):
            self._close(connection)

    def _handler(self, connection: Connection) -> Callable[[int], None]:
        def handle(events: int) -> None:
            try:
                open_ = not events & selectors.EVENT_READ or self._receive(connection)
                if not open_ or not self._pump(connection):
                    self._close(connection)
            except OSError:
                self._close(connection)

        return handle

    def _receive(self, connection: Connection) -> bool:
        """Take what has come in; False when the client has closed."""
        try:
            octets = connection.sock.recv(65_536)
        except BlockingIOError:
            return True
        connection.inbox += octets
        return bool(octets)

    def _pump(self, connection: Connection) -> bool:
        """Answer and send until one of both must wait; False when the connection must end."""
        while self._has_message(connection):
            if not self._answer(connection):
                return False
            self._send(connection)
            if len(connection.outbox) > UNSENT_MAX:
                break
        self._send(connection)
        # While replies wait to be sent, no further queries are read: the client slows itself.
        self._watch(
            connection, selectors.EVENT_WRITE if connection.outbox else selectors.EVENT_READ
        )
        return True

    def _answer(self, connection: Connection) -> bool:
        """Answer one message (RFC 1035 section 4.2.2: two octets of length come first).

        What must not be answered must not hold a connection either: then False.
        """
        inbox = connection.inbox
        end = 2 + int.from_bytes(inbox[:2], "big")
        reply = self._respond(bytes(inbox[2:end]), connection.peer)
        del inbox[:end]
        self._touch(connection)
        if reply is not None:
            connection.outbox += len(reply).to_bytes(2, "big") + reply
        return reply is not None

    def _has_message(self, connection: Connection) -> bool:
        inbox = connection.inbox
        return len(inbox) >= 2 and len(inbox) >= 2 + int.from_bytes(inbox[:2], "big")

    def _send(self, connection: Connection) -> None:
        if connection.outbox:
            try:
                sent = connection.sock.send(connection.outbox)
            except BlockingIOError:
                return
            del connection.outbox[:sent]

    def _watch(self, connection: Connection, wanted: int) -> None:
        if wanted != connection.watching:
            connection.watching = wanted
            self._selector.modify(connection.sock, wanted, self._handler(connection))

    def _touch(self, connection: Connection) -> None:
        connection.active_s = self._clock()
        self._connections.move_to_end(connection.sock.fileno())

    def _close(self, connection: Connection) -> None:
        fileno = connection.sock.fileno()
        if self._connections.pop(fileno, None) is None:
            return
        self._selector.unregister(connection.sock)
        connection.sock.close()
        self._count("tcp_closed")

"""One connection: requests one after another, each phase with an end in time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from email.utils import formatdate
from enum import Enum, auto
from functools import lru_cache
from typing import Any

import h11

from geodns.api.envelope import new_request_id, strict_headers
from geodns.api.problems import HttpError, problem_response
from geodns.api.wire.exchange import PIECE_OCTETS, Exchange, Message
from geodns.api.wire.guests import Guests
from geodns.api.wire.head import HEAD_MAX_OCTETS, Head, bad_request, read_head, scope_of

HEAD_TIMEOUT_S = 10.0
"""From the first octet of a head to the last. Source: no reference; half of what Apache's
mod_reqtimeout has."""

IDLE_TIMEOUT_S = 75.0
"""Before a request. Source: nginx, keepalive_timeout; who is idle gives way to others anyway."""

READING_TIMEOUT_S = 20.0
"""How long a client may take for the next piece of a reply. Source: no reference; 64 kB in 20 s
is a bad telephone line."""

LINGER_S = 2.0
"""How long to hear out who still sends after the reply. Source: RFC 9112 section 9.6 asks for
it; else the reply may be lost to a reset."""

LINGER_MAX_OCTETS = 128 * 2**20
"""Source: no reference; who sends 64 MB without looking still reads why they were refused."""

READ_OCTETS = 16_384
"""Taken in at once. Source: the longest head, so that little is kept of who is not asked for more;
the buffer is one for all connections."""


class Shared:
    """What the connections of one server have in common."""

    def __init__(self, app: Any, guests: Guests, state: Callable[[], dict[str, Any]]) -> None:
        self.app = app
        self.state = state
        self.guests = guests
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing = False
        self.buffer = memoryview(bytearray(READ_OCTETS))
        self.sink = memoryview(bytearray(16 * READ_OCTETS))


class Phase(Enum):
    """What a connection is about."""

    IDLE = auto()
    HEAD = auto()
    BUSY = auto()
    LINGERING = auto()
    OVER = auto()


class Connection(asyncio.BufferedProtocol):
    """Reads heads, hands requests to the application, writes its replies."""

    def __init__(self, shared: Shared, source: str, sock: socket.socket) -> None:
        self._shared = shared
        self._source = source
        self._sock: socket.socket | None = sock
        self._transport: asyncio.Transport | None = None
        self._phase = Phase.IDLE
        self.due_s = time.monotonic() + IDLE_TIMEOUT_S
        self._head = Head()
        self._http: h11.Connection | None = None
        self._exchange: Exchange | None = None
        self._request_complete = self._is_chunked = False
        self._half_closed = False
        self._last = False
        self._lingered_octets = 0
        self._held_back = b""
        self._writable: asyncio.Event | None = None
        shared.guests.enter(self)

    @property
    def source(self) -> str:
        """Whom it counts for."""
        return self._source

    def expire(self) -> None:
        """Its phase has lasted too long."""
        if self._phase is Phase.HEAD:
            detail = f"The head of the request did not arrive within {HEAD_TIMEOUT_S:g} s."
            self._refuse(HttpError(408, "timeout", "Request timeout", detail))
        elif self._phase is Phase.IDLE and self._transport is not None:
            self._phase, self.due_s = Phase.OVER, time.monotonic() + READING_TIMEOUT_S
            self._transport.close()
        else:
            self.abort()

    def shut_down(self) -> None:
        """Take no further request."""
        if self._phase in (Phase.IDLE, Phase.HEAD):
            self.abort()
        elif self._exchange is not None and self._request_complete:
            self._exchange.gone()  # ends a stream, and nothing else

    def abort(self) -> None:
        """End it now."""
        self._phase = Phase.OVER
        if self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:  # else the kernel would keep what is unread
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif self._sock is not None:  # in the handshake still, which this ends
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    # -- What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._sock = transport, None
        transport.set_write_buffer_limits(high=PIECE_OCTETS)
        if self._phase is Phase.OVER:
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._phase = Phase.OVER
        self._shared.guests.leave(self)
        if self._exchange is not None:
            self._exchange.gone()
        if self._writable is not None:
            self._writable.set()

    def get_buffer(self, size_hint: int) -> memoryview:
        shared = self._shared
        return shared.sink if self._phase is Phase.LINGERING else shared.buffer

    def buffer_updated(self, size: int) -> None:
        if self._phase in (Phase.IDLE, Phase.HEAD):
            self._take_head(bytes(self._shared.buffer[:size]))
        elif self._phase is Phase.BUSY:
            assert self._http is not None
            self._http.receive_data(bytes(self._shared.buffer[:size]))
            self._advance()
        else:
            self._lingered_octets += size
            if self._lingered_octets > LINGER_MAX_OCTETS:
                self.abort()

    def eof_received(self) -> bool:
        self._half_closed = True
        if self._phase is not Phase.BUSY or self._exchange is None:
            return False
        self._exchange.gone()
        return self._request_complete  # then it may still want the reply

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
        self._writable = None

    # -- A request

    def _take_head(self, octets: bytes) -> None:
        try:
            whole = self._head.feed(octets)
            if self._phase is Phase.IDLE and self._head:
                self._phase = Phase.HEAD
                self.due_s = time.monotonic() + HEAD_TIMEOUT_S
            if whole is not None:
                self._begin_exchange(whole)
        except HttpError as error:
            self._refuse(error)

    def _begin_exchange(self, octets: bytes) -> None:
        self._head = Head()
        self._http = h11.Connection(h11.SERVER, HEAD_MAX_OCTETS)
        self._http.receive_data(octets)
        request = read_head(self._http, octets)
        scope = scope_of(request) | self._ends()
        self._phase, self.due_s = Phase.BUSY, float("inf")
        self._shared.guests.busy(self)
        self._request_complete = self._last = False
        self._is_chunked = any(name == b"transfer-encoding" for name, _ in request.headers)
        self._exchange = Exchange(self, request.method == b"HEAD")
        self._advance()
        task = asyncio.ensure_future(self._exchange.run(self._shared.app, scope))
        self._shared.tasks.add(task)
        task.add_done_callback(self._shared.tasks.discard)

    def _ends(self) -> Message:
        assert self._transport is not None
        info = self._transport.get_extra_info
        peer, own = info("peername"), info("sockname")
        return {
            "scheme": "https" if info("sslcontext") else "http",
            "client": (peer[0], peer[1]) if peer else None,
            "server": (own[0], own[1]) if own else None,
            "state": self._shared.state(),
        }

    def _advance(self) -> None:
        """Take what h11 makes of what has arrived."""
        assert self._http is not None
        assert self._exchange is not None
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._exchange.arrived(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    self._request_complete = True
                    self._exchange.complete()
                else:
                    break
        except h11.RemoteProtocolError:
            self._last = True
            self._exchange.broken(bad_request("The body is not in chunks as RFC 9112 has them."))
        follows = bool(self._http.trailing_data[0])
        if follows or self._exchange.waiting_octets or self._last:
            self._pause_reading()

    def read_on(self) -> None:
        """Take in more of what the client sends."""
        if self._http is not None and self._http.they_are_waiting_for_100_continue:
            self._put(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    # -- Its reply

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin the reply; it goes out with the first of its body."""
        assert self._http is not None
        # What follows a chunked body in one go may be a request smuggled in: it is not read.
        follows = bool(self._http.trailing_data[0]) and self._is_chunked
        incomplete = not self._request_complete
        self._last |= self._shared.closing or self._half_closed or incomplete or follows
        fields = [*headers, (b"date", _date(int(time.time()))), *(_CLOSE if self._last else ())]
        self._held_back = self._encoded(h11.Response(status_code=status, headers=fields))

    async def write(self, octets: bytes, left: int) -> None:
        """Write some of its body, of which so much is left; waits while the client reads."""
        self._put(h11.Data(data=octets))
        if self._writable is None or self._phase is Phase.OVER:
            return
        self.due_s = time.monotonic() + READING_TIMEOUT_S
        self._shared.guests.hold(self, left + PIECE_OCTETS)
        await self._writable.wait()
        self._shared.guests.hold(self, 0)
        self.due_s = float("inf")

    def end(self) -> None:
        """The reply is whole: on to the next request, or goodbye."""
        assert self._http is not None
        if self._phase is Phase.OVER:
            return
        self._put(h11.EndOfMessage())
        self._exchange = None
        if self._last or self._half_closed or self._http.our_state is not h11.DONE:
            self._say_goodbye()
            return
        follows, _ = self._http.trailing_data
        self._http = None
        self._phase, self.due_s = Phase.IDLE, time.monotonic() + IDLE_TIMEOUT_S
        self._shared.guests.idle(self)
        if self._shared.closing:
            self.abort()
            return
        if follows:
            self._take_head(follows)
        if self._phase is Phase.IDLE or self._phase is Phase.HEAD:
            self.read_on()

    def _refuse(self, error: HttpError) -> None:
        """Answer what is no request, or comes too slowly, and end."""
        request_id = new_request_id()
        reply = problem_response(error, request_id)
        secure = self._ends()["scheme"] == "https"
        strict = strict_headers(request_id, secure=secure)
        fields = [
            *reply.raw_headers,
            *((name.lower().encode(), value.encode()) for name, value in strict),
        ]
        self._http = h11.Connection(h11.SERVER)
        self._last, self._request_complete = True, False
        self.begin(error.status, fields)
        self._put(h11.Data(data=bytes(reply.body)))
        self._put(h11.EndOfMessage())
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Close for writing, and hear for a while who still sends (RFC 9112 §9.6)."""
        assert self._transport is not None
        if self._request_complete and not self._is_chunked:
            self._phase, self.due_s = Phase.OVER, time.monotonic() + READING_TIMEOUT_S
            self._transport.close()
            return
        self._phase, self.due_s = Phase.LINGERING, time.monotonic() + LINGER_S
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._http = None
        self.read_on()

    def _put(self, event: h11.Event) -> None:
        """Write what h11 makes of an event, after what was held back."""
        octets = self._held_back + self._encoded(event)
        self._held_back = b""
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _encoded(self, event: h11.Event) -> bytes:
        assert self._http is not None
        return self._http.send(event) or b""


_CLOSE = ((b"connection", b"close"),)


@lru_cache(1)
def _date(unix_s: int) -> bytes:
    """Now, for the field Date (RFC 9110 §6.6.1)."""
    return formatdate(unix_s, usegmt=True).encode("ascii")

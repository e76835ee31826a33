"""The lean path for plain HTTP: the same observation as the general one at a fifth of its cost.

A reply whose head is of the common form and whole in the first portion is read here. All others
are handed to h11, octet by octet as they came, which the general path reads them with as well.
"""

from __future__ import annotations

import re
from contextlib import closing

import h11

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Misbehaviour, Progress, bounded
from geodns.health.probes.content import Body
from geodns.health.probes.http import (
    BODY_RAW_MAX_OCTETS,
    HEAD_MAX_OCTETS,
    Judge,
    Request,
    protocol_words,
    request_of,
    too_long,
    waiting_for_body,
)
from geodns.health.probes.line import Line
from geodns.health.probes.local import Local
from geodns.health.probes.turns import Turns
from geodns.model.monitor import Monitor

INCOMPLETE_MAX_OCTETS = 100 * 1024
"""What h11 holds of a head that is not whole. Source: httpcore's value, so that both paths say
the same."""

EVENTS_PER_TURN = 32
"""Events of h11's before others get a turn. Source: measured, about 1 ms of work."""

# RFC 9112 sections 4 and 5, of which this is the common part: one line for each field, no odd
# octets, and a body without a transfer coding, as long as is said once.
_FIELD = (
    rb"(?!(?i:transfer-encoding|content-length):)"
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n"
)
_HEAD = re.compile(
    rb"HTTP/1\.[01] ([2-5][0-9][0-9])(?: [\t\x20-\x7e]*+)?\r\n"
    rb"(?:%(field)b)*+"
    rb"(?:(?i:content-length):[ \t]*([0-9]{1,15})[ \t]*\r\n(?:%(field)b)*+)?"
    rb"\r\n" % {b"field": _FIELD}
)
_BODYLESS = (204, 304)  # RFC 9112 section 6.3


class LeanHttpProbe:
    """Asks the node's own address for the service's page, in plain HTTP/1.1."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local
        self._judge = Judge(monitor)
        self._request = request_of(address, monitor)
        self._octets = _octets(self._request)
        self._head_only = monitor.method == "HEAD"

    async def observe(self) -> Observation:
        """Passed when status and body are as expected within the monitor's timeout."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        with closing(Line(self._local.turns)) as line:
            await line.connect(self._local, self._address, self._monitor.port_or_default())
            progress.missing = "no reply"
            await line.send(self._octets)
            first = await line.receive()
            head = _HEAD.match(first)
            if head is not None and not self._head_only:
                found = await self._common(line, first, head, progress)
                if found is not None:
                    return found
            try:
                return await self._odd(line, first, progress)
            except h11.RemoteProtocolError as error:
                raise Misbehaviour(protocol_words(str(error))) from None

    async def _common(
        self, line: Line, first: bytes, head: re.Match[bytes], progress: Progress
    ) -> Finding | None:
        """What a reply of the common form shows; None when it is not so common after all."""
        status = int(head[1])
        found = self._judge.by_status(status)
        if found is not None:
            return found
        if head[2] is None or status in _BODYLESS:
            return None
        progress.missing = waiting_for_body(status)
        body, left = Body(self._judge.content), int(head[2])
        piece = first[head.end() :][:left]
        while left > 0:
            if not piece:
                piece = await line.receive(left)
                if not piece:
                    raise Misbehaviour("connection closed before the reply was whole")
            left -= len(piece)
            if body.feed(piece):
                return self._judge.found(status, body)
            piece = b""
        body.whole()
        return self._judge.found(status, body)

    async def _odd(self, line: Line, first: bytes, progress: Progress) -> Finding:
        """What a reply of any form shows, read by h11."""
        events = _Events(line, self._request, first, self._local.turns)
        status = await events.status()
        found = self._judge.by_status(status)
        if found is not None:
            return found
        progress.missing = waiting_for_body(status)
        events.allow(BODY_RAW_MAX_OCTETS)
        return await self._judge.by_body(status, events)


class _Events:
    """A reply as h11 reads it."""

    def __init__(self, line: Line, request: Request, first: bytes, turns: Turns) -> None:
        self._line = line
        self._turns = turns
        self._count = 0
        self._left = HEAD_MAX_OCTETS - len(first)
        self._h11 = h11.Connection(h11.CLIENT, INCOMPLETE_MAX_OCTETS)
        self._h11.send(
            h11.Request(method=request.method, target=request.target, headers=list(request.headers))
        )
        self._h11.send(h11.EndOfMessage())
        self._received(first)

    def allow(self, octets: int) -> None:
        """How much may be read from now on."""
        self._left = octets

    async def status(self) -> int:
        """The status of the reply, once its head is there; interim replies are passed over."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event.status_code
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event.status_code

    async def next(self) -> bytes:
        """The next piece of the body; empty at its end."""
        while True:
            event = await self._next()
            if not isinstance(event, h11.Data):
                return b""
            if event.data:
                return bytes(event.data)

    async def _next(self) -> object:
        self._count += 1
        if self._count % EVENTS_PER_TURN == 0:
            await self._turns.take()
        while True:
            event = self._h11.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            if self._left <= 0:
                raise too_long()
            octets = await self._line.receive(self._left)
            self._left -= len(octets)
            self._received(octets)

    def _received(self, octets: bytes) -> None:
        if not octets and self._h11.their_state is h11.SEND_RESPONSE:
            raise Misbehaviour("connection closed before the reply was whole")
        self._h11.receive_data(octets)


def _octets(request: Request) -> bytes:
    """The request as it goes out, written by h11."""
    connection = h11.Connection(h11.CLIENT)
    event = h11.Request(method=request.method, target=request.target, headers=list(request.headers))
    return (connection.send(event) or b"") + (connection.send(h11.EndOfMessage()) or b"")

"""One request and its reply, as an ASGI application sees them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import h11

from geodns.api.problems import HttpError

PIECE_OCTETS = 65_536
"""How much of a reply is handed on at once. Source: asyncio's own mark for "enough"."""

Message = dict[str, Any]

log = logging.getLogger("geodns.api")


class Line(Protocol):
    """The connection, as far as an exchange needs it."""

    def read_on(self) -> None:
        """Take in more of what the client sends."""

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin the reply."""

    async def write(self, octets: bytes, left: int) -> None:
        """Write some of its body, of which so much is left; waits while the client reads."""

    def end(self) -> None:
        """The reply is whole."""

    def abort(self) -> None:
        """End the connection, the reply being what it is."""


class Exchange:
    """Carries one request to the application and its reply back."""

    def __init__(self, line: Line, is_head: bool) -> None:
        self.ended = False
        self._line = line
        self._is_head = is_head
        self._begun = False
        self._body = bytearray()
        self._complete = False
        self._told = False
        self._gone = False
        self._fault: HttpError | None = None
        self._news = asyncio.Event()

    async def run(self, app: Any, scope: Message) -> None:
        """Have the application answer."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:
            log.exception("a request failed beyond all that answers for failures")
        if not self.ended:
            self._line.abort()

    # -- What the connection tells

    @property
    def waiting_octets(self) -> int:
        """What has arrived and nobody has asked for."""
        return len(self._body)

    def arrived(self, octets: bytes) -> None:
        """Some of the body."""
        self._body += octets
        self._news.set()

    def complete(self) -> None:
        """The request is whole."""
        self._complete = True
        self._news.set()

    def broken(self, fault: HttpError) -> None:
        """The rest of the body cannot be understood."""
        self._fault = fault
        self._news.set()

    def gone(self) -> None:
        """The client sends no more, and perhaps does not listen."""
        self._gone = True
        self._news.set()

    # -- ASGI

    async def _receive(self) -> Message:
        while True:
            if not self._told and (self._body or self._complete):
                octets, self._told = bytes(self._body), self._complete
                self._body.clear()
                return {"type": "http.request", "body": octets, "more_body": not self._told}
            if self._fault is not None:
                raise self._fault
            if self._gone or self.ended:
                return {"type": "http.disconnect"}
            self._news.clear()
            self._line.read_on()
            await self._news.wait()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            self._line.begin(message["status"], list(message.get("headers", ())))
            return
        if self.ended or not self._begun:
            return
        octets = b"" if self._is_head else message.get("body", b"")
        try:
            for at in range(0, len(octets), PIECE_OCTETS):
                piece = octets[at : at + PIECE_OCTETS]
                await self._line.write(piece, len(octets) - at - len(piece))
            if not message.get("more_body", False):
                self.ended = True
                self._news.set()
                self._line.end()
        except h11.LocalProtocolError:
            log.exception("a reply was not as long as it said")
            self.ended = True
            self._line.abort()

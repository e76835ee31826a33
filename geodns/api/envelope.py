"""What every reply wears: request id, strict headers, and an end to stray exceptions."""

from __future__ import annotations

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodns.api.auth import Gate
from geodns.api.problems import problem_response
from geodns.api.roles import permit
from geodns.errors import GeodnsError
from geodns.store.base import Token

log = logging.getLogger("geodns.api")
access_log = logging.getLogger("geodns.api.access")

GUARDED_PREFIX = "/api"
READING = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Source: OWASP REST Security Cheat Sheet, "Security Headers"."""


class Envelope:
    """The outermost layer around the routes: tells who asks before anything is routed."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = _Reply(send, _request_id())
        scope.setdefault("state", {})["request_id"] = reply.request_id
        started_s = time.monotonic()
        await self._answer(scope, receive, reply)
        if scope["method"] not in READING:
            _log_write(scope, reply, time.monotonic() - started_s)

    async def _answer(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        try:
            if scope["path"].startswith(GUARDED_PREFIX):
                token = await self._token(scope)
                scope["state"] |= {"actor": token.id, "token": token}
                permit(token, scope["method"], scope["path"])
            await self._app(scope, receive, reply.send)
        except ClientDisconnect:
            pass  # nobody is left to be told
        except Exception as error:
            if not isinstance(error, GeodnsError):
                log.exception("request %s failed unexpectedly", reply.request_id)
                what = "Something unexpected happened; the log tells more under"
                error = GeodnsError(f"{what} {reply.request_id}.")
            if reply.status == 0:
                await problem_response(error, reply.request_id)(scope, receive, reply.send)

    async def _token(self, scope: Scope) -> Token:
        fields = [value for name, value in scope["headers"] if name == b"authorization"]
        return await self._gate.actor(fields, source_address(scope))


class _Reply:
    """The way out: adds the headers, remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def source_address(scope: Scope) -> str:
    """The address of the other end of the connection; "" if it has none."""
    client = scope.get("client")
    return client[0] if client else ""


def _log_write(scope: Scope, reply: _Reply, elapsed_s: float) -> None:
    # The raw path is ASCII without control characters; the query may hold more than we know.
    path = scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "replace")
    access_log.info(
        "%s %s %d by %s from %s in %.1f ms, request %s",
        scope["method"],
        path,
        reply.status,
        scope["state"].get("actor") or "-",
        source_address(scope) or "-",
        elapsed_s * 1000,
        reply.request_id,
    )


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _request_id() -> str:
    """A ULID: 48 bits of Unix milliseconds and 80 random ones in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))

"""What every reply wears: request id, strict headers, and an end to stray exceptions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodns.api.auth import Gate
from geodns.api.metrics import Meter
from geodns.api.pace import Pace, source_of
from geodns.api.problems import HttpError, problem_response
from geodns.api.refusals import Refusals
from geodns.api.roles import permit
from geodns.errors import GeodnsError
from geodns.settings.logs import request_id
from geodns.store.base import Token

log = logging.getLogger("geodns.api")
access_log = logging.getLogger("geodns.api.access")

GUARDED_PREFIX = "/api"
PREFIX = "/api/v1"
READING = frozenset({"GET", "HEAD", "OPTIONS"})

REQUEST_TIMEOUT_S = 120.0
"""From the head of a request to that of its reply. Source: no reference; a document of 16 MB takes
30 s to arrive and some 20 to be judged and published."""

INTAKE_MAX_BYTES = 32 * 2**20
"""Octets of bodies held at once, of all requests. Source: no reference; twice the largest."""

LARGE_BYTES = 2**20
"""Of longer bodies one is taken at a time, others wait. Source: no reference; each may have 16 MB,
and twice that while it is read."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Source: OWASP REST Security Cheat Sheet, "Security Headers"."""

HSTS = {"Strict-Transport-Security": "max-age=31536000"}
"""Over TLS only (RFC 6797 §7.2). Source: OWASP HTTP Strict Transport Security Cheat Sheet, a year;
not for subdomains, which need not be ours."""


class Envelope:
    """The outermost layer around the routes: tells who asks before anything is routed."""

    def __init__(
        self, app: ASGIApp, gate: Gate, pace: Pace, refusals: Refusals, meter: Meter
    ) -> None:
        self._app = app
        self._gate = gate
        self._refusals = refusals
        self._pace = pace
        self._meter = meter
        self._intake_bytes = 0
        self._large = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = _Reply(scope, send)
        scope.setdefault("state", {})["request_id"] = reply.request_id
        request_id.set(reply.request_id)
        started_s = time.monotonic()
        try:
            await self._answer(scope, receive, reply)
        finally:
            elapsed_s = (reply.began_s or time.monotonic()) - started_s
            route = scope["state"].get("route")
            self._meter.request(scope["method"], route, reply.status, elapsed_s)
        if reply.status == 401:
            self._refusals.sign_in(source_of(source_address(scope)))
        if scope["method"] not in READING:
            _log_write(scope, reply, time.monotonic() - started_s)
            if reply.status == 403:
                what = f"{scope['method']} {_path(scope)}"
                self._refusals.write(scope["state"]["actor"], what, reply.request_id)

    async def _answer(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        limit = reply.limit
        try:
            async with limit:
                await self._admitted(scope, receive, reply)
        except (ClientDisconnect, _HeadersSuffice):
            pass  # nobody is left to be told, or wants to know more
        except Exception as error:
            told = _too_slow() if limit.expired() else _told(error, reply.request_id)
            if reply.status == 0:
                await problem_response(told, reply.request_id)(scope, receive, reply.send)

    async def _admitted(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        wait_s = self._pace.wait_s(source_of(source_address(scope)))
        if wait_s:
            raise _too_often(wait_s)
        if scope["path"].startswith(GUARDED_PREFIX):
            token = await self._token(scope)
            scope["state"] |= {"actor": token.id, "token": token}
            permit(token, scope["method"], scope["path"])
        await self._bounded(scope, receive, reply.send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have it answered, with a bound on what all bodies together take."""
        mine_bytes, is_large = 0, False

        async def counted() -> Message:
            nonlocal mine_bytes, is_large
            if mine_bytes > LARGE_BYTES and not is_large:
                is_large = await self._large.acquire()
            message = await receive()
            octets = len(message.get("body", b""))
            mine_bytes += octets
            self._intake_bytes += octets
            if self._intake_bytes > INTAKE_MAX_BYTES:
                raise _too_much_at_once()
            return message

        # RFC 9110 §9.3.2: HEAD is GET without the content, wherever there is GET.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, counted, send)
        finally:
            self._intake_bytes -= mine_bytes
            if is_large:
                self._large.release()

    async def _token(self, scope: Scope) -> Token:
        fields = [value for name, value in scope["headers"] if name == b"authorization"]
        return await self._gate.actor(fields, source_address(scope))


class Named:
    """The innermost layer: remembers which route was taken, for the layers around."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route and scope["path"].startswith(PREFIX) and not route.startswith(PREFIX):
                route = PREFIX + route  # a router's own routes do not know where it stands
            scope.setdefault("state", {})["route"] = route


def _told(error: Exception, request_id: str) -> GeodnsError:
    """What a client is told of an error: ours as they are, of others where to look."""
    if isinstance(error, GeodnsError):
        return error
    log.exception("request %s failed unexpectedly", request_id)
    what = "Something unexpected happened; the log tells more under"
    return GeodnsError(f"{what} {request_id}.")


class _HeadersSuffice(Exception):
    """The reply to HEAD is out, and the content goes on."""


class _Reply:
    """The way out: adds the headers, remembers the status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._is_head = scope["method"] == "HEAD"
        self._is_secure = scope.get("scheme") == "https"
        self.request_id = new_request_id()
        self.status = 0
        self.began_s = 0.0
        self.limit = asyncio.timeout(REQUEST_TIMEOUT_S)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.began_s = time.monotonic()
            with contextlib.suppress(RuntimeError):  # it is over, by an error or in time
                self.limit.reschedule(None)  # what has begun may last: a stream does
            headers = MutableHeaders(scope=message)
            for name, value in strict_headers(self.request_id, secure=self._is_secure):
                headers.setdefault(name, value)
        elif self._is_head and message.get("more_body", False):
            await self._send({**message, "body": b"", "more_body": False})
            raise _HeadersSuffice
        await self._send(message)


def strict_headers(request_id: str, *, secure: bool) -> list[tuple[str, str]]:
    """The fields of every reply, unless it has its own."""
    shown = HEADERS | HSTS if secure else HEADERS
    return [("X-Request-Id", request_id), *shown.items()]


def source_address(scope: Scope) -> str:
    """The address of the other end of the connection; "" if it has none."""
    client = scope.get("client")
    return client[0] if client else ""


def _too_often(wait_s: float) -> HttpError:
    return HttpError(
        429,
        "too_many_requests",
        "Too many requests",
        "More requests came from this address than api_requests_per_s allows.",
        headers={"Retry-After": str(math.ceil(wait_s))},
    )


def _too_much_at_once() -> HttpError:
    return HttpError(
        503,
        "busy",
        "Busy",
        f"More than {INTAKE_MAX_BYTES} octets are being sent at once.",
        hint="Send large bodies one after another.",
        headers={"Retry-After": "1"},
    )


def _too_slow() -> HttpError:
    detail = (
        f"There was no answer within {REQUEST_TIMEOUT_S:g} s; whether it was done is not known."
    )
    return HttpError(503, "timeout", "Timeout", detail)


def _log_write(scope: Scope, reply: _Reply, elapsed_s: float) -> None:
    fields = {
        "method": scope["method"],
        "path": _path(scope),
        "status": reply.status,
        "actor": scope["state"].get("actor"),
        "source": source_address(scope) or None,
        "elapsed_ms": round(elapsed_s * 1000, 1),
    }
    access_log.info(
        "%s %s %d by %s from %s in %.1f ms, request %s",
        *(value if value is not None else "-" for value in fields.values()),
        reply.request_id,
        extra={"fields": fields},
    )


def _path(scope: Scope) -> str:
    # The raw path is ASCII without control characters; the query may hold more than we know.
    path: bytes = scope.get("raw_path", b"").partition(b"?")[0]
    return path.decode("ascii", "replace")


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_request_id() -> str:
    """A ULID: 48 bits of Unix milliseconds and 80 random ones in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))

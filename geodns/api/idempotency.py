"""Idempotency-Key on POST: the same request under the same key is answered again, not done again.

Source: draft-ietf-httpapi-idempotency-key-header-07. Keys are each token's own. A reply is kept
before it is sent, so that it survives a restart; one that holds a secret is kept in memory alone.
If the server ends between a change and its reply, the repeated request is done anew: all our POSTs
create under an id that is refused the second time, or make again what is so already.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodns.api.bodies import DOCUMENT_MAX_BYTES
from geodns.api.problems import HttpError
from geodns.api.requests import read_octets
from geodns.errors import ConfigError, Reason, Unavailable
from geodns.store.replies import BODY_MAX_BYTES, Kept, Replies

log = logging.getLogger("geodns.api")

FIELD = "idempotency-key"
REPLAYED = "Idempotency-Replayed"

RECENT_MAX = 256
"""Replies kept in memory because they hold a secret, or could not be written. Source: no
reference; a program that asks again does so within minutes."""

_KEY = re.compile(r'([!#-~]{1,255})|"([!#-~]{1,255})"')
"""The draft's form is a string in quotes (RFC 9651 §3.3.3); most clients send it bare."""

_SECRET = re.compile(r"/api/v1/tokens(/[^/]+/rotate)?")
_HEADERS = ("content-type", "etag", "location")

Owned = tuple[str, str]
"""Whose key, and the key."""


class Idempotency:
    """A layer between the gate and the routes."""

    def __init__(self, app: ASGIApp, replies: Replies) -> None:
        self._app = app
        self._replies = replies
        self._running: set[Owned] = set()
        self._recent: OrderedDict[Owned, Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = Headers(scope=scope).getlist(FIELD) if scope["type"] == "http" else []
        if not fields or scope["method"] != "POST" or "token" not in scope.get("state", {}):
            await self._app(scope, receive, send)
            return
        token = scope["state"]["token"]
        # A token that is made anew under an old id is another's.
        owned = (f"{token.id} {token.created.isoformat()}", _read_key(fields))
        body = await read_octets(Request(scope, receive), DOCUMENT_MAX_BYTES)
        if owned in self._running:
            raise _in_progress()
        self._running.add(owned)
        try:
            await self._answer(owned, scope, body, receive, send)
        finally:
            self._running.discard(owned)

    async def _answer(
        self, owned: Owned, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        digest = _digest(scope, body)
        kept = self._recent.get(owned) or await asyncio.to_thread(self._replies.find, *owned)
        if kept is not None:
            if kept.request != digest:
                raise _reused()
            await _replay(kept, send)
            return
        reply = _Reply()
        await self._app(scope, _again(body, receive), reply.take)
        made = reply.kept(digest)
        if made is not None:
            await self._keep(owned, made, secret=_SECRET.fullmatch(scope["path"]) is not None)
        for message in reply.messages:
            await send(message)

    async def _keep(self, owned: Owned, made: Kept, *, secret: bool) -> None:
        bare = Kept(made.request, made.status, made.headers, None)
        hidden = secret and made.status < 300
        try:
            await asyncio.to_thread(self._replies.keep, *owned, bare if hidden else made)
        except Unavailable as error:
            log.error("a reply is kept in memory only: %s", error)
            hidden = True
        if hidden:
            self._recent[owned] = made
            if len(self._recent) > RECENT_MAX:
                self._recent.popitem(last=False)


class _Reply:
    """What the routes say, held back until it is kept."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def take(self, message: Message) -> None:
        self.messages.append(message)

    def kept(self, digest: bytes) -> Kept | None:
        """The reply, if it is one that would be given again."""
        body = b"".join(message.get("body", b"") for message in self.messages)
        if not self.messages or len(body) > BODY_MAX_BYTES:
            return None
        start = self.messages[0]
        headers = Headers(raw=start["headers"])
        if not _is_final(start["status"], body):
            return None
        shown = {name: headers[name] for name in _HEADERS if name in headers}
        return Kept(digest, start["status"], shown, body)


def _is_final(status: int, body: bytes) -> bool:
    """Whether asking again makes no sense: it was done, or what was asked for is wrong."""
    if status >= 500:
        # Saved, if not served by all yet.
        return body.startswith((b'{"type":"/problems/not_served"', b'{"type":"/problems/not_publ'))
    return status not in (408, 429)


async def _replay(kept: Kept, send: Send) -> None:
    if kept.body is None:
        raise _secret_gone()
    headers = {**kept.headers, "content-length": str(len(kept.body)), REPLAYED: "true"}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": kept.status, "headers": raw})
    await send({"type": "http.response.body", "body": kept.body})


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it."""
    rest = [body]

    async def replayed() -> Message:
        if rest:
            return {"type": "http.request", "body": rest.pop(), "more_body": False}
        return await receive()

    return replayed


def _digest(scope: Scope, body: bytes) -> bytes:
    media_type = Headers(scope=scope).get("content-type", "")
    digest = hashlib.sha256()
    for part in (scope["path"].encode(), scope["query_string"], media_type.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _read_key(fields: list[str]) -> str:
    """Errors: ConfigError if it is none."""
    found = _KEY.fullmatch(fields[0].strip(" \t")) if len(fields) == 1 else None
    if found is None:
        detail = "Idempotency-Key is one text of 1 to 255 printable ASCII characters."
        hint = 'Send a UUID, as in "5d0e4c3a-9b1f-4f6e-8a55-7b6f0c2d9e11".'
        raise ConfigError([Reason("", "bad_header", detail, fields[0][:200], hint)])
    return found[1] or found[2]


def _in_progress() -> HttpError:
    return HttpError(
        409,
        "in_progress",
        "In progress",
        "The first request with this Idempotency-Key is not answered yet.",
        hint="Repeat it a moment later.",
        headers={"Retry-After": "1"},
    )


def _reused() -> HttpError:
    return HttpError(
        422,
        "key_reused",
        "Key used before",
        "This Idempotency-Key was sent before with another request.",
        hint="Use a new key for each request, and the same one only to repeat it.",
    )


def _secret_gone() -> HttpError:
    return HttpError(
        409,
        "secret_not_kept",
        "Secret not kept",
        "The token was made; its secret was in the first reply, and is not kept on disk.",
        hint="Rotate the token for a new secret.",
    )

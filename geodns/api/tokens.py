"""Tokens: made with a secret that is shown once, listed without it, limited, rotated, ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.edit import merge_patch
from geodns.api.preconditions import not_found
from geodns.api.requests import author, number, read_body, read_query
from geodns.api.resources import PAGE_DEFAULT, PAGE_MAX, PATCH_TYPES
from geodns.api.roles import OWN_PREFIX
from geodns.errors import ConfigError, Conflict, Reason
from geodns.model.asked import NewToken, Rotation
from geodns.model.base import read
from geodns.model.override import instant
from geodns.store.base import Store, Token
from geodns.store.tokens import with_new_secret

ADMIN = "admin"
"""The id of the token in the data directory; its file is what ends it."""

FIXED = ("id", "role")
READ_ONLY = ("created", "last_used_at", "old_secret_until")


def token_routes(store: Store) -> APIRouter:
    """Make, list, change, rotate and end tokens."""
    router = APIRouter(tags=["tokens"])
    of = Tokens(store)
    new = openapi.body({"$ref": "#/components/schemas/NewToken"})
    rotation = openapi.body({"$ref": "#/components/schemas/Rotation"})
    patch = openapi.body({"type": "object"}, PATCH_TYPES[0])
    one = openapi.described(path=("id",))

    @router.get(
        "/tokens", summary="List tokens", openapi_extra=openapi.described(query=openapi.PAGING)
    )
    async def listed(request: Request) -> Response:
        query = read_query(request, ("limit", "cursor"))
        limit = number(query, "limit", PAGE_DEFAULT, 1, PAGE_MAX)
        found, following = await asyncio.to_thread(of.page, query.get("cursor", ""), limit)
        return JSONResponse({"items": found, "next": following})

    @router.post(
        "/tokens",
        summary="Make a token; its secret is in this reply alone",
        status_code=201,
        openapi_extra=openapi.described(body=new),
    )
    async def make(request: Request) -> Response:
        read_query(request, ())
        wanted = read(NewToken, await read_body(request))
        return JSONResponse(await asyncio.to_thread(of.make, wanted, author(request)), 201)

    @router.get("/tokens/{id}", summary="Read a token, without its secret", openapi_extra=one)
    async def show(request: Request) -> Response:
        read_query(request, ())
        return JSONResponse(await asyncio.to_thread(of.show, request.path_params["id"]))

    @router.patch(
        "/tokens/{id}",
        summary="Change what a token is limited to, or when it expires; its secret stays",
        openapi_extra=openapi.described(path=("id",), body=patch),
    )
    async def change(request: Request) -> Response:
        read_query(request, ())
        data = await read_body(request, media_types=PATCH_TYPES)
        changed = partial(of.change, request.path_params["id"], data, author(request))
        return JSONResponse(await asyncio.to_thread(changed))

    @router.post(
        "/tokens/{id}/rotate",
        summary="Give a token a new secret, which is in this reply alone",
        openapi_extra=openapi.described(path=("id",), body={**rotation, "required": False}),
    )
    async def rotate(request: Request) -> Response:
        read_query(request, ())
        wanted = read(Rotation, await read_body(request) if _has_body(request) else {})
        rotated = partial(of.rotate, request.path_params["id"], wanted, author(request))
        return JSONResponse(await asyncio.to_thread(rotated))

    @router.delete("/tokens/{id}", summary="End a token", status_code=204, openapi_extra=one)
    async def end(request: Request) -> Response:
        read_query(request, ())
        await asyncio.to_thread(of.end, request.path_params["id"], author(request))
        return Response(status_code=204)

    return router


class Tokens:
    """What can be done with tokens. Its methods block, and are made one after another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()

    def page(self, after_id: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """At most so many tokens after an id, and the cursor if more follow."""
        found = [token for token in self._store.tokens() if token.id > after_id]
        uses = self._store.uses()
        shown = [_view(token, uses.get(token.id)) for token in found[:limit]]
        return shown, shown[-1]["id"] if len(found) > limit else None

    def show(self, token_id: str) -> dict[str, Any]:
        """Errors: NotFound."""
        return _view(self._get(token_id), self._store.uses().get(token_id))

    def make(self, wanted: NewToken, who: dict[str, str]) -> dict[str, Any]:
        """Errors: ConfigError, Conflict."""
        now = utc_now()
        expires_at = _checked(wanted, now)
        made, secret = with_new_secret(
            Token(wanted.id, wanted.role, b"", now, expires_at, wanted.nodes, wanted.zones)
        )
        with self._lock:
            if wanted.id == ADMIN or self._store.token(wanted.id) is not None:
                raise Conflict([Reason("/id", "exists", f"The token {wanted.id} exists already.")])
            self._store.put_token(made, **who)
        return {**_view(made, None), "secret": secret}

    def change(self, token_id: str, patch: Any, who: dict[str, str]) -> dict[str, Any]:
        """Errors: ConfigError, NotFound, Conflict."""
        with self._lock:
            token = self._get(token_id)
            _require_made_by_hand(token, "changed")
            wanted = read(NewToken, merge_patch(_fields(token), _writable(patch)))
            _require_fixed(token, wanted)
            expires_at = _checked(wanted, utc_now())
            limits = {"expires_at": expires_at, "nodes": wanted.nodes, "zones": wanted.zones}
            changed = replace(token, **limits)  # type: ignore[arg-type]
            if changed != token:
                self._store.put_token(changed, **who)
        return self.show(token_id)

    def rotate(self, token_id: str, wanted: Rotation, who: dict[str, str]) -> dict[str, Any]:
        """Errors: NotFound, Conflict.

        Shape: of a token that is rotated again during its overlap, the oldest secret ends.
        """
        with self._lock:
            token, now = self._get(token_id), utc_now()
            _require_made_by_hand(token, "rotated", agents=True)
            if token.expires_at is not None and token.expires_at <= now:
                detail = f"The token {token_id} has expired."
                raise Conflict([Reason("", "expired", detail, hint="Make a new one.")])
            until = now + timedelta(seconds=wanted.overlap_s) if wanted.overlap_s else None
            rotated, secret = with_new_secret(token)
            rotated = replace(rotated, old_hash=token.hash if until else None, old_until=until)
            self._store.put_token(rotated, reason="rotate", **who)
        return {**_view(rotated, self._store.uses().get(token_id)), "secret": secret}

    def end(self, token_id: str, who: dict[str, str]) -> None:
        """Errors: NotFound, Conflict."""
        with self._lock:
            if token_id == ADMIN:
                raise _admins("ended")
            if not self._store.drop_token(token_id, **who):
                raise _no_token(token_id)

    def _get(self, token_id: str) -> Token:
        found = self._store.token(token_id)
        if found is None:
            raise _no_token(token_id)
        return found


def utc_now() -> datetime:
    return datetime.now(UTC)


def _has_body(request: Request) -> bool:
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _checked(wanted: NewToken, now: datetime) -> datetime | None:
    """When it expires. Errors: ConfigError with all that cannot be so."""
    faults: list[Reason] = []
    if wanted.role == "agent" and not wanted.nodes:
        detail = "An agent's token needs nodes that it may speak for."
        faults.append(Reason("/nodes", "required", detail, list(wanted.nodes)))
    if wanted.role == "agent" and wanted.zones:
        detail = "An agent's token has no zones."
        faults.append(Reason("/zones", "not_allowed", detail, list(wanted.zones)))
    expires_at = datetime.fromisoformat(wanted.expires_at) if wanted.expires_at else None
    if expires_at is not None and expires_at <= now:
        detail = "The token would have expired already."
        faults.append(Reason("/expires_at", "out_of_range", detail, wanted.expires_at))
    if faults:
        raise ConfigError(faults)
    return expires_at


def _require_fixed(token: Token, wanted: NewToken) -> None:
    faults = [
        Reason(f"/{name}", "immutable", f"The {name} of a token stays.", getattr(wanted, name))
        for name in FIXED
        if getattr(wanted, name) != getattr(token, name)
    ]
    if faults:
        raise ConfigError([replace(each, hint="Make a new token.") for each in faults])


def _require_made_by_hand(token: Token, what: str, *, agents: bool = False) -> None:
    if token.id == ADMIN:
        raise _admins(what)
    if token.id.startswith(OWN_PREFIX) and not agents:
        detail = f"The token {token.id} is a node's own and is not {what} here."
        raise Conflict([Reason("", "in_use", detail, hint="End it, and the node gets a new one.")])


def _admins(what: str) -> Conflict:
    hint = "Remove admin.token from the data directory and restart for a new one."
    return Conflict([Reason("", "in_use", f"The admin token is not {what} here.", hint=hint)])


def _no_token(token_id: str) -> ConfigError:
    return not_found(f"token {token_id[:100]}")


def _writable(patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    return {name: value for name, value in patch.items() if name not in READ_ONLY}


def _fields(token: Token) -> dict[str, Any]:
    """The token as it could have been asked for."""
    view = _view(token, None)
    return {name: each for name, each in view.items() if name not in READ_ONLY}


def _view(token: Token, used: datetime | None) -> dict[str, Any]:
    return {
        "id": token.id,
        "role": token.role,
        "nodes": list(token.nodes),
        "zones": list(token.zones),
        "created": _instant(token.created),
        "expires_at": _instant(token.expires_at),
        "last_used_at": _instant(used),
        "old_secret_until": _instant(token.old_until),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant(int(at.timestamp()) * 1000)

"""Tokens: made with a secret that is shown once, listed without it, ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.preconditions import not_found
from geodns.api.requests import author, read_body, read_query
from geodns.errors import ConfigError, Conflict, Reason
from geodns.model.asked import NewToken
from geodns.model.base import read
from geodns.model.override import instant
from geodns.store.base import Store, Token
from geodns.store.tokens import make_token

ADMIN = "admin"
"""The id of the token in the data directory; its file is what ends it."""


def token_routes(store: Store) -> APIRouter:
    """Make, list and end tokens."""
    router = APIRouter(tags=["tokens"])
    schema = {"$ref": "#/components/schemas/NewToken"}

    @router.get("/tokens", summary="List tokens", openapi_extra=openapi.described())
    async def listed(request: Request) -> Response:
        read_query(request, ())
        tokens = await asyncio.to_thread(store.tokens)
        return JSONResponse({"items": [_view(token) for token in tokens], "next": None})

    @router.post(
        "/tokens",
        summary="Make a token; its secret is in this reply alone",
        status_code=201,
        openapi_extra=openapi.described(body=openapi.body(schema)),
    )
    async def make(request: Request) -> Response:
        read_query(request, ())
        wanted = read(NewToken, await read_body(request))
        return JSONResponse(await asyncio.to_thread(_make, store, wanted, author(request)), 201)

    @router.delete(
        "/tokens/{id}",
        summary="End a token",
        status_code=204,
        openapi_extra=openapi.described(path=("id",)),
    )
    async def end(request: Request) -> Response:
        read_query(request, ())
        token_id = request.path_params["id"]
        if token_id == ADMIN:
            hint = "Remove admin.token from the data directory and restart for a new one."
            detail = "The admin token is not ended here."
            raise Conflict([Reason("", "in_use", detail, hint=hint)])
        if not await asyncio.to_thread(store.drop_token, token_id, **author(request)):
            raise not_found(f"token {token_id[:100]}")
        return Response(status_code=204)

    return router


def _make(store: Store, wanted: NewToken, who: dict[str, str]) -> dict[str, Any]:
    if (wanted.role == "agent") != bool(wanted.nodes):
        detail = "An agent's token needs nodes; other roles have none."
        raise ConfigError([Reason("/nodes", "required", detail, list(wanted.nodes))])
    now = datetime.now(UTC)
    expires_at = datetime.fromisoformat(wanted.expires_at) if wanted.expires_at else None
    if expires_at is not None and expires_at <= now:
        detail = "The token would have expired already."
        raise ConfigError([Reason("/expires_at", "out_of_range", detail, wanted.expires_at)])
    if wanted.id == ADMIN or any(token.id == wanted.id for token in store.tokens()):
        raise Conflict([Reason("/id", "exists", f"The token {wanted.id} exists already.")])
    secret = make_token(
        store, wanted.id, wanted.role, now, nodes=wanted.nodes, expires_at=expires_at, **who
    )
    made = next(token for token in store.tokens() if token.id == wanted.id)
    return {**_view(made), "secret": secret}


def _view(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "role": token.role,
        "nodes": list(token.nodes),
        "created": _instant(token.created),
        "expires_at": _instant(token.expires_at) if token.expires_at else None,
    }


def _instant(at: datetime) -> str:
    return instant(int(at.timestamp()) * 1000)

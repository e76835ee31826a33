"""The event stream: server-sent events (WHATWG HTML), resumed by Last-Event-ID."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from geodns.api import openapi
from geodns.api.ports import Health
from geodns.api.problems import HttpError
from geodns.api.requests import read_query

READERS_MAX = 256
"""Streams at once. Source: measured, each event costs some 20 µs for each of them."""

STREAM_MAX_S = 3600.0
"""A stream ends after so long; who comes back shows a token that is still good. Source: no
reference."""


def event_routes(health: Health) -> APIRouter:
    """What happens, as it happens."""
    router = APIRouter(tags=["state"])
    readers: set[object] = set()

    @router.get(
        "/events",
        summary="Follow changes of health, alarms and generations",
        openapi_extra=openapi.described(header=("Last-Event-ID",)),
    )
    async def events(request: Request) -> Response:
        read_query(request, ())
        if len(readers) >= READERS_MAX:
            detail = f"There are {READERS_MAX} readers of events already."
            raise HttpError(429, "too_many_readers", "Too many readers", detail)
        following = health.events(request.headers.get("last-event-id"))
        return StreamingResponse(_lines(following, readers), media_type="text/event-stream")

    return router


async def _lines(
    following: AsyncIterator[tuple[str, str, dict[str, Any]]], readers: set[object]
) -> AsyncIterator[str]:
    readers.add(following)
    ends_s = time.monotonic() + STREAM_MAX_S
    try:
        yield ": geodns\n\n"  # so that a reader knows at once that it is connected
        async for event_id, kind, data in following:
            if time.monotonic() > ends_s:
                break
            if kind:
                text = json.dumps(data, separators=(",", ":"))
                yield f"id: {event_id}\nevent: {kind}\ndata: {text}\n\n"
            else:
                yield ":\n\n"
    finally:
        readers.discard(following)

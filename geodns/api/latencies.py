"""Latency tables: text/csv in and out, one body a table."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.agents import Registration
from geodns.api.bodies import DOCUMENT_MAX_BYTES, encode
from geodns.api.filters import filters_of
from geodns.api.kinds import LATENCY
from geodns.api.ledger import Found
from geodns.api.ports import Health, Observer
from geodns.api.preconditions import is_unchanged
from geodns.api.requests import read_query, read_text
from geodns.api.resources import Collection, etag
from geodns.api.service import Service
from geodns.document.latencies import in_lines, rows_from_csv, table_to_csv
from geodns.errors import ConfigError
from geodns.model.latency import Latency

MEDIA_TYPE = "text/csv"  # RFC 7111, RFC 4180


def latency_routes(
    service: Service, observer: Observer, health: Health, registration: Registration
) -> APIRouter:
    """Read, replace and remove tables whole."""
    router = APIRouter(tags=[LATENCY.section])
    of = Tables(LATENCY, service, observer, health, registration)
    table = [
        (LATENCY.collection_path, "GET", of.list_items, "List latency tables"),
        (LATENCY.item_path, "GET", of.show, "Read a latency table"),
        (LATENCY.item_path, "PUT", of.replace, "Create or replace a latency table"),
        (LATENCY.item_path, "DELETE", of.remove, "Remove a latency table"),
    ]
    csv = openapi.body({"type": "string"}, MEDIA_TYPE)
    for path, method, handler, summary in table:
        item = path == LATENCY.item_path
        router.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=204 if method == "DELETE" else 200,
            summary=summary,
            response_class=JSONResponse,
            response_model=None,
            operation_id=f"{method}_latency{'' if item else '_tables'}".lower(),
            openapi_extra=openapi.operation(
                LATENCY,
                method,
                item=item,
                body=csv if method == "PUT" else None,
                query=_PREFIX if path == LATENCY.collection_path else None,
            ),
        )
    return router


_PREFIX = {name: (each.schema, each.about) for name, each in filters_of(LATENCY.word).items()}


class Tables(Collection):
    """What HTTP can do with latency tables."""

    async def show(self, request: Request) -> Response:
        read_query(request, ())
        found = self._service.get(self._kind, self._key(request))
        assert isinstance(found.resource, Latency)
        if is_unchanged(request.headers.get("if-none-match"), str(found.revision)):
            return Response(status_code=304, headers=etag(found))
        text = await run_in_threadpool(table_to_csv, found.resource)
        return Response(text, media_type=MEDIA_TYPE, headers=etag(found))

    async def replace(self, request: Request) -> Response:
        key, terms = self._key_and_terms(request)
        text = await read_text(request, DOCUMENT_MAX_BYTES, (MEDIA_TYPE,))
        body, lines = await run_in_threadpool(rows_from_csv, text)
        try:
            outcome = await self._service.put(self._kind, key, body, terms)
        except ConfigError as error:
            raise type(error)(in_lines(error.reasons, lines)) from None
        return self._written(key, outcome)

    def _text(self, found: Found) -> str:
        return encode(self._view(found))

    def _view(self, found: Found) -> dict[str, Any]:
        """A table in a few words: its rows are its own body."""
        assert isinstance(found.resource, Latency)
        rows = found.resource.rows
        return {
            "id": self._kind.id_of(found.key),
            "revision": found.revision,
            "rows": len(rows),
            "nodes": len({row.node for row in rows}),
        }

"""A zone as a master file (RFC 1035 section 5), in and out."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from geodns.api import openapi
from geodns.api.bodies import DOCUMENT_MAX_BYTES
from geodns.api.kinds import ZONE, read_key
from geodns.api.ports import Observer
from geodns.api.preconditions import is_unchanged
from geodns.api.requests import TERMS, read_query, read_terms, read_text
from geodns.api.routes import applied
from geodns.api.service import Service

MEDIA_TYPE = "text/dns"  # RFC 4027
MEDIA_TYPES = (MEDIA_TYPE, "text/plain")

_PATH = "/zones/{zone}/zonefile"


def zonefile_routes(service: Service, observer: Observer) -> APIRouter:
    """Read and replace a zone's records as text."""
    router = APIRouter(tags=["zones"])

    @router.get(
        _PATH,
        summary="Export a zone as a master file",
        openapi_extra=openapi.described(path=("zone",)),
    )
    async def export(request: Request) -> Response:
        read_query(request, ())
        zone_id = _zone_id(request)
        tag = await run_in_threadpool(service.zone_tag, zone_id)
        headers = {"ETag": f'"{tag}"'}
        if is_unchanged(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        text = await run_in_threadpool(service.zonefile, zone_id, observer.serial(zone_id))
        return Response(text, headers=headers, media_type=MEDIA_TYPE)

    @router.put(
        _PATH,
        summary="Replace a zone by a master file",
        openapi_extra=openapi.described(
            path=("zone",),
            query=openapi.TERMS,
            header=("If-Match", "If-None-Match"),
            body=openapi.body({"type": "string"}, MEDIA_TYPE),
        ),
    )
    async def replace(request: Request) -> Response:
        terms = read_terms(request, read_query(request, TERMS))
        zone_id = _zone_id(request)
        with service.jobs.begin(terms.actor, terms.request_id) as job:
            text = await read_text(request, DOCUMENT_MAX_BYTES, MEDIA_TYPES)
            outcome = await service.put_zonefile(zone_id, text, dataclasses.replace(terms, job=job))
        reply = applied(outcome)
        del reply.headers["ETag"]  # the store's, which is not that of this zone
        return reply

    return router


def _zone_id(request: Request) -> str:
    return read_key(ZONE, (request.path_params["zone"],))[0]

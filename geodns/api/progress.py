"""The route that tells how far long work is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.jobs import Jobs
from geodns.api.requests import read_query


def progress_routes(jobs: Jobs) -> APIRouter:
    """How far the asker's own long work is."""
    router = APIRouter(tags=["document"])

    @router.get(
        "/progress",
        summary="How far your documents, plans and zone files are that are being worked on",
        openapi_extra=openapi.described(),
    )
    async def progress(request: Request) -> Response:
        read_query(request, ())
        return JSONResponse({"items": jobs.of(request.state.actor)})

    return router

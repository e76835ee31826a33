"""The application: routes, errors, headers and the gate, put together."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Match

from geodns import __version__
from geodns.api import apipage, openapi
from geodns.api.agents import Registration, agent_routes
from geodns.api.auth import Gate
from geodns.api.envelope import Envelope, Named
from geodns.api.events import event_routes
from geodns.api.history import history_routes
from geodns.api.idempotency import Idempotency
from geodns.api.latencies import latency_routes
from geodns.api.metrics import Meter
from geodns.api.pace import Pace
from geodns.api.paths import Paths
from geodns.api.ports import Geo, Health, Observer
from geodns.api.problems import HttpError, problem_response
from geodns.api.progress import progress_routes
from geodns.api.refusals import Refusals
from geodns.api.resources import PREFIX, resource_routes
from geodns.api.routes import document_routes, question_routes, state_routes
from geodns.api.service import Service
from geodns.api.tokens import token_routes
from geodns.api.zonefiles import zonefile_routes
from geodns.document.schema import document_schema
from geodns.errors import GeodnsError
from geodns.store.base import Store, Token
from geodns.store.replies import Replies

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

ABOUT = "Steers users to the nearest healthy edge node."


def create_app(
    service: Service,
    observer: Observer,
    health: Health,
    geo: Geo,
    registration: Registration,
    store: Store,
    verify_token: Callable[[str], Token | None],
    engine: str,
    requests_per_s: float = 0,
    replies: Replies | None = None,
    meter: Meter | None = None,
) -> FastAPI:
    """The admin API as an ASGI application.

    Shape: ``verify_token`` takes a bearer token and gives what it stands for, None if it is
           nobody's; it must not block. ``store`` keeps the tokens. ``engine`` is the name of the
           engine that answers, ``requests_per_s`` how often one address may ask, 0 any number.
    """
    meter = meter or Meter()
    app = FastAPI(
        title="geodns",
        version=__version__,
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(
                Envelope,
                gate=Gate(verify_token),
                pace=Pace(requests_per_s),
                refusals=Refusals(store.note),
                meter=meter,
            ),
            Middleware(Paths),
            Middleware(Idempotency, replies=replies or Replies()),
            Middleware(Named),
        ],
        exception_handlers={GeodnsError: _refuse, HTTPException: _refuse_http},
    )
    app.include_router(resource_routes(service, observer, health, registration), prefix=PREFIX)
    app.include_router(latency_routes(service, observer, health, registration), prefix=PREFIX)
    app.include_router(document_routes(service), prefix=PREFIX)
    app.include_router(progress_routes(service.jobs), prefix=PREFIX)
    app.include_router(history_routes(service, service.store), prefix=PREFIX)
    app.include_router(token_routes(store), prefix=PREFIX)
    app.include_router(agent_routes(service, health, registration), prefix=PREFIX)
    app.include_router(event_routes(health), prefix=PREFIX)
    app.include_router(zonefile_routes(service, observer), prefix=PREFIX)
    app.include_router(question_routes(service, observer, health, geo), prefix=PREFIX)
    app.include_router(state_routes(service, observer, engine, meter))
    _add_description(app)
    return app


def _add_description(app: FastAPI) -> None:
    document: dict[str, Any] = openapi.complete(app.openapi())
    html, policy = apipage.page(document)

    async def contract(request: Request) -> Response:
        return JSONResponse(document)

    async def docs(request: Request) -> Response:
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def schema(request: Request) -> Response:
        return JSONResponse(document_schema(), media_type="application/schema+json")

    app.add_api_route("/schema.json", schema, include_in_schema=False)
    app.add_api_route("/openapi.json", contract, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, GeodnsError):
        raise error
    return problem_response(error, request.state.request_id)


async def _refuse_http(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: unknown routes and methods."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    if request.method == "OPTIONS" and status == HTTPStatus.METHOD_NOT_ALLOWED:
        return Response(status_code=204, headers=_allow(request))
    details = {
        404: f"There is nothing at {request.url.path[:200]}.",
        405: f"{request.method} is not possible here.",
    }
    refused = HttpError(
        status.value,
        status.name.lower(),
        status.phrase.capitalize(),
        details.get(status.value, f"{error.detail}."),
        hint="/docs lists what there is.",
        headers=_allow(request) if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers,
    )
    return await _refuse(request, refused)


def _allow(request: Request) -> dict[str, str]:
    """All methods of a path (RFC 9110 §10.2.1): each route knows of its own alone."""
    allowed = [method for method in METHODS if _is_possible(request, method)]
    return {"Allow": ", ".join(allowed)}


def _is_possible(request: Request, method: str) -> bool:
    routed = "GET" if method == "HEAD" else method  # as the envelope has it
    scope = {**request.scope, "method": routed}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

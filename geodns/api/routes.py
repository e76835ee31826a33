"""The routes besides the resources: the document, questions, and the server's own state."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from prometheus_client.core import Metric
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns import __version__
from geodns.api import openapi
from geodns.api.bodies import DOCUMENT_MAX_BYTES, to_json
from geodns.api.health import server_status
from geodns.api.kinds import ALL
from geodns.api.metrics import Meter, family, written
from geodns.api.ports import Geo, Health, Observer
from geodns.api.preconditions import Terms, is_unchanged
from geodns.api.problems import reason_view
from geodns.api.requests import (
    TERMS,
    flag,
    read_body,
    read_query,
    read_terms,
    required,
    scope_of,
)
from geodns.api.resources import plan_view
from geodns.api.scope import Scope
from geodns.api.service import Service
from geodns.api.writing import Outcome
from geodns.document.schema import NAME_PATTERN
from geodns.errors import ConfigError, Reason, Unavailable

_ADDRESS = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
_PREFIX = {"type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$"}
_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1021,
    "pattern": NAME_PATTERN[:-1] + r"\.?$",
}
_TYPE = {"type": "string", "pattern": "^[A-Za-z0-9]+$"}

_DOCUMENT = openapi.body({"$ref": "#/components/schemas/Document"})
_PRUNE = {"prune": ("boolean", "Remove what documents of this name made and lack now.")}


def document_routes(service: Service) -> APIRouter:
    """The whole configuration in one piece."""
    router = APIRouter(tags=["document"])

    @router.get("/document", summary="Export the document", openapi_extra=openapi.described())
    async def export(request: Request) -> Response:
        read_query(request, ())
        tag = str(service.revision)  # before the export: if it ages meanwhile, the tag does too
        headers = {"ETag": f'"{tag}"'}
        if is_unchanged(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        octets = await run_in_threadpool(_exported, service, scope_of(request))
        return Response(octets, headers=headers, media_type="application/json")

    @router.put(
        "/document",
        summary="Apply a document",
        openapi_extra=openapi.described(
            query={**openapi.TERMS, **_PRUNE}, header=("If-Match",), body=_DOCUMENT
        ),
    )
    async def apply(request: Request) -> Response:
        query = read_query(request, (*TERMS, "prune"))
        return await _apply(service, request, flag(query, "prune"), read_terms(request, query))

    @router.post(
        "/plan",
        summary="Tell what applying a document would do",
        openapi_extra=openapi.described(query=_PRUNE, body=_DOCUMENT),
    )
    async def plan(request: Request) -> Response:
        query = read_query(request, ("prune",))
        terms = Terms(request.state.actor, plan=True, scope=scope_of(request))
        return await _apply(service, request, flag(query, "prune"), terms)

    return router


def _exported(service: Service, scope: Scope) -> bytes:
    return to_json(service.export(scope))


async def _apply(service: Service, request: Request, prune: bool, terms: Terms) -> Response:
    with service.jobs.begin(terms.actor, request.state.request_id) as job:
        data = await read_body(request, DOCUMENT_MAX_BYTES)
        outcome = await service.apply(data, prune, replace(terms, job=job))
        # In a thread: a plan of ten thousand changes is megabytes.
        return await run_in_threadpool(applied, outcome)


def applied(outcome: Outcome) -> Response:
    if outcome.plan is not None:
        return Response(to_json(plan_view(outcome.plan)), media_type="application/json")
    view = {
        "revision": outcome.revision,
        "changed": outcome.changed,
        "warnings": [reason_view(reason) for reason in outcome.warnings],
    }
    return JSONResponse(
        view, 201 if outcome.created else 200, headers={"ETag": f'"{outcome.revision}"'}
    )


def question_routes(service: Service, observer: Observer, health: Health, geo: Geo) -> APIRouter:
    """What the server would answer, how it is, and where an address is."""
    router = APIRouter(tags=["questions"])

    @router.get(
        "/explain",
        summary="Explain an answer",
        openapi_extra=openapi.described(
            query={
                "name": (_NAME, "The name asked for."),
                "type": (_TYPE, "The type asked for; A."),
                "from": (_PREFIX, "The client subnet or address."),
                "resolver": (_ADDRESS, "The resolver's address."),
            },
            required=("name",),
        ),
    )
    async def explain(request: Request) -> Response:
        query = read_query(request, ("name", "type", "from", "resolver"))
        name = required(query, "name")
        scope_of(request).require_name(name, service.config.zones)
        source = _prefix(query["from"]) if query.get("from") else None
        resolver = _address("resolver", query["resolver"]) if query.get("resolver") else None
        rtype = query.get("type") or "A"
        explained = await run_in_threadpool(observer.explain, name, rtype, source, resolver)
        return JSONResponse(explained)

    @router.get("/status", summary="The server at a glance", openapi_extra=openapi.described())
    async def status(request: Request) -> Response:
        read_query(request, ())
        own: dict[str, Any] = {
            "generation": service.publishing.generation,
            "revision": service.revision,
            "tls": getattr(request.state, "tls", None),
        }
        return JSONResponse({**own, **await server_status(observer, health)})

    @router.get(
        "/geo/lookup",
        summary="Where an address is",
        openapi_extra=openapi.described(
            query={"address": (_ADDRESS, "An IP address.")}, required=("address",)
        ),
    )
    async def lookup(request: Request) -> Response:
        query = read_query(request, ("address",))
        return JSONResponse(_where(geo, _address("address", required(query, "address"))))

    return router


def _where(geo: Geo, address: str) -> dict[str, Any]:
    place = geo.lookup(address)
    view = {
        "address": address,
        "place": place.as_text() if place else None,
        "location": {"lat": float(place.latitude), "lon": float(place.longitude)}
        if place
        else None,
        "database": geo.describe(),
    }
    if geo.knows_asns:
        asn = geo.asn(address)
        view |= {"asn": asn.as_text() if asn else None, "asn_database": geo.describe_asns()}
    return view


def _address(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        detail = f"The parameter {name} is an IP address like 192.0.2.1."
        raise ConfigError([Reason("", "bad_parameter", detail, text[:200])]) from None


def _prefix(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        detail = "The parameter from is an address or prefix like 192.0.2.0/24."
        raise ConfigError([Reason("", "bad_parameter", detail, text[:200])]) from None


def state_routes(service: Service, observer: Observer, engine: str, meter: Meter) -> APIRouter:
    """What supervisors, routing daemons and Prometheus ask, without a token."""
    router = APIRouter(tags=["state"])

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        purpose = read_query(request, ("for",)).get("for")
        if purpose not in (None, "announce"):
            detail = "The parameter for is announce, or absent."
            raise ConfigError([Reason("", "bad_parameter", detail, purpose[:200])])
        faults = observer.faults(purpose == "announce")
        if faults:
            raise Unavailable(faults)
        generation = service.publishing.generation
        return JSONResponse({"status": "ready", "engine": engine, "generation": generation})

    scraping = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        sources = (lambda: _own_metrics(service, engine), meter.registry.collect, observer.collect)
        async with scraping:  # who asks in a hurry waits; requests do not
            octets, media = await run_in_threadpool(
                written, sources, request.headers.get("accept", "")
            )
        return Response(octets, headers={"Content-Type": media})

    probe = ["GET", "HEAD"]
    router.add_api_route("/livez", live, methods=probe, include_in_schema=False)
    router.add_api_route("/readyz", ready, methods=probe, include_in_schema=False)
    router.add_api_route("/metrics", metrics, include_in_schema=False)
    return router


def _own_metrics(service: Service, engine: str) -> Iterator[Metric]:
    config = service.config
    yield family("geodns_build_info", ((__version__, engine), 1))
    yield family(
        "geodns_resources", *(((kind.word,), len(kind.section_of(config))) for kind in ALL)
    )

"""The routes of all resources: one handler for all of them, made once for each kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.agents import Registration
from geodns.api.bodies import encode
from geodns.api.filters import filters_of, read_filters
from geodns.api.health import node_status
from geodns.api.kinds import ALL, LATENCY, NODE, OVERRIDE, Kind, read_key
from geodns.api.ledger import Found
from geodns.api.ports import Health, Observer
from geodns.api.preconditions import Terms, is_unchanged
from geodns.api.problems import reason_view
from geodns.api.requests import (
    TERMS,
    author,
    number,
    read_body,
    read_query,
    read_terms,
    scope_of,
)
from geodns.api.scope import Scope
from geodns.api.service import Service
from geodns.api.writing import Outcome, Plan
from geodns.document.places import location_of
from geodns.document.resources import Key
from geodns.errors import ConfigError, Reason
from geodns.model.network import Network
from geodns.model.node import Node
from geodns.model.webhook import Webhook
from geodns.model.zone import Steer

PREFIX = "/api/v1"

PAGE_DEFAULT = 100
PAGE_MAX = 1000
"""Source: no reference; 1,000 nodes make some 300 kB."""

PATCH_TYPES = ("application/merge-patch+json", "application/json")

Handler = Callable[[Request], Awaitable[Response]]


def resource_routes(
    service: Service, observer: Observer, health: Health, registration: Registration
) -> APIRouter:
    """The routes of all collections and their items."""
    router = APIRouter()
    for kind in ALL:
        if kind is LATENCY:
            continue  # its bodies are no JSON
        _add(router, kind, Collection(kind, service, observer, health, registration))
    return router


def _add(router: APIRouter, kind: Kind, of: Collection) -> None:
    table: list[tuple[str, str, Handler, int, str]] = [
        (kind.collection_path, "GET", of.list_items, 200, f"List {kind.section}"),
        (kind.collection_path, "POST", of.create, 201, f"Create a {kind.word}"),
        (kind.item_path, "GET", of.show, 200, f"Read a {kind.word}"),
        (kind.item_path, "PUT", of.replace, 200, f"Create or replace a {kind.word}"),
        (kind.item_path, "PATCH", of.merge, 200, f"Change a {kind.word}"),
        (kind.item_path, "DELETE", of.remove, 204, f"Remove a {kind.word}"),
    ]
    for path, method, handler, status, summary in table:
        router.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=status,
            summary=summary,
            tags=[kind.section],
            response_class=JSONResponse,
            response_model=None,
            operation_id=f"{method}_{kind.word}{'' if path == kind.item_path else 's'}".lower(),
            openapi_extra=openapi.operation(
                kind, method, item=path == kind.item_path, query=_query_of(kind, path, method)
            ),
        )


def _query_of(kind: Kind, path: str, method: str) -> openapi.Parameters:
    if method != "GET" or path == kind.item_path:
        return {}
    return {name: (each.schema, each.about) for name, each in filters_of(kind.word).items()}


class Collection:
    """What HTTP can do with the resources of one kind."""

    def __init__(
        self,
        kind: Kind,
        service: Service,
        observer: Observer,
        health: Health,
        registration: Registration,
    ) -> None:
        self._kind = kind
        self._service = service
        self._observer = observer
        self._health = health
        self._registration = registration

    async def list_items(self, request: Request) -> Response:
        query = read_query(request, ("limit", "cursor", *filters_of(self._kind.word)))
        limit = number(query, "limit", PAGE_DEFAULT, 1, PAGE_MAX)
        home, scope = self._key(request), scope_of(request)
        # In a thread: to tell the state of ten thousand nodes takes a while.
        return await run_in_threadpool(self._page, home, query, limit, scope)

    def _page(self, home: Key, query: dict[str, str], limit: int, scope: Scope) -> Response:
        test = read_filters(self._kind.word, query, self._service.config, self._observer)
        found, following = self._service.page(
            self._kind, home, query.get("cursor", ""), limit, scope, test
        )
        items = ",".join(map(self._text, found))
        return Response(
            f'{{"items":[{items}],"next":{encode(following)}}}', media_type="application/json"
        )

    async def show(self, request: Request) -> Response:
        read_query(request, ())
        found = self._service.get(self._kind, self._key(request))
        if is_unchanged(request.headers.get("if-none-match"), str(found.revision)):
            return Response(status_code=304, headers=etag(found))
        view = self._view(found)
        if self._kind is NODE:
            view["status"] |= await node_status(self._observer, self._health, view["id"])
        return JSONResponse(view, headers=etag(found))

    async def create(self, request: Request) -> Response:
        terms = read_terms(request, read_query(request, TERMS))
        data = await read_body(request)
        key = self._new_key(self._key(request), data)
        outcome = await self._service.put(self._kind, key, data, terms, only_new=True)
        return self._written(key, outcome)

    async def replace(self, request: Request) -> Response:
        key, terms = self._key_and_terms(request)
        data = await read_body(request)
        if request.state.token.role == "agent":
            return await self._register(request, key, data, terms)
        return self._written(key, await self._service.put(self._kind, key, data, terms))

    async def _register(self, request: Request, key: Key, data: Any, terms: Terms) -> Response:
        """The node of an agent, which gets a secret of its own the first time."""
        token = request.state.token
        await self._registration.check(token, key[0], data)
        outcome = await self._service.put(self._kind, key, data, terms)
        if outcome.plan is not None:
            return self._written(key, outcome)
        secret = await self._registration.secret_for(token, key[0], author(request))
        return self._written(key, outcome, {"secret": secret} if secret else None)

    async def merge(self, request: Request) -> Response:
        key, terms = self._key_and_terms(request)
        data = await read_body(request, media_types=PATCH_TYPES)
        if request.state.token.role == "agent":
            await self._registration.check(request.state.token, key[0], data, merged=True)
        return self._written(key, await self._service.patch(self._kind, key, data, terms))

    async def remove(self, request: Request) -> Response:
        key, terms = self._key_and_terms(request)
        outcome = await self._service.delete(self._kind, key, terms)
        if outcome.plan is not None:
            return JSONResponse(plan_view(outcome.plan))
        if self._kind is NODE:
            await self._registration.forget(key[0], author(request))
        return Response(status_code=204)

    # --- From the request ---

    def _key(self, request: Request) -> Key:
        parts = [request.path_params[at] for at in self._kind.fields if at in request.path_params]
        return read_key(self._kind, tuple(parts))

    def _key_and_terms(self, request: Request) -> tuple[Key, Terms]:
        return self._key(request), read_terms(request, read_query(request, TERMS))

    def _new_key(self, home: Key, data: Any) -> Key:
        given = data.get("id") if isinstance(data, dict) else None
        if not isinstance(given, str):
            detail = f"A new {self._kind.word} needs its id in the body."
            raise ConfigError([Reason("/id", "required", detail, given)])
        try:
            return read_key(self._kind, (*home, *self._kind.split_id(given)))
        except ConfigError as error:
            raise ConfigError(replace(each, pointer="/id") for each in error.reasons) from None

    # --- Into the reply ---

    def _view(self, found: Found) -> dict[str, Any]:
        return {**self._about(found), **found.resource.model_dump(mode="json")}

    def _text(self, found: Found) -> str:
        """The view in JSON, made in half the time: lists may be long."""
        about = encode(self._about(found))
        return f"{about[:-1]},{found.resource.model_dump_json()[1:]}"

    def _about(self, found: Found) -> dict[str, Any]:
        return {
            "id": self._kind.id_of(found.key),
            "revision": found.revision,
            "status": self._status(found),
            **({"author": self._service.author(found)} if self._kind is OVERRIDE else {}),
        }

    def _status(self, found: Found) -> dict[str, Any] | None:
        """What is known of the resource besides what was written."""
        resource = found.resource
        if isinstance(resource, Steer):
            zone_id, owner = found.key
            return self._observer.steer_status(zone_id, owner)
        if isinstance(resource, Webhook):
            return self._observer.webhook_status(found.key[0])
        if not isinstance(resource, Node | Network):
            return None
        place = location_of(resource)
        where = {"location": {"lat": place.lat, "lon": place.lon} if place else None}
        if isinstance(resource, Network):
            return where
        return {**self._observer.node_status(found.key[0]), **where}

    def _written(self, key: Key, outcome: Outcome, more: dict[str, Any] | None = None) -> Response:
        if outcome.plan is not None:
            return JSONResponse(plan_view(outcome.plan))
        found = outcome.found or self._service.get(self._kind, key)
        view = {**self._view(found), "warnings": [reason_view(each) for each in outcome.warnings]}
        view |= more or {}
        headers = {**etag(found), **(self._location(key) if outcome.created else {})}
        return JSONResponse(view, 201 if outcome.created else 200, headers)

    def _location(self, key: Key) -> dict[str, str]:
        values = {
            field: quote(part, safe="") for field, part in zip(self._kind.fields, key, strict=True)
        }
        return {"Location": PREFIX + self._kind.item_path.format(**values)}


def plan_view(planned: Plan) -> dict[str, Any]:
    """A plan as clients see it."""
    return {
        "base": planned.base,
        "changes": [
            {
                "pointer": change.pointer,
                "kind": change.kind,
                "before": change.before,
                "after": change.after,
            }
            for change in planned.changes
        ],
        "brakes": [reason_view(reason) for reason in planned.brakes],
        "warnings": [reason_view(reason) for reason in planned.warnings],
    }


def etag(found: Found) -> dict[str, str]:
    """The header that names a resource's revision (RFC 9110 section 8.8.3)."""
    return {"ETag": f'"{found.revision}"'}

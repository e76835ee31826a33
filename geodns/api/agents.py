"""Nodes that speak for themselves: registration, signs of life, pushed verdicts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from geodns.api import openapi
from geodns.api.kinds import MONITOR, NODE, read_key
from geodns.api.ports import Health
from geodns.api.preconditions import Terms
from geodns.api.problems import HttpError
from geodns.api.requests import read_body, read_query
from geodns.api.roles import OWN_PREFIX, own_id
from geodns.api.service import Service
from geodns.errors import ConfigError, Conflict, Reason
from geodns.model.asked import Heartbeat, PushedVerdict
from geodns.model.base import Resource, read
from geodns.model.monitor import Monitor
from geodns.model.node import Node
from geodns.store.base import Store, Token
from geodns.store.tokens import with_new_secret

PUSH_LEASE_S = 86_400.0
"""Longest lease of a pushed verdict whose monitor has none. Source: no reference; a day."""


class Registration:
    """Whose node is whose. A shared token brings a node in once; then the node's own holds."""

    def __init__(self, service: Service, store: Store) -> None:
        self._service = service
        self._store = store
        self.heard_s: dict[str, float] = {}
        """When each node was last heard of, on a clock that never steps."""

    def leased(self) -> list[str]:
        """The nodes that have a lease."""
        nodes = self._service.config.nodes
        return [node_id for node_id, node in nodes.items() if node.lease_s is not None]

    async def remove(self, node_id: str, why: str) -> None:
        """Remove a node, whatever its pools are left with. Errors: as `Service.delete`."""
        await self._service.delete(NODE, (node_id,), Terms("geodns", reason=why, forced=why))
        await self.forget(node_id, {"reason": why})

    async def forget(self, node_id: str, who: dict[str, str]) -> None:
        """End the secret of a node that is gone; a shared token may bring it anew."""
        self.heard_s.pop(node_id, None)
        who = {"reason": "its node is gone", **who}
        await asyncio.to_thread(partial(self._store.drop_token, own_id(node_id), **who))

    async def check(self, token: Token, node_id: str, data: Any, *, merged: bool = False) -> None:
        """Whether the agent may write this node.

        Errors: HttpError 403 if it is another's; ConfigError if it would have no lease.
        """
        if not merged or (isinstance(data, dict) and "lease_s" in data):
            lease = data.get("lease_s") if isinstance(data, dict) else None
            if lease is None:
                detail = "A node that registers itself needs a lease."
                raise ConfigError([Reason("/lease_s", "required", detail)])
        found = self._service.config.nodes.get(node_id)
        if token.id == own_id(node_id):
            return
        if found is not None and found.lease_s is None:
            raise _not_yours(f"The node {node_id} was not registered by an agent.")
        if await asyncio.to_thread(self._has_own, node_id):
            detail = f"The node {node_id} has a secret of its own; a shared token is not enough."
            raise _not_yours(detail)

    async def secret_for(self, token: Token, node_id: str, who: dict[str, str]) -> str | None:
        """A secret of its own for a node that has come by a shared token; None for others."""
        if token.id.startswith(OWN_PREFIX):
            return None
        own = Token(own_id(node_id), "agent", b"", datetime.now(UTC), nodes=(node_id,))
        kept, secret = with_new_secret(own)
        await asyncio.to_thread(partial(self._store.put_token, kept, **who))
        return secret

    def _has_own(self, node_id: str) -> bool:
        return self._store.token(own_id(node_id)) is not None


def agent_routes(service: Service, health: Health, registration: Registration) -> APIRouter:
    """Signs of life."""
    router = APIRouter(tags=["nodes"])

    @router.put(
        "/nodes/{id}/heartbeat",
        summary="Tell that a node lives, and how busy it is",
        status_code=204,
        openapi_extra=openapi.described(
            path=("id",), body=openapi.body({"$ref": "#/components/schemas/Heartbeat"})
        ),
    )
    async def beat(request: Request) -> Response:
        read_query(request, ())
        key = read_key(NODE, (request.path_params["id"],))
        found = service.get(NODE, key)
        sign = read(Heartbeat, await read_body(request))
        node = found.resource
        if not isinstance(node, Node) or node.lease_s is None:
            detail = f"The node {key[0]} has no lease to renew."
            hint = "Give it lease_s, or leave its health to monitors."
            raise Conflict([Reason("/lease_s", "no_lease", detail, hint=hint)])
        _own_only(request.state.token, key[0])
        registration.heard_s[key[0]] = time.monotonic()
        health.beat(key[0], sign.load)
        return Response(status_code=204)

    @router.put(
        "/monitors/{id}/verdicts/{node}",
        summary="Push a verdict on a node",
        status_code=204,
        openapi_extra=openapi.described(
            path=("id", "node"),
            body=openapi.body({"$ref": "#/components/schemas/PushedVerdict"}),
        ),
    )
    async def push(request: Request) -> Response:
        read_query(request, ())
        key = read_key(MONITOR, (request.path_params["id"],))
        node_key = read_key(NODE, (request.path_params["node"],))
        monitor, node = service.get(MONITOR, key).resource, service.get(NODE, node_key).resource
        pushed = read(PushedVerdict, await read_body(request))
        _own_only(request.state.token, node_key[0])
        lease_s = _pushable(key[0], monitor, node, pushed)
        verdict = {**pushed.model_dump(), "lease_s": lease_s}
        health.push({"monitor": key[0], "node": node_key[0], **verdict})
        return Response(status_code=204)

    return router


def _pushable(monitor_id: str, monitor: Resource, node: Resource, pushed: PushedVerdict) -> float:
    """The lease of a verdict. Errors: Conflict, ConfigError."""
    if not isinstance(monitor, Monitor) or monitor.type != "push":
        detail = f"The monitor {monitor_id} probes by itself; only type push takes verdicts."
        raise Conflict([Reason("", "not_push", detail)])
    if pushed.address and isinstance(node, Node) and pushed.address not in node.addresses:
        detail = f"The node does not have the address {pushed.address}."
        raise ConfigError([Reason("/address", "unknown_reference", detail, pushed.address)])
    longest_s = monitor.lease_s or PUSH_LEASE_S
    return min(pushed.lease_s or longest_s, longest_s)


def _own_only(token: Token, node_id: str) -> None:
    """A shared token could keep a dead node of another alive."""
    if token.role == "agent" and token.id != own_id(node_id):
        raise _not_yours(f"Signs of life of {node_id} need the node's own secret.")


def _not_yours(detail: str) -> HttpError:
    return HttpError(403, "forbidden", "Forbidden", detail)

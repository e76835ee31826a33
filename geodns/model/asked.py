"""Bodies that are no resources: signs of life, pushed verdicts, new tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from geodns.model.base import Id, Resource
from geodns.model.node import LOAD_MAX, Address
from geodns.model.override import Instant

Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")]


class Heartbeat(Resource):
    """A sign of life. ``load`` is in whatever the node's ``shed`` is in."""

    load: float | None = Field(default=None, ge=0, le=LOAD_MAX)


class PushedVerdict(Resource):
    """A verdict from outside, on all addresses of a node or on one; it holds for its lease."""

    state: Literal["up", "down"]
    address: Address | None = None
    lease_s: float | None = Field(default=None, gt=0, le=86_400)
    reason: str = Field(default="", max_length=500)


class NewToken(Resource):
    """A token to be made. ``nodes`` are ids an agent may speak for; * and ? stand for any."""

    id: Id
    role: Literal["operator", "agent", "reader"]
    nodes: tuple[Pattern, ...] = Field(default=(), max_length=100)
    expires_at: Instant | None = None

"""Bodies that are no resources: signs of life, pushed verdicts, new tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from geodns.model.base import Id, Resource
from geodns.model.node import LOAD_MAX, Address
from geodns.model.override import Instant

Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}$")]

ZonePattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.@*?\\-]{1,255}$")]

OVERLAP_MAX_S = 30 * 86_400
"""How long an old secret may live on. Source: no reference; a month, for those who
change it by hand."""


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
    """A token to be made. ``nodes`` are ids an agent may speak for; an operator or reader is
    limited to ``nodes`` and ``zones`` if any are given. * and ? stand for any characters."""

    id: Id
    role: Literal["operator", "agent", "reader"]
    nodes: tuple[Pattern, ...] = Field(default=(), max_length=100)
    zones: tuple[ZonePattern, ...] = Field(default=(), max_length=100)
    expires_at: Instant | None = None


class Rotation(Resource):
    """A new secret in place of the old one, which may live on for a while."""

    overlap_s: int = Field(default=0, ge=0, le=OVERLAP_MAX_S)

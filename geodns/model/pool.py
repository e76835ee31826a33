"""Pool: which nodes belong together, and how one is chosen among them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geodns.model.base import Id, Resource

Order = Literal["nearest", "listed", "equal"]
Spread = Literal["weighted", "first"]
Families = Literal["near", "each"]
AllDown = Literal["open", "closed"]


class Pool(Resource):
    """Nodes by name or by label, ordered, spread and watched in one way.

    Units: ``band_percent`` of and ``band_km`` beyond the distance of a tier's first place:
    nodes within the larger of the two count as equally near. ``answers`` and
    ``min_answers`` count nodes, not addresses.
    """

    nodes: tuple[Id, ...] | None = Field(default=None, min_length=1, max_length=65_535)
    select: dict[Id, str] | None = Field(default=None, min_length=1, max_length=16)
    weights: dict[Id, Annotated[int, Field(ge=0, le=1000)]] = Field(default={}, max_length=65_535)
    order: Order = "nearest"
    band_percent: float = Field(default=5, ge=0, le=1000)
    band_km: float = Field(default=50, ge=0, le=20_038)
    spread: Spread = "weighted"
    answers: int = Field(default=1, ge=1, le=16)
    min_answers: int = Field(default=1, ge=1, le=16)
    families: Families = "near"
    monitor: Id | None = None
    fallback: Id | None = None
    min_up: int = Field(default=1, ge=1, le=65_535)
    all_down: AllDown = "open"

"""Pool: which nodes belong together, and how one is chosen among them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geodns.model.base import Id, Resource

Order = Literal["nearest", "listed", "equal", "latency"]
Spread = Literal["weighted", "sticky", "first"]
Families = Literal["near", "each"]
BiasMode = Literal["symmetric", "route53"]
AllDown = Literal["open", "closed"]


class StickyBits(Resource):
    """How much of an address decides: all who share so many bits get the same."""

    v4: int = Field(default=20, ge=1, le=32)
    v6: int = Field(default=40, ge=1, le=64)


class Pool(Resource):
    """Nodes by name or by label, ordered, spread and watched in one way.

    Units: ``band_percent`` of and ``band_km`` beyond the distance of a tier's first place:
    nodes within the larger of the two count as equally near; with order latency those within
    ``band_ms``. A measured node gives way only to one that is faster by more than
    ``hysteresis_ms`` and ``hysteresis_percent``. ``answers`` and ``min_answers`` count nodes,
    not addresses.
    """

    nodes: tuple[Id, ...] | None = Field(default=None, min_length=1, max_length=65_535)
    select: dict[Id, str] | None = Field(default=None, min_length=1, max_length=16)
    weights: dict[Id, Annotated[int, Field(ge=0, le=1000)]] = Field(default={}, max_length=65_535)
    order: Order = "nearest"
    latency: Id | None = None
    hysteresis_ms: float = Field(default=5, ge=0, le=60_000)
    hysteresis_percent: float = Field(default=10, ge=0, le=100)
    bias_mode: BiasMode = "symmetric"
    slow_start_s: float = Field(default=0, ge=0, le=3600)
    band_percent: float = Field(default=5, ge=0, le=1000)
    band_km: float = Field(default=50, ge=0, le=20_038)
    band_ms: float = Field(default=5, ge=0, le=60_000)
    spread: Spread = "weighted"
    sticky_bits: StickyBits = StickyBits()
    answers: int = Field(default=1, ge=1, le=16)
    min_answers: int = Field(default=1, ge=1, le=16)
    families: Families = "near"
    monitor: Id | None = None
    fallback: Id | None = None
    min_up: int = Field(default=1, ge=1, le=65_535)
    all_down: AllDown = "open"

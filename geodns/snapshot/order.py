"""What the compile process is asked for: plain data that crosses between processes."""

from __future__ import annotations

from dataclasses import dataclass

from geodns.model.config import Config

Point = tuple[float, float]
"""Latitude and longitude. Units: degrees."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the compiler is asked for.

    Units: ``view_budget`` in octets for all direct views together; past it views are
    indirect. ``acknowledged`` is the oldest generation a worker may still serve.
    """

    config: Config
    generation: int
    default_location: Point | None = None
    slots: int = 32_768
    view_budget: int = 64 * 2**20
    acknowledged: int = 0
    forced: str | None = None

"""What the daemon would fill in for the API, played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Place:
    latitude: float
    longitude: float
    text: str

    def as_text(self) -> str:
        return self.text


@dataclass
class Geo:
    """Knows one network."""

    name: str = "dbip-city-lite 2026-11"
    place: str = "EU-DE"
    knows_asns: bool = False
    knows_subdivisions: bool = True

    def lookup(self, address: str) -> Place | None:
        return Place(50.11, 8.68, self.place) if address.startswith("192.0.2.") else None

    def asn(self, address: str) -> None:
        return None

    def describe(self) -> str:
        return self.name

    def describe_asns(self) -> str | None:
        return None


class Health:
    """Knows nothing of the past, and takes every push."""

    def __init__(self) -> None:
        self.pushed: list[dict[str, Any]] = []

    async def told(self, targets: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        return []

    def beat(self, node_id: str, load: float | None) -> None:
        self.pushed.append({"node": node_id, "load": load})

    async def events(self, last: str | None) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
        yield "1-1", "generation", {"generation": 1}

    def push(self, verdict: dict[str, Any]) -> None:
        self.pushed.append(verdict)

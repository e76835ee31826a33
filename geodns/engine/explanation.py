"""The explain object, and its lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Considered:
    """One address of a member, and why it may answer or not. Units: kilometres, seconds."""

    node: str
    address: str
    pool: str
    tier: int
    mark: str
    state: str
    distance_km: float | None
    since_s: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shape: ``mark`` of a candidate is "+" in the deciding tier, "-" unusable, "." usable but
    not reached; ``lines`` say the same for people."""

    name: str
    type: str
    kind: str
    nodes: tuple[str, ...]
    addresses: tuple[str, ...]
    ttl: int
    scope: int
    generation: int
    subject: str
    by: str
    resolver: str
    place: str
    database: str
    pool: str
    order: str
    candidates: tuple[Considered, ...]
    notes: tuple[str, ...]
    lines: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def lines_of(fields: dict[str, Any]) -> Iterator[str]:
    """The numbered lines that say what the fields of an explanation hold."""
    nodes = ", ".join(dict.fromkeys(fields["nodes"])) or "NODATA"
    answer = " ".join([nodes, *fields["addresses"]])
    texts = [
        f"{fields['name']} {fields['type']} = {answer} ttl {fields['ttl']} "
        f"scope /{fields['scope']} generation {fields['generation']}",
        f"subject {fields['subject']} by {'ECS' if fields['by'] == 'ecs' else 'resolver'}, "
        f"resolver {fields['resolver']}",
        f"place {fields['place']} by {fields['database']}",
        f"rule catch-all -> pool {fields['pool']}, {fields['order']}",
        *map(_candidate_text, fields["candidates"]),
        "; ".join(fields["notes"]),
    ]
    for number, text in enumerate(texts, 1):
        yield f"{number:02d} {text}"


def _candidate_text(considered: Considered) -> str:
    distance = "" if considered.distance_km is None else f" {considered.distance_km:.0f} km"
    since = "" if considered.since_s is None else f" {considered.since_s:.0f} s"
    text = f"{considered.mark} {considered.node} {considered.address}{distance}:"
    return f"{text} {considered.state}{since}, {considered.reason}"

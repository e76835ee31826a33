"""The explain object, and its lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LINE_MAX_OCTETS = 255
"""Of one line. Source: one character-string of a TXT record (RFC 1035 section 3.3.14)."""

RULE_MAX = 100
"""Characters of a rule's text that a line shows; a rule may have thousands of subnets."""


@dataclass(frozen=True, slots=True)
class Considered:
    """One address of a member, and why it may answer or not. Units: kilometres, seconds.

    Shape: tiers are counted from 1; ``tier`` 0 and no address: it never answers this user.
    ``sends_away``: this user is among the ``shed_percent`` for whom its load is too high.
    """

    node: str
    address: str
    pool: str
    tier: int
    mark: str
    state: str
    distance_km: float | None
    since_s: float | None
    reason: str
    shed_percent: float = 0.0
    sends_away: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shape: ``mark`` of a candidate is "+" if it may give the answer, "-" unusable, "." usable
    but not reached. ``rule`` is empty for the catch-all; ``arm`` says the pool of a split's arm
    and its share; ``cache_entries`` how many a resolver's cache may hold of the name, by family.
    ``lines`` say the same for people.
    """

    name: str
    type: str
    kind: str
    ttl: int
    scope: int
    generation: int
    resolver: str
    lines: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    subject: str = ""
    by: str = ""
    place: str = ""
    coarse: bool = False
    database: str = ""
    rule: str = ""
    arm: str = ""
    pool: str = ""
    order: str = ""
    spread: str = ""
    candidates: tuple[Considered, ...] = ()
    cache_entries: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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
        _rule_text(fields),
        *(_candidate_text(each, fields["pool"]) for each in fields["candidates"]),
        "; ".join(fields["notes"]),
    ]
    for number, text in enumerate(texts, 1):
        yield _cut(f"{number:02d} {text}", LINE_MAX_OCTETS)


def _rule_text(fields: dict[str, Any]) -> str:
    matchers, fence, _ = f"{fields['rule']} ".partition(" fence ")
    rule = _cut(matchers.strip(), RULE_MAX) + fence.rstrip() or "catch-all"
    arm = f" -> arm {fields['arm']}" if fields["arm"] else ""
    spread = "" if fields["spread"] == "weighted" else f", {fields['spread']}"
    return f"rule {rule}{arm} -> pool {fields['pool']}, {fields['order']}{spread}"


def _candidate_text(considered: Considered, pool: str) -> str:
    """Shape: ``pool`` is the one that answers; of those of others it is told where they are."""
    who = " ".join(filter(None, [considered.mark, considered.node, considered.address]))
    distance = "" if considered.distance_km is None else f" {considered.distance_km:.0f} km"
    tier = f" tier {considered.tier}" if considered.tier > 1 else ""
    where = "" if considered.pool == pool else f" in {considered.pool}"
    since = "" if considered.since_s is None else f" {considered.since_s:.0f} s"
    state = [f"{considered.state}{since}"]
    if considered.shed_percent:
        too = ", this user too" if considered.sends_away else ""
        state.append(f"sheds {considered.shed_percent:g} %{too}")
    return f"{who}{distance}{tier}{where}: {', '.join(filter(None, [*state, considered.reason]))}"


def _cut(text: str, octets: int) -> str:
    """The text in UTF-8 octets at most, with an ellipsis where it was cut."""
    encoded = text.encode()
    if len(encoded) <= octets:
        return text
    return encoded[: octets - 3].decode("utf-8", "ignore") + "..."

"""The overrides section: which nodes operators hold up or down, and from when to when.

A section of its own, so that a drain makes no pool anew.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geodns.document.fleet import memberships
from geodns.document.overrides import matched_nodes
from geodns.errors import ConfigError
from geodns.model.config import Config
from geodns.snapshot.section import Kind, Section, encode
from geodns.snapshot.status import Override

SECTION_NAME = "overrides"

SITE = "site"
"""The label that says where a node stands."""

STATES = {"up": Override.UP, "down": Override.DOWN}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Rule(_Strict):
    """One override, its nodes found.

    Units: Unix milliseconds; None: already, or until it is removed.
    """

    id: str
    state: str = Field(pattern="^(up|down)$")
    rank: int
    reason: str
    nodes: tuple[str, ...]
    from_ms: int | None = None
    until_ms: int | None = None


class Book(_Strict):
    """All overrides of a generation.

    Shape: ``sites`` lists the nodes of each site; ``ttls`` is, for each node, the longest TTL of
           the steers that may answer with it; ``leases`` the seconds after which a
           node is down without a sign of life.
    """

    overrides: tuple[Rule, ...] = ()
    sites: dict[str, tuple[str, ...]] = {}
    ttls: dict[str, int] = {}
    leases: dict[str, float] = {}


NO_BOOK = Book()


def is_on(rule: Rule, now_ms: int) -> bool:
    """Whether a rule holds now."""
    begun = rule.from_ms is None or rule.from_ms <= now_ms
    return begun and (rule.until_ms is None or now_ms < rule.until_ms)


def holders(rules: tuple[Rule, ...], now_ms: int) -> dict[str, Rule]:
    """What holds each node now: the most specific rule, of equals one that says down."""
    best: dict[str, Rule] = {}
    for rule in rules:
        if is_on(rule, now_ms):
            for node_id in rule.nodes:
                other = best.get(node_id)
                if other is None or _claim(rule) > _claim(other):
                    best[node_id] = rule
    return best


def _claim(rule: Rule) -> tuple[int, bool]:
    return rule.rank, rule.state == "down"


def book_of(config: Config) -> dict[str, Any]:
    """The content of the section."""
    members = memberships(config)
    return {
        "overrides": [
            {
                "id": override_id,
                "state": override.state,
                "rank": override.match.rank,
                "reason": override.reason,
                "nodes": sorted(matched_nodes(config, override, members)),
                "from_ms": override.from_ms,
                "until_ms": override.until_ms,
            }
            for override_id, override in sorted(config.overrides.items())
        ],
        "sites": _sites(config),
        "ttls": _ttls(config, members),
        "leases": {
            node_id: node.lease_s
            for node_id, node in sorted(config.nodes.items())
            if node.lease_s is not None
        },
    }


def _sites(config: Config) -> dict[str, list[str]]:
    sites: dict[str, list[str]] = {}
    for node_id in sorted(config.nodes):
        site = config.nodes[node_id].labels.get(SITE)
        if site:
            sites.setdefault(site, []).append(node_id)
    return sites


def _ttls(config: Config, members: dict[str, frozenset[str]]) -> dict[str, int]:
    of_pool: dict[str, int] = {}
    for steer in config.steers.values():
        for pool_id in config.steer_pools(steer):
            of_pool[pool_id] = max(of_pool.get(pool_id, 0), steer.ttl)
    ttls: dict[str, int] = {}
    for pool_id, ttl in sorted(of_pool.items()):
        for node_id in members.get(pool_id, ()):
            ttls[node_id] = max(ttls.get(node_id, 0), ttl)
    return ttls


def encode_book(book: dict[str, Any]) -> bytes:
    """The section as its file has it."""
    text = json.dumps(book, sort_keys=True)
    return encode(Kind.OVERRIDES, {"json": text.encode()}, optional=True)


def decode_book(section: Section) -> Book:
    """What a section holds. Errors: ConfigError when it does not make sense."""
    try:
        return Book.model_validate_json(section.octets("json"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        detail = f"Overrides are not as they should be: {where}: {first['msg']}."
        raise ConfigError(detail) from None

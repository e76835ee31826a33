"""What a Config says of its names, put in order once for all that is made from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_CNAME
from geodns.model.config import Arm, Config, Destination
from geodns.model.rule import Rule
from geodns.model.zone import RRset, Steer


@dataclass(frozen=True, slots=True)
class Steering:
    """How names are steered; equal for all that are steered alike.

    Shape: ``pools`` are all that a chain names, in the order of first use; ``types`` what is
    answered: addresses, or CNAME where the pools hold names.
    """

    key: int
    destinations: tuple[Destination, ...]
    pools: tuple[str, ...]
    types: tuple[int, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules; the destination of each has its number."""
        return tuple(each.rule for each in self.destinations if each.rule is not None)

    def arms(self) -> Iterator[Arm]:
        """All arms, destination by destination."""
        return (arm for destination in self.destinations for arm in destination.arms)


@dataclass(slots=True)
class ZoneContents:
    """What is in one zone, in the Config's order."""

    steers: list[tuple[str, Steer, Steering]] = field(default_factory=list)
    rrsets: list[tuple[str, str, RRset]] = field(default_factory=list)

    def is_same(self, other: ZoneContents) -> bool:
        """Whether all of it is the same objects in the same order, steered in the same way."""
        return (
            len(self.steers) == len(other.steers)
            and len(self.rrsets) == len(other.rrsets)
            and all(
                a is b and x == y and how.key == now.key and how.types == now.types
                for (x, a, how), (y, b, now) in zip(self.steers, other.steers, strict=True)
            )
            and all(
                a is b and x == y and t == u
                for (x, t, a), (y, u, b) in zip(self.rrsets, other.rrsets, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Contents:
    """Shape: zones by id; views by key, the order of keys means nothing."""

    zones: dict[str, ZoneContents]
    views: dict[int, Steering]


def contents_of(config: Config) -> Contents:
    """Sort steers and RRsets by zone, and find which names are steered alike."""
    zones = {zone_id: ZoneContents() for zone_id in config.zones}
    known: dict[str, Steering] = {}
    for (zone_id, owner), steer in config.steers.items():
        # Most names have neither rules nor a split, and there may be very many of them.
        plain = not steer.rules and steer.split is None
        alike = f"{steer.pool}" if plain else steer.model_dump_json(include=_STEERED_BY)
        if alike not in known:
            known[alike] = _steering(config, steer)
        zones[zone_id].steers.append((owner, steer, known[alike]))
    for (zone_id, owner, rtype), rrset in config.rrsets.items():
        zones[zone_id].rrsets.append((owner, rtype, rrset))
    return Contents(zones, {steering.key: steering for steering in known.values()})


_STEERED_BY = {"pool", "split", "rules"}


def key_of(text: str) -> int:
    """The 64-bit key of a pool, a node or a view: BLAKE2b over its id or text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _steering(config: Config, steer: Steer) -> Steering:
    destinations = config.destinations(steer)
    pools = config.steer_pools(steer)
    named = any(
        config.nodes[node_id].cname is not None
        for pool_id in pools
        for node_id in config.members(pool_id)
    )
    return Steering(
        key_of(json.dumps([*map(_told, destinations)], sort_keys=True)),
        destinations,
        pools,
        (TYPE_CNAME,) if named else (TYPE_A, TYPE_AAAA),
    )


def _told(destination: Destination) -> list[object]:
    rule = destination.rule
    matched = rule and [sorted(rule.subnets), sorted(rule.asns), sorted(rule.geos), rule.fence]
    return [matched, [[arm.pool_id, arm.weight, arm.chain] for arm in destination.arms]]


def rule_text(rule: Rule | None) -> str:
    """A rule for people, as in ``geos EU27 unknown fence``; empty for the catch-all."""
    if rule is None:
        return ""
    parts = [
        _listed("subnets", rule.subnets),
        _listed("asns", [f"AS{asn}" for asn in rule.asns]),
        _listed("geos", rule.geos),
        "fence" if rule.fence else "",
    ]
    return " ".join(filter(None, parts))


SHOWN_MOST = 8
"""Matchers of one kind in a rule's text. Source: no reference; they stand in one line."""


def _listed(kind: str, texts: Iterable[str]) -> str:
    listed = list(texts)
    if not listed:
        return ""
    more = f" and {len(listed) - SHOWN_MOST} more" if len(listed) > SHOWN_MOST else ""
    return f"{kind} {' '.join(listed[:SHOWN_MOST])}{more}"

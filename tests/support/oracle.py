"""Who should answer a user: the geo database, a great-circle loop, and the naive rules.

It reads the same bodies as the server and imports nothing from geodns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import geoip2.database
import geoip2.errors

from support.interpreter.geography import km as distance_km
from support.naive import Health, Node, Outcome, Pool, decide

UNSURE_KM = 1e-5
"""Distances nearer than this to a band's edge, or to one another, are left undecided."""

Point = tuple[float, float]


class Undecided(Exception):
    """Two distances are too close to say which is less."""


@dataclass
class Oracle:
    """The configuration's bodies, the health of addresses, and the database."""

    nodes: Mapping[str, dict[str, Any]]
    pools: Mapping[str, dict[str, Any]]
    health: Mapping[str, Health]
    reader: geoip2.database.Reader

    def point(self, subnet: str) -> Point | None:
        try:
            location = self.reader.city(str(ip_network(subnet).network_address)).location
        except geoip2.errors.AddressNotFoundError:
            return None
        if location.latitude is None or location.longitude is None:
            return None
        return location.latitude, location.longitude

    def outcome(self, pool_id: str, subnet: str, family: int) -> Allowed:
        """What may be answered to ``subnet``. Errors: Undecided."""
        chain, names = [], []
        point = self.point(subnet)
        following: str | None = pool_id
        while following is not None:
            body = self.pools[following]
            tiers = self.tiers(body, point)
            names.append([name for tier in tiers for name in tier])
            chain.append(self.pool(body, tiers))
            following = body.get("fallback")
        found = decide(chain, family)
        return self.allowed(found, [] if found.pool is None else names[found.pool], pool_id, family)

    def pool(self, body: dict[str, Any], tiers: list[list[str]]) -> Pool:
        numbered: list[list[Node]] = []
        number = 0
        for tier in tiers:
            numbered.append([])
            for name in tier:
                numbered[-1].append(self.node(body, name, number))
                number += 1
        return Pool(
            numbered,
            body.get("answers", 1),
            body.get("min_answers", 1),
            body.get("min_up", 1),
            body.get("families", "near") == "near",
            body.get("all_down", "open") == "open",
        )

    def node(self, body: dict[str, Any], name: str, number: int) -> Node:
        weight = body.get("weights", {}).get(name, self.nodes[name].get("weight", 100))
        addresses: dict[int, list[Health]] = {4: [], 6: []}
        for text in self.nodes[name]["addresses"]:
            addresses[ip_address(text).version].append(self.health.get(text, Health()))
        return Node(number, weight, addresses)

    def tiers(self, body: dict[str, Any], point: Point | None) -> list[list[str]]:
        order = body.get("order", "nearest")
        if order == "listed":
            return [[name] for name in body["nodes"]]
        if order == "equal":
            return [list(body["nodes"])]
        if point is None:  # who is nowhere is equally far from all; places stay together
            places = [self.at(name) for name in body["nodes"]]
            return [sorted(body["nodes"], key=lambda name: places.index(self.at(name)))]
        return self.by_distance(body, point)

    def by_distance(self, body: dict[str, Any], point: Point) -> list[list[str]]:
        distances = {name: distance_km(point, self.at(name)) for name in body["nodes"]}
        percent, km = body.get("band_percent", 5), body.get("band_km", 50)
        tiers: list[list[str]] = []
        limit = before = -1.0
        for name in sorted(distances, key=lambda name: distances[name]):
            here = distances[name]
            if here == before:  # they stand together, so they are of one tier
                tiers[-1].append(name)
                continue
            sure(here, before)
            sure(here, limit)
            if here > limit:
                tiers.append([])
                limit = here + max(here * percent / 100, km)
            tiers[-1].append(name)
            before = here
        return tiers

    def at(self, name: str) -> Point:
        location = self.nodes[name]["location"]
        return location["lat"], location["lon"]

    def allowed(self, found: Outcome, names: list[str], first: str, family: int) -> Allowed:
        body = self.pools[first]
        for _ in range(found.pool or 0):
            body = self.pools[body["fallback"]]
        tiers = []
        for tier in found.tiers:
            sets = []
            for number, _, usable in tier:
                texts = [
                    text
                    for text in self.nodes[names[number]]["addresses"]
                    if ip_address(text).version == family
                ]
                sets.append(frozenset(texts[at] for at in usable))
            tiers.append(sets)
        in_order = body.get("spread", "weighted") == "first"
        return Allowed(tiers, body.get("answers", 1), body.get("min_answers", 1), in_order, found)


@dataclass
class Allowed:
    """The candidates' addresses, tier by tier, and how many of them answer."""

    tiers: list[list[frozenset[str]]]
    answers: int
    min_answers: int
    in_order: bool
    outcome: Outcome

    def permits(self, answer: set[str]) -> bool:
        """Whether an answer is one that the rules allow."""
        wanted, chosen = self.answers, 0
        left = set(answer)
        for tier in self.tiers:
            size = min(wanted - chosen, len(tier))
            picked = [node for node in tier if node <= left]
            if len(picked) != size or (self.in_order and picked != tier[:size]):
                return False
            left -= set().union(*picked)
            chosen += size
            wanted = self.min_answers
            if chosen >= wanted:
                break
        return not left


def sure(one: float, other: float) -> None:
    if abs(one - other) < UNSURE_KM:
        raise Undecided

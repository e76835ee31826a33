"""In what order: the places of a pool for one person, cut into tiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import cos, radians, sin
from typing import Any

from support.interpreter.geography import Point, holds, km, prefix_of
from support.interpreter.matching import Body, Person, may_answer, members

EXACT = 8
"""Places that are in exact order; those behind go by distance from the first place."""
COARSE_REACH_KM = 2000.0
"""What the first tier of a whole country reaches at least: twice the radius that makes it one."""
UNSURE_KM, UNSURE_MS = 1e-4, 1e-5
"""What is nearer to one another, or to a band's edge, is left undecided: rounding decides."""
PRIOR_MS, KM_PER_MS, SAMPLES_LEAST = 10.0, 100.0, 5
NOWHERE_MS = 1e9

Tiers = tuple[tuple[int, ...], ...]
Ranking = tuple[Tiers, frozenset[int]]
"""Tiers of place numbers, as far as a class tells them, and all places that may answer."""


class Undecided(Exception):
    """Two distances are too close to say which is less."""


class PoolPlaces:
    """The places of a pool: by distance, nodes that stand together and have the same terms are
    one; else each node is one. Numbered by their first member."""

    def __init__(self, document: Body, pool_id: str) -> None:
        self.pool: Body = document["pools"][pool_id]
        self.order: str = self.pool.get("order", "nearest")
        self.nodes: Body = document["nodes"]
        self.latencies: Body = document.get("latency", {})
        together: dict[str, list[str]] = {}
        for node_id in members(document, pool_id):
            node = self.nodes[node_id]
            terms = [point_of(node), node.get("bias", 0), node.get("serves"), node.get("refuses")]
            spot = repr(terms) if self.order == "nearest" else node_id
            together.setdefault(spot, []).append(node_id)
        self.places = list(together.values())
        self.first = [self.nodes[ids[0]] for ids in self.places]

    def ranking(self, who: Person, default: Point | None) -> Ranking:
        """What one person's class knows of this pool."""
        able = [i for i, node in enumerate(self.first) if may_answer(node, who)]
        if self.order == "listed":
            return tuple((i,) for i in able), frozenset(able)
        point = who.spot.place.point if who.spot.place else None
        if who.spot.kind == "unknown":
            point = default
        coarse = who.spot.place is not None and who.spot.place.coarse
        if self.order == "equal" or len(able) < 2:
            return ((tuple(able),) if able else ()), frozenset(able)
        if self.order == "nearest":
            pool = self.pool
            band = (pool.get("band_percent", 5), pool.get("band_km", 50))
            return self._by_distance(able, point, coarse, band, self.biased_km), frozenset(able)
        return self._by_latency(able, point, coarse, who), frozenset(able)

    def biased_km(self, point: Point, place: int) -> float:
        """The distance after bias, which draws users or sends them away."""
        node = self.first[place]
        bias = float(node.get("bias", 0))
        away = km(point, point_of(node))
        mode = self.pool.get("bias_mode", "symmetric")
        if bias < 0 and mode == "symmetric":
            return away / (1 + bias / 100)
        return away * (1 - bias / 100)

    def _by_distance(
        self,
        able: Sequence[int],
        point: Point | None,
        coarse: bool,
        band: tuple[float, float],
        measure: Callable[[Point, int], float],
    ) -> Tiers:
        if point is None:
            return (tuple(able),)
        away = {place: measure(point, place) for place in able}
        order = sorted(able, key=lambda place: (round(away[place], 5), place))
        sure([away[place] for place in order], UNSURE_KM)
        tiers: list[list[int]] = []
        limit = -1.0
        for place in order:
            here = away[place]
            if abs(here - limit) < UNSURE_KM and here != away[tiers[-1][0]]:
                raise Undecided
            if here > limit:
                wide = COARSE_REACH_KM if coarse and not tiers else 0.0
                limit = here + max(here * band[0] / 100, band[1], wide)
                tiers.append([])
            tiers[-1].append(place)
        return cut(tiers, max(EXACT, len(tiers[0]) if coarse else 0))

    def _by_latency(
        self, able: Sequence[int], point: Point | None, coarse: bool, who: Person
    ) -> Tiers:
        known = measured(self.latencies[self.pool["latency"]], who)
        times = {place: known.get(self.places[place][0]) for place in able}
        band_ms = self.pool.get("band_ms", 5)

        def plain_km(at: Point, place: int) -> float:
            return km(at, point_of(self.first[place]))

        if not any(times.values()):
            return self._by_distance(able, point, coarse, (0, band_ms * KM_PER_MS), plain_km)
        ms = {}
        for place, time in times.items():
            prior = NOWHERE_MS if point is None else PRIOR_MS + plain_km(point, place) / KM_PER_MS
            ms[place] = prior if time is None else time
        fastest = min(
            (time, self.places[place][0], place)
            for place, time in times.items()
            if time is not None
        )
        leader = fastest[2]  # of equally fast ones it comes first
        ms[leader] -= 1e-6
        order = sorted(able, key=lambda place: (round(ms[place], 7), place))
        ms[leader] += 1e-6
        sure([ms[place] for place in order if place != leader], UNSURE_MS)
        tiers: list[list[int]] = []
        limit = -1.0
        for place in order:
            unsure = times[place] is None and abs(ms[place] - limit) < UNSURE_MS
            if unsure and ms[place] != ms[tiers[-1][0]]:
                raise Undecided
            if ms[place] > limit:
                limit = ms[place] + band_ms
                tiers.append([])
            tiers[-1].append(place)
        return cut(tiers, EXACT)

    def all_tiers(self, ranking: Ranking) -> list[tuple[int, ...]]:
        """The tiers of a class with the tail: who is left, by distance from the first place."""
        tiers, able = ranking
        named = {place for tier in tiers for place in tier}
        if not named:
            return []
        first = grid(point_of(self.first[tiers[0][0]]))

        def far(place: int) -> tuple[int, int]:
            there = grid(point_of(self.first[place]))
            return sum((a - b) ** 2 for a, b in zip(first, there, strict=True)), place

        return [*tiers, *((place,) for place in sorted(able - named, key=far))]


def measured(table: Body, who: Person) -> Mapping[str, float]:
    """The finest level's round trip of each node: subnet, AS number, subdivision, country."""
    levels: list[tuple[tuple[int, int], str, float]] = []
    for source, node, rtt_ms, samples in table["rows"]:
        level = _level(source, who)
        if samples >= SAMPLES_LEAST and level is not None:
            levels.append((level, node, rtt_ms))
    found: dict[str, float] = {}
    for _, node, rtt_ms in sorted(levels):
        found[node] = rtt_ms
    return found


def _level(source: str, who: Person) -> tuple[int, int] | None:
    if "/" in source:
        return (4, prefix_of(source)[2]) if holds(source, who.family, who.value) else None
    if source.startswith("AS") and source[2:].isdecimal():
        return (3, 0) if int(source[2:]) == who.asn else None
    place, codes = who.spot.place, source.split("-")[1:]
    if place is None or not place.country:
        return None
    if len(codes) == 2:
        return (2, 0) if codes == [place.country, place.subdivision] else None
    return (1, 0) if codes == [place.country] else None


def point_of(node: Mapping[str, Any]) -> Point:
    """Where a node stands, to a thousandth of a degree."""
    return round(node["location"]["lat"], 3), round(node["location"]["lon"], 3)


def grid(point: Point) -> tuple[int, int, int]:
    """A point on the unit sphere in the units of POOLS."""
    north, east = radians(point[0]), radians(point[1])
    unit = (cos(north) * cos(east), cos(north) * sin(east), sin(north))
    x, y, z = (round((each + 1) * 2**28) for each in unit)
    return x, y, z


def cut(tiers: Sequence[Sequence[int]], count: int) -> Tiers:
    """The first places of some tiers."""
    found: list[tuple[int, ...]] = []
    for tier in tiers:
        if count > 0:
            found.append(tuple(tier[:count]))
            count -= len(tier)
    return tuple(found)


def sure(away: Sequence[float], unsure: float) -> None:
    """Refuse what rounding could swap."""
    for one, other in pairwise(away):
        if one != other and other - one < unsure:
            raise Undecided

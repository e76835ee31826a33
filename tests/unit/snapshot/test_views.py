"""Views of random worlds, address by address, against loops over the model."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from math import isnan

import pytest
from support.interpreter.geography import km
from support.worlds import (
    WIDTH,
    Person,
    answers,
    biased,
    destination,
    hot,
    person,
    random_config,
    random_world,
)

from geodns.engine.intervals import Intervals, Locator, locator_of
from geodns.geo.networks import with_networks
from geodns.model.config import Config
from geodns.snapshot.atlas import Atlas, networks_of
from geodns.snapshot.compile_geo import compile_geo
from geodns.snapshot.compile_view import View
from geodns.snapshot.layout import NO_GROUP, SPECIAL_CLASS
from geodns.snapshot.places import Places, places_of, points_of
from geodns.snapshot.section import Section
from geodns.snapshot.steerings import Steering, contents_of

TIER_START, WHOLE, PLACE = 1 << 31, 1 << 30, (1 << 30) - 1
NEAREST, COARSE_KM = 8, 2000


class Made:
    """A view in both forms, and what it was made from."""

    def __init__(self, seed: int, nodes: int = 6, terms: float = 0.3) -> None:
        self.random = random.Random(seed)
        self.world, self.asns = random_world(self.random)
        self.config = random_config(self.random, nodes=nodes, terms=terms)
        painted = with_networks(self.world, networks_of(self.config))
        atlas = Atlas.of(painted, None, lambda: self.asns)
        self.geo = Intervals(Section(compile_geo(painted)))
        contents = contents_of(self.config)
        (self.steering,) = contents.views.values()
        points = points_of(self.config)
        self.places = {each: places_of(self.config, each, points) for each in self.config.pools}
        view = View(atlas, self.config, self.steering, self.places, {})
        self.sections = [Section(view.encode(direct=direct)) for direct in (True, False)]

    def edges(self) -> Iterator[tuple[int, int]]:
        """Addresses around everything that starts or ends, as family and value."""
        for family, bits in WIDTH.items():
            starts = (
                [self.world.starts4, self.asns.starts4]
                if family == 4
                else [self.world.starts6, self.asns.starts6]
            )
            values = {int(start) for table in starts for start in table}
            values |= {spot << bits - 24 for spot in hot(bits)}
            for section in self.sections:
                for name in ("start", "over_start"):
                    if section.has(f"{name}{family}"):
                        values |= set(section.column(f"{name}{family}").tolist())
            around = {value + step for value in values for step in (-1, 0, 1)}
            yield from ((family, value) for value in sorted(around) if 0 <= value < 1 << bits)


def find(locator: Locator, family: int, value: int) -> tuple[int, int]:
    return locator.find4(value) if family == 4 else locator.find6(value)


def told(section: Section, number: int) -> tuple[int, list[list[tuple[list[int], bool, object]]]]:
    """What a class says: its destination, and per arm the rows as tiers, whole or not, group."""
    record, step_at, arm_at = (section.column(name) for name in ("record", "step_at", "arm_at"))
    where = record[number]
    at = number + 1
    arms = []
    for arm in range(arm_at[where], arm_at[where + 1]):
        steps = step_at[arm + 1] - step_at[arm]
        arms.append([row(section, record[at + step]) for step in range(steps)])
        at += steps
    return where, arms


def row(section: Section, number: int) -> tuple[list[list[int]], bool, object]:
    row_at, items = section.column("row_at"), section.column("row")
    tiers: list[list[int]] = []
    found = items[row_at[number] : row_at[number + 1]].tolist()
    for item in found:
        if item & TIER_START:
            tiers.append([])
        tiers[-1].append(item & PLACE)
    group: object = None
    if section.has("row_group") and section.column("row_group")[number] != NO_GROUP:
        at = section.column("row_group")[number]
        bounds = section.column("group_at")
        words = section.column("group")[bounds[at] : bounds[at + 1]].tolist()
        group = {32 * w + i for w, word in enumerate(words) for i in range(32) if word >> i & 1}
    return tiers, bool(found and found[0] & WHOLE), group


def expected(
    config: Config, places: Places, pool_id: str, who: Person
) -> tuple[list[list[int]], set[int]]:
    """The tiers of a row, and all places that may answer."""
    pool = config.pools[pool_id]
    first = [config.nodes[ids[0]] for ids in places.members]
    open_ = [number for number, node in enumerate(first) if answers(node, who)]
    if pool.order == "equal" or (pool.order == "nearest" and isnan(who.point[0])):
        return [open_] * bool(open_), set(open_)
    if pool.order == "listed":
        return [[number] for number in open_], set(open_)
    away = {}
    for number in open_:
        spot = first[number].location
        assert spot is not None
        there = (round(spot.lat, 3), round(spot.lon, 3))
        away[number] = biased(first[number], pool, km(who.point, there))
    order = sorted(open_, key=lambda number: (round(away[number], 4), number))
    tiers: list[list[int]] = []
    limit = -1.0
    for number in order:
        if away[number] > limit:
            wide = COARSE_KM if who.coarse and not tiers else 0
            tiers.append([])
            reach = max(away[number] * pool.band_percent / 100, pool.band_km, wide)
            limit = away[number] + reach
        tiers[-1].append(number)
    return tiers, set(open_)


def cut(tiers: list[list[int]], count: int) -> list[list[int]]:
    """The first places of some tiers."""
    found = []
    for tier in tiers:
        if count > 0:
            found.append(tier[:count])
            count -= len(tier)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_every_address_has_the_destination_and_rows_of_the_model(seed: int) -> None:
    made = Made(seed, nodes=6 if seed % 2 else 25, terms=0.3 if seed % 3 else 0.0)
    for section in made.sections:
        locator = locator_of(section, made.geo)
        for family, value in made.edges():
            who = person(made.world, made.asns, made.config, family, value)
            number, _ = find(locator, family, value)
            wanted = destination(made.config, who)
            if wanted is None:
                assert number == SPECIAL_CLASS
                continue
            got, arms = told(section, number)
            assert got == wanted
            check_rows(made, arms, made.steering, wanted, who)


def check_rows(made: Made, arms: object, steering: Steering, wanted: int, who: Person) -> None:
    for arm, rows in zip(steering.destinations[wanted].arms, arms, strict=True):  # type: ignore[call-overload]
        for pool_id, (tiers, whole, group) in zip(arm.chain, rows, strict=True):
            places = made.places[pool_id]
            all_tiers, open_ = expected(made.config, places, pool_id, who)
            if made.config.pools[pool_id].order == "nearest" and not isnan(who.point[0]):
                first = len(all_tiers[0]) if who.coarse and all_tiers else 0
                all_tiers = cut(all_tiers, max(NEAREST, first))
            assert [sorted(tier) for tier in tiers] == [sorted(tier) for tier in all_tiers]
            named = {number for tier in tiers for number in tier}
            assert whole == (named == open_ and bool(named) and len(open_) < len(places))
            if named != open_:
                assert group == (None if len(open_) == len(places) else open_)


@pytest.mark.parametrize("seed", range(40, 70))
def test_scopes_part_the_space_and_none_is_wider_than_its_class(seed: int) -> None:
    made = Made(seed)
    edges = list(made.edges())
    for section, direct in zip(made.sections, (True, False), strict=True):
        locator = locator_of(section, made.geo)
        for family, value in edges:
            number, scope = find(locator, family, value)
            shift = WIDTH[family] - scope
            low, high = value >> shift << shift, (value >> shift) + 1 << shift
            inside = {v for f, v in edges if f == family and low <= v < high} | {low, high - 1}
            for other in inside:
                assert find(locator, family, other) == (number, scope)
            if direct and scope:
                low, high = value >> shift + 1 << shift + 1, (value >> shift + 1) + 1 << shift + 1
                wider = {v for f, v in edges if f == family and low <= v < high} | {low, high - 1}
                assert any(find(locator, family, other)[0] != number for other in wider)


@pytest.mark.parametrize("seed", range(70, 90))
def test_the_scopes_told_are_as_many_as_a_walk_meets(seed: int) -> None:
    made = Made(seed)
    for section in made.sections:
        locator = locator_of(section, made.geo)
        counted = {}
        for family, bits in WIDTH.items():
            least = section.column(f"bits{family}")
            at = count = 0
            while at < 1 << bits:
                number, scope = find(locator, family, at)
                if number != SPECIAL_CLASS:
                    wanted = least[section.column("record")[number]]
                    count += 1 << max(0, wanted - scope)
                at += 1 << bits - scope
            counted[f"v{family}"] = count
        assert json.loads(section.octets("about"))["scopes"] == counted


def test_the_class_of_the_unknown_is_that_of_their_destination() -> None:
    for seed in range(10):
        made = Made(seed)
        who = Person(4, 0, 0, 0, (float("nan"), float("nan")), ("", "", ""), False)
        for section in made.sections:
            got, _ = told(section, section.column("unknown")[0])
            assert got == destination(made.config, who)

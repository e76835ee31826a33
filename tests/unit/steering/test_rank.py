"""Ranking the whole world at once, against a haversine and a loop."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from geodns.steering.nearest import PlaceSet, bias_factor
from geodns.steering.rank import COARSE_PLACES, NEAREST, Memory, field_of, rank_nearest
from geodns.steering.rows import NO_GROUP, Band, Groups, Part, alike, distinct_rows, rank_groups
from geodns.steering.tables import PLACE, TIER_START, WHOLE

Point = tuple[float, float]
RADIUS_KM = 6371.0088
NOTHING = Band(0, 0)


def haversine_km(a: Point, b: Point) -> float:
    north_a, north_b = math.radians(a[0]), math.radians(b[0])
    east = math.radians(b[1] - a[1])
    half = (
        math.sin((north_b - north_a) / 2) ** 2
        + math.cos(north_a) * math.cos(north_b) * math.sin(east / 2) ** 2
    )
    return 2 * RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def place_set(places: list[Point], factor: list[float] | None = None) -> PlaceSet:
    points = np.array(places, float).reshape(-1, 2)
    return PlaceSet(points, np.array(factor or [1.0] * len(places), float))


def rank(
    points: list[Point],
    places: list[Point],
    band: Band = NOTHING,
    coarse: bool = False,
    factor: list[float] | None = None,
) -> Part:
    latitude, longitude = np.array(points, float).T
    users = field_of(latitude, longitude, np.full(len(points), coarse))
    return rank_nearest(users, place_set(places, factor), band, Memory())


def tiers(part: Part, user: int) -> list[list[int]]:
    row_of, rows = part
    found: list[list[int]] = []
    for item in rows[row_of[user]].tolist():
        if item & TIER_START:
            found.append([])
        found[-1].append(item & PLACE)
    return found


def order(part: Part, user: int) -> list[int]:
    return [place for tier in tiers(part, user) for place in tier]


def naive_tiers(
    point: Point, places: list[Point], band: Band, factor: list[float] | None = None
) -> list[list[int]]:
    """The rule in its words: a tier reaches to the larger of both beyond its first place."""
    factor = factor or [1.0] * len(places)
    away = [haversine_km(point, place) * f for place, f in zip(places, factor, strict=True)]
    by_distance = sorted((distance_km, n) for n, distance_km in enumerate(away))
    found: list[list[int]] = []
    limit = -1.0
    for distance_km, number in by_distance[:NEAREST]:
        if distance_km > limit:
            found.append([])
            limit = distance_km + max(distance_km * band.percent / 100, band.width)
        found[-1].append(number)
    return found


def scattered(count: int, seed: int) -> list[Point]:
    random_ = random.Random(seed)
    return [(random_.uniform(-90, 90), random_.uniform(-180, 180)) for _ in range(count)]


@pytest.mark.parametrize("count", [2, 3, 8, 9, 40, 400])
@pytest.mark.parametrize("band", [NOTHING, Band(5, 50), Band(25, 0), Band(0, 3000), Band(100, 1)])
def test_every_location_gets_the_tiers_of_a_brute_force_loop(count: int, band: Band) -> None:
    points, places = scattered(100, 1), scattered(count, 2)
    ranking = rank(points, places, band)
    for number, point in enumerate(points):
        assert tiers(ranking, number) == naive_tiers(point, places, band)


@pytest.mark.parametrize("symmetric", [True, False])
def test_biased_distances_rank_as_a_loop_says(symmetric: bool) -> None:
    random_ = random.Random(3)
    points, places = scattered(300, 4), scattered(120, 5)
    factor = [
        bias_factor(random_.choice([0, 0, 0, 99, 50, -50, -99, 1]), symmetric=symmetric)
        for _ in places
    ]
    ranking = rank(points, places, Band(5, 50), factor=factor)
    for number, point in enumerate(points):
        assert tiers(ranking, number) == naive_tiers(point, places, Band(5, 50), factor)


@pytest.mark.parametrize(
    ("bias", "symmetric", "route53"),
    [
        (0, 1, 1),
        (50, 0.5, 0.5),
        (99, 0.01, 0.01),
        (-50, 2, 1.5),
        (-99, 100, 1.99),
        (-20, 1.25, 1.2),
    ],
)
def test_bias_is_that_of_both_formulas_of_route_53(
    bias: int, symmetric: float, route53: float
) -> None:
    """Source: its documentation, "Bias" of geoproximity routing, before 2024 and since."""
    assert bias_factor(bias, symmetric=True) == pytest.approx(symmetric)
    assert bias_factor(bias, symmetric=False) == pytest.approx(route53)


def test_distance_goes_over_the_date_line() -> None:
    ranking = rank([(0, 179.9), (0, -179.9)], [(0, 170), (0, -179), (0, -170)])
    assert order(ranking, 0) == [1, 0, 2]
    assert order(ranking, 1) == [1, 2, 0]


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_at_a_pole_longitude_means_nothing(pole: float) -> None:
    places = [(pole * 0.7, 10.0), (pole * 0.9, -170.0), (pole * 0.8, 90.0)]
    ranking = rank([(pole, 0.0), (pole, 123.0)], places)
    assert order(ranking, 0) == order(ranking, 1) == [1, 2, 0]


def test_equal_distances_come_by_number() -> None:
    places = [(0.0, 10.0), (0.0, -10.0), (10.0, 0.0), (-10.0, 0.0)]
    assert order(rank([(0.0, 0.0)], places), 0) == [0, 1, 2, 3]
    assert order(rank([(0.0, 0.0)], places[::-1]), 0) == [0, 1, 2, 3]


def test_of_many_places_on_one_spot_the_first_by_number_are_named() -> None:
    places = [*scattered(400, 1), *[(45.0, 9.0)] * 20]
    points = [(45.0, 9.1)] * 60  # enough to ask a tree
    assert order(rank(points, places), 0) == list(range(400, 408))


def test_a_user_at_a_place_is_at_that_place() -> None:
    places = scattered(30, 5)
    ranking = rank(places, places, Band(5, 0))
    assert [order(ranking, number)[0] for number in range(30)] == list(range(30))
    assert all(len(tiers(ranking, number)[0]) == 1 for number in range(30))  # 5 % of 0 km is 0


def test_a_place_on_the_other_side_of_the_world_is_last() -> None:
    assert order(rank([(40.0, 20.0)], [(-40.0, -160.0), (0.0, 0.0)]), 0) == [1, 0]


def test_a_band_is_measured_from_its_tiers_first_place_not_the_nearest_of_all() -> None:
    east = [(0.0, degree) for degree in (1.0, 1.4, 1.8, 2.2)]  # 111, 156, 200, 245 km
    assert tiers(rank([(0.0, 0.0)], east, Band(0, 50)), 0) == [[0, 1], [2, 3]]
    assert tiers(rank([(0.0, 0.0)], east, Band(50, 0)), 0) == [[0, 1], [2, 3]]
    assert tiers(rank([(0.0, 0.0)], east, Band(90, 10)), 0) == [[0, 1, 2], [3]]


def test_a_row_is_a_permutation_of_the_places_nearest() -> None:
    places = scattered(200, 6)
    row_of, rows = rank(scattered(500, 7), places, Band(5, 50))
    for row in rows[1:]:
        named = [item & PLACE for item in row.tolist()]
        assert len(set(named)) == NEAREST
        assert set(named) <= set(range(200))
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert row_of.max() < len(rows)


def test_a_location_without_coordinates_gets_all_places_as_equal() -> None:
    nan = math.nan
    ranking = rank([(nan, nan), (1.0, 1.0)], scattered(12, 3))
    assert tiers(ranking, 0) == [list(range(12))]
    assert len(order(ranking, 1)) == NEAREST


def test_whoever_stands_for_a_country_gets_all_that_may_be_nearest_in_one_tier() -> None:
    places = [(0.0, degree) for degree in (5.0, 10.0, 20.0, 22.0, 24.0, 60.0)]
    assert tiers(rank([(0.0, 0.0)], places, Band(5, 50), coarse=True), 0) == [
        [0, 1, 2, 3], [4], [5]
    ]  # fmt: skip
    near = [(degree / 10, 0.0) for degree in range(100)]
    assert tiers(rank([(0.0, 0.0)], near, coarse=True), 0) == [list(range(COARSE_PLACES))]


def test_equal_rows_are_one_whoever_has_them() -> None:
    """Two classes with one answer would split the scopes of their users."""
    points = [(10.0, 10.0), (10.0, 10.0), (math.nan, math.nan)]
    latitude, longitude = np.array(points).T
    users = field_of(latitude, longitude, np.array([False, True, False]))
    near_by = place_set([(10.0, 10.0), (11.0, 10.0), (12.0, 10.0)])
    row_of, rows = rank_nearest(users, near_by, Band(0, 500), Memory())
    assert len(rows) == 1
    assert row_of.tolist() == [0, 0, 0]


def test_nobody_within_a_countrys_radius_is_nearest_to_a_place_beyond_its_first_tier() -> None:
    random_ = random.Random(8)
    places, middle = scattered(60, 9), (47.0, 10.0)
    (first, *_) = tiers(rank([middle], places, coarse=True), 0)
    for _ in range(3000):
        somebody = (middle[0] + random_.uniform(-9, 9), middle[1] + random_.uniform(-15, 15))
        if haversine_km(somebody, middle) <= 1000:
            nearest = min(range(60), key=lambda n: haversine_km(somebody, places[n]))
            assert nearest in first


@pytest.mark.parametrize("count", [0, 1])
def test_where_there_is_no_choice_there_is_one_row(count: int) -> None:
    users = np.arange(5, dtype=np.uint32)
    groups = Groups(np.zeros(5, np.uint32), np.ones((1, count), np.bool_))
    found = rank_groups(groups, lambda u, p: alike(u, p, one_tier=False))
    assert [order((found.row_of, found.rows), n) for n in users] == [list(range(count))] * 5
    if count:
        assert [order(rank(scattered(5, 1), scattered(1, 2)), n) for n in range(5)] == [[0]] * 5


def test_a_listed_pool_has_a_tier_for_each_place_an_equal_one_has_one() -> None:
    users, places = np.arange(3, dtype=np.uint32), np.arange(4, dtype=np.uint32)
    assert tiers(alike(users, places, one_tier=False), 2) == [[0], [1], [2], [3]]
    assert tiers(alike(users, places, one_tier=True), 0) == [[0, 1, 2, 3]]


def test_who_may_not_be_answered_by_all_gets_those_places_and_no_others() -> None:
    """Three groups: all of twelve places, three of them, none."""
    may = np.array([[True] * 12, [False] * 9 + [True] * 3, [False] * 12])
    of_user = np.array([0, 1, 2, 1], np.uint32)
    found = rank_groups(Groups(of_user, may), lambda u, p: alike(u, p, one_tier=False))
    part = (found.row_of, found.rows)
    assert [order(part, user) for user in range(4)] == [[*range(12)], [9, 10, 11], [], [9, 10, 11]]
    assert found.rows[found.row_of[1]][0] & WHOLE
    assert not found.rows[found.row_of[0]][0] & WHOLE
    assert found.group.tolist() == [NO_GROUP] * 3


def test_a_row_that_does_not_name_all_of_its_group_names_the_group() -> None:
    may = np.ones((1, 12), np.bool_)
    may[0, 4] = False
    groups = Groups(np.zeros(2, np.uint32), may)
    near = np.arange(NEAREST, dtype=np.uint32)  # numbers among those who may
    found = rank_groups(groups, lambda u, p: (np.zeros(2, np.uint32), [near]))
    assert found.rows[0].tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert found.group.tolist() == [0]


def test_rows_whose_keys_collide_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    import geodns.steering.rows as module

    monkeypatch.setattr(module, "SPREAD", 0)  # every row has the key 0
    items = np.array([[1, 2], [3, 4], [1, 2], [5, 6]], np.uint32)
    row_of, rows = distinct_rows(items)
    assert [rows[number].tolist() for number in row_of] == items.tolist()
    assert len(rows) == 3

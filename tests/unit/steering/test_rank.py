"""Ranking the whole world at once, against a haversine and a loop."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from geodns.steering.rank import NEAREST, TAIL, Band, Ranking, rank_alike, rank_nearest, tails
from geodns.steering.tables import TIER_START

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


def rank(points: list[Point], places: list[Point], band: Band = NOTHING) -> Ranking:
    latitude, longitude = np.array(points, float).T
    return rank_nearest(latitude, longitude, np.array(places, float).reshape(-1, 2), band)


def tiers(ranking: Ranking, location: int) -> list[list[int]]:
    found: list[list[int]] = []
    for item in ranking.rows[ranking.row_of[location]].tolist():
        if item & TIER_START:
            found.append([])
        found[-1].append(item & ~TIER_START)
    return found


def order(ranking: Ranking, location: int) -> list[int]:
    return [place for tier in tiers(ranking, location) for place in tier]


def naive_tiers(point: Point, places: list[Point], band: Band) -> list[list[int]]:
    """The rule in its words: a tier reaches to the larger of both beyond its first place."""
    by_distance = sorted((haversine_km(point, place), n) for n, place in enumerate(places))
    found: list[list[int]] = []
    limit = -1.0
    for distance_km, number in by_distance[:NEAREST]:
        if distance_km > limit:
            found.append([])
            limit = distance_km + max(distance_km * band.percent / 100, band.km)
        found[-1].append(number)
    return found


def scattered(count: int, seed: int) -> list[Point]:
    random_ = random.Random(seed)
    return [(random_.uniform(-90, 90), random_.uniform(-180, 180)) for _ in range(count)]


@pytest.mark.parametrize("count", [2, 3, 8, 9, 40])
@pytest.mark.parametrize("band", [NOTHING, Band(5, 50), Band(25, 0), Band(0, 3000), Band(100, 1)])
def test_every_location_gets_the_tiers_of_a_brute_force_loop(count: int, band: Band) -> None:
    points, places = scattered(200, 1), scattered(count, 2)
    ranking = rank(points, places, band)
    for number, point in enumerate(points):
        assert tiers(ranking, number) == naive_tiers(point, places, band)


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
    ranking = rank([(0.0, 0.0)], places)
    assert order(ranking, 0) == [0, 1, 2, 3]
    assert order(rank([(0.0, 0.0)], places[::-1]), 0) == [0, 1, 2, 3]


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


def test_a_location_without_coordinates_gets_all_places_as_equal() -> None:
    nan = math.nan
    latitude, longitude = np.array([nan, 1.0]), np.array([nan, 1.0])
    ranking = rank_nearest(latitude, longitude, np.array(scattered(12, 3)), NOTHING)
    assert tiers(ranking, 0) == [list(range(12))]
    assert len(order(ranking, 1)) == NEAREST


@pytest.mark.parametrize("count", [0, 1])
def test_where_there_is_no_choice_there_is_one_row(count: int) -> None:
    ranking = rank(scattered(5, 1), scattered(count, 2))
    assert [order(ranking, n) for n in range(5)] == [list(range(count))] * 5


def test_a_listed_pool_has_a_tier_for_each_place_an_equal_one_has_one() -> None:
    assert tiers(rank_alike(3, 4, one_tier=False), 2) == [[0], [1], [2], [3]]
    assert tiers(rank_alike(3, 4, one_tier=True), 0) == [[0, 1, 2, 3]]
    assert order(rank_alike(3, 0, one_tier=True), 0) == []


def test_tails_order_all_places_by_distance_from_each() -> None:
    places = scattered(50, 7)
    for number, tail in enumerate(tails(np.array(places))):
        naive = sorted(range(50), key=lambda other: haversine_km(places[number], places[other]))
        assert tail.tolist() == naive
        assert tail[0] == number


def test_tails_of_very_many_places_end_by_number_and_leave_none_out() -> None:
    count = TAIL + 44
    for tail in tails(np.array(scattered(count, 8)))[:3]:
        assert sorted(tail.tolist()) == list(range(count))
        assert tail[TAIL:].tolist() == sorted(tail[TAIL:].tolist())

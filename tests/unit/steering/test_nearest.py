"""Bringing the nearest places up to date, and how near they are on the ellipsoid."""

from __future__ import annotations

import random

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from geodns.geo.distance import great_circle_km
from geodns.geo.vectors import unit_vectors
from geodns.steering.nearest import CHANGED_MOST, Near, PlaceSet, nearest, updated
from geodns.steering.rank import Band, Memory, field_of, rank_nearest


def points(count: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    random_ = random.Random(seed)
    return np.array([(random_.uniform(-90, 90), random_.uniform(-180, 180)) for _ in range(count)])


def place_set(where: object, factors: int = 1) -> PlaceSet:
    table = np.array(where, float)
    return PlaceSet(table, np.array([0.5 ** (i % factors) for i in range(len(table))]))


def vectors(count: int = 800) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return unit_vectors(*points(count, 1).T)


def same(one: Near, other: Near) -> bool:
    return np.array_equal(one.number, other.number) and np.allclose(one.km, other.km, atol=1e-6)


@pytest.mark.parametrize("factors", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_brought_up_to_date_is_what_is_found_anew(seed: int, factors: int) -> None:
    random_ = random.Random(seed)
    users, where = vectors(), points(60, seed).tolist()
    had = place_set(where, factors)
    for _ in range(4):
        places = [row.tolist() for row in np.column_stack([had.points, had.factor])]
        for _ in range(random_.randrange(1, 3)):  # gone, come, or moved
            if random_.random() < 0.6:
                places.pop(random_.randrange(len(places)))
            if random_.random() < 0.6:
                new = [random_.uniform(-90, 90), random_.uniform(-180, 180), random_.choice([1, 3])]
                places.insert(random_.randrange(len(places)), new)
        table = np.array(places)
        now = PlaceSet(table[:, :2].copy(), table[:, 2].copy())
        before = nearest(users, had, 8)
        found = updated(before, had, users, now, 8)
        assert found is not None
        assert same(found, nearest(users, now, 8))
        had = now


def test_only_the_points_that_a_change_concerns_are_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import geodns.steering.nearest as module

    users, where = vectors(), points(200, 3)
    before = nearest(users, place_set(where), 8)
    asked = []
    monkeypatch.setattr(
        module, "nearest", lambda p, *rest: asked.append(len(p)) or nearest(p, *rest)
    )
    assert updated(before, place_set(where), users, place_set(where[1:]), 8)
    assert len(asked) == 1
    assert asked[0] == int((before.number == 0).any(axis=1).sum()) < 100


def test_much_that_changed_and_a_new_order_are_found_anew() -> None:
    users, where = vectors(50), points(40, 4)
    before = nearest(users, place_set(where), 8)
    many = np.concatenate([where, points(CHANGED_MOST + 1, 5)])
    assert updated(before, place_set(where), users, place_set(many), 8) is None
    assert updated(before, place_set(where), users, place_set(where[::-1]), 8) is None
    few = place_set(where[:5])
    assert updated(nearest(users, few, 8), few, users, place_set(where[:6]), 8) is None


def test_a_memory_answers_as_if_it_had_none() -> None:
    where, users = points(90, 6), points(400, 7)
    field = field_of(users[:, 0], users[:, 1], np.zeros(len(users), bool), "world")
    kept = Memory()
    for cut in (0, 1, 2, 1, 50, 0):
        places = place_set(where[cut:])
        found = rank_nearest(field, places, Band(5, 50), kept)
        anew = rank_nearest(field, places, Band(5, 50), Memory())
        for user in range(len(users)):
            assert found[1][found[0][user]].tolist() == anew[1][anew[0][user]].tolist()


ELLIPSOID = Geodesic.WGS84
POLES = [(90.0, 0.0), (89.9, 180.0), (-90.0, 0.0), (-89.5, 77.0)]
DATE_LINE = [(10.0, 179.99), (10.0, -179.99), (-45.0, 180.0), (60.0, -180.0)]


def test_distances_are_within_their_stated_error_of_the_ellipsoids() -> None:
    """`great_circle_km` says 0.6 %; at the poles and over the date line, too."""
    places = [*points(60, 8).tolist(), *POLES, *DATE_LINE]
    for a in places:
        for b in places:
            true_km = ELLIPSOID.Inverse(*a, *b)["s12"] / 1000
            assert great_circle_km(*a, *b) == pytest.approx(true_km, rel=0.006, abs=1e-6)


def test_the_nearest_place_is_the_ellipsoids_but_for_ties_within_the_error() -> None:
    places = [*points(40, 9).tolist(), *POLES, *DATE_LINE]
    users = [*points(60, 10).tolist(), *POLES, *DATE_LINE, (89.99, -90.0), (0.0, 179.9999)]
    found = nearest(unit_vectors(*np.array(users).T), place_set(places), 8)
    for user, row in zip(users, found.number.tolist(), strict=True):
        true_km = [ELLIPSOID.Inverse(*user, *place)["s12"] / 1000 for place in places]
        assert true_km[row[0]] <= min(true_km) * 1.012 + 1e-6

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.geo.distance import EARTH_RADIUS_KM, great_circle_km
from geodns.geo.vectors import chord_to_km, unit_vectors

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
HALF_ROUND_KM = math.pi * EARTH_RADIUS_KM


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((0, 0), (0, 1), 111.195),  # a degree of the equator
        ((0, 179.5), (0, -179.5), 111.195),  # across the date line
        ((90, 12), (-90, 77), HALF_ROUND_KM),
        ((51.5074, -0.1278), (48.8566, 2.3522), 343.6),  # London, Paris
        ((40.7128, -74.0060), (35.6762, 139.6503), 10849),  # New York, Tokyo
        ((45.63, 8.72), (45.63, 8.72), 0),
    ],
)
def test_known_distances(a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    assert great_circle_km(*a, *b) == pytest.approx(km, rel=1e-3, abs=1e-6)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_and_within_half_round(
    a: float, b: float, c: float, d: float
) -> None:
    there, back = great_circle_km(a, b, c, d), great_circle_km(c, d, a, b)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= HALF_ROUND_KM + 1e-6


@given(latitudes, longitudes, latitudes, longitudes)
def test_vectors_tell_the_same_distance(a: float, b: float, c: float, d: float) -> None:
    one, other = unit_vectors([a, c], [b, d])
    chord = float(np.linalg.norm(one - other))
    assert chord_to_km(chord) == pytest.approx(great_circle_km(a, b, c, d), abs=0.5)


def test_no_chord_is_longer_than_the_diameter() -> None:
    assert chord_to_km(2.000001) == pytest.approx(HALF_ROUND_KM)

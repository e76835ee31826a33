"""Distances on the globe. Plain Python, no NumPy; the arrays' version is in ``vectors``."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth. Source: IUGG, R1 of GRS 80 (Moritz 2000)."""


def great_circle_km(
    latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float
) -> float:
    """Distance between two points along the surface, in kilometres.

    Units:  degrees in, kilometres out; symmetric; 0 for equal points.
    Source: haversine on the mean radius (within 0.6 % of the ellipsoid).
    """
    a, b = radians(latitude_a), radians(latitude_b)
    half_chord_squared = (
        sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(longitude_b - longitude_a) / 2) ** 2
    )
    # Rounding can push opposite points past 1, where asin ends.
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord_squared)))

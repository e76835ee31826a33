"""Places as points on the unit sphere, where nearest by chord is nearest by surface."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodns.geo.distance import EARTH_RADIUS_KM

Floats = npt.NDArray[np.float64]


def unit_vectors(latitude: npt.ArrayLike, longitude: npt.ArrayLike) -> Floats:
    """Points of the unit sphere, one row of x, y, z for each place.

    Units: degrees in. NaN in, NaN out.
    """
    north = np.radians(np.asarray(latitude, dtype=np.float64))
    east = np.radians(np.asarray(longitude, dtype=np.float64))
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1
    )


def chord_to_km(chord: npt.ArrayLike) -> Floats:
    """Surface distance of points whose straight distance on the unit sphere is ``chord``."""
    half = np.minimum(np.asarray(chord, dtype=np.float64) / 2, 1.0)
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(half), dtype=np.float64)

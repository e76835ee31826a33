"""Spots put together by country and square degree, each cell at its users' middle."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from data.builder.source import NOWHERE, Spots, Table

CELL_DEGREES = 1.0
"""Size of a cell. Source: measured; 2° saves 4 % of the file and doubles the median error."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells in parallel columns; ``of_spot`` numbers each spot's. Cell 0 is nowhere."""

    country: list[str]
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    of_spot: npt.NDArray[np.uint32]


def make_cells(spots: Spots, tables: dict[int, Table]) -> Cells:
    """Group the spots; a cell's point is the middle of its spots, weighted by addresses."""
    numbers: dict[tuple[str, int, int], int] = {("", 0, 0): NOWHERE}
    of_spot = np.array(
        [
            numbers.setdefault(
                (country, floor(latitude / CELL_DEGREES), floor(longitude / CELL_DEGREES)),
                len(numbers),
            )
            if country
            else NOWHERE
            for country, latitude, longitude in spots.keys
        ],
        np.uint32,
    )
    middle = np.zeros((len(numbers), 3))
    np.add.at(middle, of_spot, spots.vectors() * _weight_of_spot(spots, tables)[:, None])
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    return Cells(
        country=[country for country, _, _ in numbers],
        latitude=_degrees(np.arcsin(middle[:, 2])),
        longitude=_degrees(np.arctan2(middle[:, 1], middle[:, 0])),
        of_spot=of_spot,
    )


def _weight_of_spot(spots: Spots, tables: dict[int, Table]) -> npt.NDArray[np.float64]:
    """IPv4 addresses of each spot; spots of IPv6 alone count as one."""
    table = tables[4]
    length = np.diff(table.starts.astype(np.float64), append=2.0**32)
    shares = np.bincount(table.spots, weights=length, minlength=len(spots.keys))
    return np.asarray(1 + shares, dtype=np.float64)


def _degrees(radians: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(np.round(np.degrees(np.asarray(radians)), 2), dtype=np.float64)

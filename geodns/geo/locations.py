"""The distinct places of a database, numbered in the order its records are read."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from geodns.geo.database import Place, place_of
from geodns.geo.records import Records
from geodns.geo.runs import Words
from geodns.geo.tree import Leaves, SearchTree, Word

UNKNOWN = 0
"""Number of the location of addresses without a place."""
SPECIAL = 1
"""Number of the location of special-purpose blocks and transition prefixes."""
PLACE_FIELDS = frozenset({"location", "continent", "country", "subdivisions"})
"""The fields of a record that tell its place; the city's names are left where they are."""


@dataclass(frozen=True, slots=True)
class Locations:
    """The distinct places of a database, as parallel columns.

    Shape: numbers 0 (unknown) and 1 (special) have NaN and empty text. ``coarse`` places stand
           for a whole country (accuracy radius from 1000 km).
    """

    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    continent: list[str]
    country: list[str]
    subdivision: list[str]
    coarse: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.latitude)


class Gazetteer:
    """Reads each record of a database once and numbers what is distinct among their places.

    Shape: places are distinct by coordinates, country, subdivision and coarseness.
    """

    def __init__(self, records: Records, tree: SearchTree) -> None:
        self._records = records
        self._tree = tree
        self._of_record: dict[int, int] = {}
        self._of_place: dict[tuple[object, ...], int] = {}
        self._places = [Place(nan, nan), Place(nan, nan)]

    def numbers(self, leaves: Leaves[Word]) -> Words:
        """The location of each leaf."""
        pointers, inverse = np.unique(leaves.value, return_inverse=True)
        offsets = self._tree.record_offsets(pointers)
        numbers = [UNKNOWN if at < 0 else self._number(at) for at in offsets.tolist()]
        return np.array(numbers, np.uint32)[inverse]

    def locations(self) -> Locations:
        """All places numbered so far."""
        return Locations(
            latitude=np.array([place.latitude for place in self._places]),
            longitude=np.array([place.longitude for place in self._places]),
            continent=[place.continent for place in self._places],
            country=[place.country for place in self._places],
            subdivision=[place.subdivision for place in self._places],
            coarse=np.array([place.coarse for place in self._places]),
        )

    def _number(self, offset: int) -> int:
        number = self._of_record.get(offset)
        if number is None:
            number = self._number_place(place_of(self._records.fields(offset, PLACE_FIELDS)))
            self._of_record[offset] = number
        return number

    def _number_place(self, place: Place | None) -> int:
        if place is None:
            return UNKNOWN
        key = (place.latitude, place.longitude, place.country, place.subdivision, place.coarse)
        number = self._of_place.setdefault(key, len(self._places))
        if number == len(self._places):
            self._places.append(place)
        return number

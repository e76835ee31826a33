"""The distinct regions of a world's locations, by which people tell users apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodns.geo.locations import Locations
from geodns.geo.runs import Words

UNKNOWN_REGION = 0
SPECIAL_REGION = 1


@dataclass(frozen=True, slots=True)
class Region:
    """Codes as a database gives them; empty text is not known."""

    continent: str
    country: str
    subdivision: str

    @property
    def text(self) -> str:
        """As in ``EU-IT-62``."""
        return "-".join(filter(None, (self.continent, self.country, self.subdivision)))


@dataclass(frozen=True, slots=True)
class Regions:
    """Shape: ``of_location`` numbers ``regions``; locations 0 (unknown) and 1 (special) have
    the regions of the same numbers for themselves."""

    regions: tuple[Region, ...]
    of_location: Words


def regions_of(locations: Locations) -> Regions:
    """Number the regions in the order of their first location."""
    columns = zip(locations.continent, locations.country, locations.subdivision, strict=True)
    rows = list(columns)
    # What is no place shares its empty codes with places of no known country.
    numbers: dict[object, int] = {UNKNOWN_REGION: 0, SPECIAL_REGION: 1}
    of_location = [0, 1, *(numbers.setdefault(row, len(numbers)) for row in rows[2:])]
    known = [Region(*row) for row in numbers if isinstance(row, tuple)]
    nowhere = Region("", "", "")
    return Regions((nowhere, nowhere, *known), np.array(of_location, np.uint32))

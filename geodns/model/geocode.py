"""Geo codes: regions of the world as octoDNS writes them, and the unions people mean by name."""

from __future__ import annotations

import difflib
import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from geodns.model.base import refused

UNKNOWN = "unknown"
"""Matches addresses that the geo database has no place for."""

_COUNTRIES = {
    "AF": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY "
        "MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA "
        "ZM ZW"
    ),
    "AN": "AQ BV GS HM TF",
    "AS": (
        "AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB "
        "LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE"
    ),
    "EU": (
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT "
        "JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"
    ),
    "NA": (
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS "
        "MX NI PA PM PR SV SX TC TT US VC VG VI"
    ),
    "OC": "AS AU CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
    "SA": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}
"""ISO 3166-1 countries, and XK, by continent. Source: GeoNames, as geo databases use them."""

CONTINENTS = tuple(_COUNTRIES)

CONTINENT_OF = {
    country: continent for continent, text in _COUNTRIES.items() for country in text.split()
}

_MEMBER_STATES = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
"""

EU27 = frozenset(_MEMBER_STATES.split())
"""The member states of the European Union; their territories with codes of their own are not
among them, as most lie overseas."""

EEA = EU27 | {"IS", "LI", "NO"}
"""The European Economic Area."""

UNIONS = {"EU27": EU27, "EEA": EEA}
"""The countries of each union."""

_FORM = re.compile(r"([A-Z]{2})(?:-([A-Z]{2})(?:-([A-Z0-9]{1,3}))?)?", re.ASCII)
_FORMS = "Geo codes are like EU, NA-US, NA-US-CA, EU27, EEA or unknown."


def parts_of(code: str) -> tuple[str, str, str]:
    """Continent, country and subdivision of a code that was read as `GeoCode`.

    Shape: empty text for what it does not say; all empty for a union and unknown.
    """
    if code in UNIONS or code == UNKNOWN:
        return "", "", ""
    continent, country, subdivision = [*code.split("-", 2), "", ""][:3]
    return continent, country, subdivision


def _known(code: str) -> str:
    if code in UNIONS or code == UNKNOWN:
        return code
    found = _FORM.fullmatch(code)
    if found is None:
        raise refused(f"{code[:60]!r} is no geo code", _meant(code[:60]))
    continent, country, _ = found.groups()
    if continent not in _COUNTRIES:
        raise refused(f"{code!r} begins with no continent", _meant(code))
    if country is not None and CONTINENT_OF.get(country) != continent:
        why = f"{country} is not in {continent}" if country in CONTINENT_OF else (
            f"{country} is no country"
        )  # fmt: skip
        raise refused(f"{code!r}: {why}", _meant(code))
    return code


_CODES = (UNKNOWN, *UNIONS, *CONTINENTS, *(f"{at}-{of}" for of, at in CONTINENT_OF.items()))
_USUAL = {"UK": "GB", "EL": "GR"}
"""Codes that people write for another: the second is the European Union's own for Greece."""


def _meant(code: str) -> str:
    """A hint: the same code with its continent right, or the most similar one."""
    parts = code.upper().replace("_", "-").split("-")
    if parts[0] in _COUNTRIES and len(parts) > 1:
        parts = parts[1:]
    country = _USUAL.get(parts[0], parts[0])
    if country in CONTINENT_OF:
        return f"Did you mean {'-'.join([CONTINENT_OF[country], country, *parts[1:2]])}?"
    by_case = {known.upper(): known for known in _CODES}
    near = difflib.get_close_matches(code.upper(), by_case, 1, 0.7)
    return f"Did you mean {by_case[near[0]]}?" if near else _FORMS


_PATTERN = "|".join(
    [
        UNKNOWN,
        *UNIONS,
        *(
            f"{continent}(-({'|'.join(text.split())})(-[A-Z0-9]{{1,3}})?)?"
            for continent, text in _COUNTRIES.items()
        ),
    ]
)

GeoCode = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "pattern": f"^({_PATTERN})$"}),
]
"""A continent, a country or a subdivision with what it lies in, a union, or unknown."""

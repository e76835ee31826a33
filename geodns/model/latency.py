"""Latency: how long the way from users to nodes was measured to be."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from geodns.model.base import Id, Resource, refused
from geodns.model.geocode import GeoCode, parts_of
from geodns.model.rule import ASN_MAX
from geodns.model.subnet import Subnet

ROWS_MAX = 100_000
"""Source: no reference; 250 countries and 400 nodes."""

RTT_MAX_MS = 60_000
"""Source: no reference; nobody waits a minute for one round trip."""

SAMPLES_MAX = 2**53
"""Source: RFC 8259 section 6, the whole numbers that every reader of JSON keeps exact."""

_ASN = re.compile(r"AS([0-9]{1,10})", re.ASCII)
_SUBNET = TypeAdapter[str](Subnet)
_GEO = TypeAdapter[str](GeoCode)


def _source(text: str) -> str:
    """Users by subnet, ``AS64500``, country or subdivision, in the one spelling of each."""
    asn = _ASN.fullmatch(text)
    if asn:
        if not 1 <= int(asn[1]) <= ASN_MAX:
            raise refused(f"{text} is no autonomous system: they are 1 to {ASN_MAX}")
        return f"AS{int(asn[1])}"
    try:
        if "/" in text or ":" in text:
            return _SUBNET.validate_python(text)
        code = _GEO.validate_python(text)
    except ValidationError as error:
        raise refused(*_words(error)) from None
    if not parts_of(code)[1]:
        raise refused(f"{text} is more than a country", "Tables know nothing wider than NA-US.")
    return code


def _words(error: ValidationError) -> tuple[str, str]:
    found = error.errors()[0]
    return found["msg"], str(found.get("ctx", {}).get("hint", ""))


Source = Annotated[str, AfterValidator(_source)]


class LatencyRow(NamedTuple):
    """One measured way. Units: milliseconds for the round trip."""

    from_: Source
    node: Id
    rtt_ms: Annotated[float, Field(gt=0, le=RTT_MAX_MS)]
    samples: Annotated[int, Field(ge=1, le=SAMPLES_MAX)]


def _listed(row: object) -> object:
    if not isinstance(row, list | tuple):
        raise refused("A row is a list: from, node, rtt_ms, samples")
    return row


_Row = Annotated[LatencyRow, BeforeValidator(_listed)]


class Latency(Resource):
    """A table of measured round trips; in the document each row is a list of its four fields."""

    rows: Annotated[tuple[_Row, ...], Field(min_length=1, max_length=ROWS_MAX)]

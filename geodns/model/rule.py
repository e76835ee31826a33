"""Matchers and rules: which users a steer sends elsewhere than the rest."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field

from geodns.model.base import Id, Resource
from geodns.model.geocode import GeoCode
from geodns.model.subnet import Prefix, Subnet, prefix_of

SUBNETS_MAX = 65_536
"""Most subnets in one rule or network. Source: no reference; ten times the largest list of
prefixes that one access network announces."""

ASN_MAX = 2**32 - 1
"""Source: RFC 6793 section 3."""

ASNS_MAX = 4096
GEOS_MAX = 1024
"""Source of both: no reference; there are 250 countries, and more than this is a table."""

RULES_MAX = 1000
"""Source: no reference; every country and some hundred networks fit."""

Asn = Annotated[int, Field(ge=1, le=ASN_MAX)]
Split = dict[Id, Annotated[int, Field(ge=0, le=1000)]]
"""Shares of pools, by weight."""


class Matchers(Resource):
    """Users by subnet, autonomous system or place; the three lists are alternatives."""

    subnets: tuple[Subnet, ...] = Field(default=(), max_length=SUBNETS_MAX)
    asns: tuple[Asn, ...] = Field(default=(), max_length=ASNS_MAX)
    geos: tuple[GeoCode, ...] = Field(default=(), max_length=GEOS_MAX)

    @cached_property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The subnets as integers, in their order."""
        return tuple(map(prefix_of, self.subnets))

    @property
    def empty(self) -> bool:
        """Whether it can match nobody."""
        return not (self.subnets or self.asns or self.geos)


class Rule(Matchers):
    """Sends the users it matches to a pool or a split of its own; the most specific rule wins.

    With ``fence``, they never fall back to the steer's own pools.
    """

    pool: Id | None = None
    split: Split | None = Field(default=None, min_length=1, max_length=64)
    fence: bool = False

"""Who is meant: users told apart by subnet, autonomous system and region, all at once.

A *profile* is what matchers can know of users: a region, the longest subnet that somebody asks
about, an AS number that somebody asks about. What matches is worked out for profiles, of which
there are thousands, and handed on to cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodns.geo.cells import Cells
from geodns.geo.cover import NONE, Ints
from geodns.geo.regions import SPECIAL_REGION, UNKNOWN_REGION, Region, Regions
from geodns.model.geocode import UNIONS, UNKNOWN, parts_of
from geodns.model.rule import Matchers

Flags = NDArray[np.bool_]
Words = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Users:
    """Everybody. Shape: ``profile_of`` has one for each cell; the other three are profiles'."""

    cells: Cells
    regions: tuple[Region, ...]
    profile_of: Words
    region: Ints
    subnet: Ints
    asn: Words

    def matched(self, matchers: Matchers) -> Flags:
        """Whether each profile is meant; the three lists are alternatives."""
        found: Flags = (_first_match(self.regions, (matchers,)) != NONE)[self.region]
        if matchers.asns:
            found |= np.isin(self.asn, np.array(matchers.asns, np.uint32))
        if matchers.subnets:
            found |= self.cells.nest.within(matchers.prefixes)[self.subnet]
        return found

    def rule_of(self, rules: Sequence[Matchers]) -> tuple[Ints, Flags]:
        """The most specific rule that means each profile, NONE for none; and who has no place.

        Shape: the second is true where an address is special-purpose and no subnet of a rule
        holds it: then whoever is there is steered by resolver.
        """
        rule = _first_match(self.regions, rules)[self.region]
        of_asn = {asn: i for i, each in enumerate(rules) for asn in each.asns}
        if of_asn:
            systems, inverse = np.unique(self.asn, return_inverse=True)
            by_asn = np.array([of_asn.get(asn, NONE) for asn in systems.tolist()])[inverse]
            rule = np.where(by_asn == NONE, rule, by_asn)
        of_prefix = {prefix: i for i, each in enumerate(rules) for prefix in each.prefixes}
        own = [of_prefix.get(prefix, NONE) for prefix in self.cells.nest.prefixes]
        by_subnet = self.cells.nest.inherited(np.array(own, np.int64))[self.subnet]
        special = (self.region == SPECIAL_REGION) & (by_subnet == NONE)
        return np.where(by_subnet == NONE, rule, by_subnet), special


def users_of(cells: Cells, regions: Regions) -> Users:
    """Number the profiles of all cells."""
    region = regions.of_location[cells.location]
    if not cells.overlaid:
        count = len(regions.regions)
        return Users(
            cells,
            regions.regions,
            region,
            np.arange(count),
            np.full(count, NONE),
            np.zeros(count, np.uint32),
        )
    # 32 bits of AS number and 32 of a number for region and subnet make one key.
    of_place = region.astype(np.int64) * (len(cells.nest.prefixes) + 1) + cells.subnet + 1
    of_place = np.unique(of_place, return_inverse=True)[1]
    keys = of_place.astype(np.uint64) << np.uint64(32) | cells.asn
    _, first, profile_of = np.unique(keys, return_index=True, return_inverse=True)
    return Users(
        cells,
        regions.regions,
        profile_of.astype(np.uint32),
        region[first].astype(np.int64),
        cells.subnet[first],
        cells.asn[first],
    )


def _first_match(regions: Sequence[Region], rules: Sequence[Matchers]) -> Ints:
    """The rule with the most specific code of each region, NONE for none."""
    of_code = {code: i for i, each in enumerate(rules) for code in each.geos}
    if not of_code:
        return np.full(len(regions), NONE, np.int64)
    # A database may see a country in another continent than we do: countries go by their own.
    by_country = {parts_of(code)[1:]: i for code, i in of_code.items() if parts_of(code)[1]}
    found = [_match(region, of_code, by_country) for region in regions]
    found[UNKNOWN_REGION] = of_code.get(UNKNOWN, NONE)
    found[SPECIAL_REGION] = NONE
    return np.array(found, np.int64)


def _match(region: Region, of_code: dict[str, int], by_country: dict[tuple[str, str], int]) -> int:
    country = region.country
    for key in ((country, region.subdivision), (country, "")):
        if country and key in by_country:
            return by_country[key]
    for union, countries in UNIONS.items():  # EU27 before EEA, which holds it
        if country in countries and union in of_code:
            return of_code[union]
    return of_code.get(region.continent, NONE) if region.continent else NONE

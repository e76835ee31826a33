"""Order by latency: measured round trips where there are any, the distance where there are none.

For each node the finest level of a table counts that matches the user and has enough samples:
subnet (the longest), then AS number, then subdivision, then country. A node without one is put
down as `PRIOR_MS` + km / `KM_PER_MS`. Of the measured nodes one *leads*: the one that led in the
last generation, until another is faster by more than the pool's hysteresis. It counts as being as
fast as the fastest, so that a table that is read anew each minute does not move its users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geodns.geo.cover import NONE, Ints
from geodns.geo.regions import SPECIAL_REGION, UNKNOWN_REGION
from geodns.geo.vectors import Floats
from geodns.model.geocode import parts_of
from geodns.model.latency import LatencyRow
from geodns.model.subnet import Prefix, prefix_of
from geodns.steering.nearest import PlaceSet, nearest
from geodns.steering.rank import NEAREST, Field, Memory, rank_nearest
from geodns.steering.rows import Band, Part, Rows, alike, distinct, rows_of
from geodns.steering.users import Users

SAMPLES_LEAST = 5
"""Samples that make a level count. Source: no reference; the median of five survives two outliers
on one side, and a table written by hand can say 5."""

PRIOR_MS = 10.0
"""What a way of no length takes. Source: no reference; an access line's first miles, there and
back."""

KM_PER_MS = 100.0
"""Distance that costs a millisecond of round trip. Source: light in fibre makes 200 km each
millisecond, ITU-T G.652's index of 1.47, and has to come back."""

LEAD_MS = 1e-6
"""By how much the leader is ahead: it comes first. Bands are wider by twice as much, so that the
lead cuts no tier otherwise."""

NOWHERE_MS = 1e9
"""What unmeasured nodes take from who is nowhere: longer than any round trip, alike for all."""

Measured = Mapping[str, float]
"""Round trips by node. Units: milliseconds."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A latency table by whom it was measured for, rows of too few samples left out.

    Shape: regions by (country, subdivision), the latter empty for the whole country.
    """

    subnets: Mapping[Prefix, Measured]
    asns: Mapping[int, Measured]
    regions: Mapping[tuple[str, ...], Measured]


def sources_of(rows: Sequence[LatencyRow]) -> Sources:
    """Sort the rows of a table by level; of rows alike the last counts."""
    subnets: dict[Prefix, dict[str, float]] = {}
    asns: dict[int, dict[str, float]] = {}
    regions: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows:
        if row.samples < SAMPLES_LEAST:
            continue
        if "/" in row.from_:
            level = subnets.setdefault(prefix_of(row.from_), {})
        elif row.from_.startswith("AS") and row.from_[2:].isdecimal():
            level = asns.setdefault(int(row.from_[2:]), {})
        else:
            level = regions.setdefault(parts_of(row.from_)[1:], {})
        level[row.node] = row.rtt_ms
    return Sources(subnets, asns, regions)


@dataclass(frozen=True, slots=True)
class Ways:
    """What is measured of each user.

    Shape: ``of_profile`` numbers ``measured``; number 0 is who nothing is known of. ``names``
    say whom each is true for, as in ``192.0.2.0/24 AS64500 IT``.
    """

    of_profile: Ints
    measured: tuple[Measured, ...]
    names: tuple[str, ...]


def ways_of(users: Users, sources: Sources) -> Ways:
    """Put together, for each profile, the finest of every node's levels."""
    nest = users.cells.nest
    own = [i if prefix in sources.subnets else NONE for i, prefix in enumerate(nest.prefixes)]
    subnet = nest.inherited(np.array(own, np.int64))[users.subnet]
    asn = np.where(np.isin(users.asn, np.array([*sources.asns], np.uint32)), users.asn, 0)
    region = np.array([_region(users, i, sources) for i in range(len(users.regions))])
    levels = np.stack([subnet, asn.astype(np.int64), region[users.region]], axis=1)
    distinct, of_profile = np.unique(levels, axis=0, return_inverse=True)
    number_of = {"": 0}
    measured: list[Measured] = [{}]
    numbers = []
    for subnet_, asn_, region_ in distinct.tolist():
        name, found = _put_together(users, sources, subnet_, asn_, region_)
        if number_of.setdefault(name, len(measured)) == len(measured):
            measured.append(found)
        numbers.append(number_of[name])
    return Ways(np.array(numbers)[of_profile.ravel()], tuple(measured), tuple(number_of))


def _region(users: Users, number: int, sources: Sources) -> int:
    """The number of a region if the table knows it, else NONE."""
    region = users.regions[number]
    if number in (UNKNOWN_REGION, SPECIAL_REGION) or not region.country:
        return NONE
    keys = ((region.country, region.subdivision), (region.country, ""))
    return number if any(key in sources.regions for key in keys) else NONE


def _put_together(
    users: Users, sources: Sources, subnet: int, asn: int, region: int
) -> tuple[str, Measured]:
    nest = users.cells.nest
    levels: list[tuple[str, Measured]] = []
    while subnet != NONE:
        prefix = nest.prefixes[subnet]
        if prefix in sources.subnets:
            levels.append((_text(prefix), sources.subnets[prefix]))
        subnet = int(nest.parent[subnet])
    if asn:
        levels.append((f"AS{asn}", sources.asns[asn]))
    if region != NONE:
        found = users.regions[region]
        for key in dict.fromkeys([(found.country, found.subdivision), (found.country, "")]):
            if key in sources.regions:
                levels.append(("-".join(filter(None, key)), sources.regions[key]))
    measured: dict[str, float] = {}
    for _, level in reversed(levels):
        measured |= level
    return " ".join(name for name, _ in levels), measured


def _text(prefix: Prefix) -> str:
    return f"{prefix.low:x}/{prefix.length}v{prefix.family}"


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """By how much another must be faster than the leader: by both."""

    ms: float
    percent: float


def leader_of(measured: Measured, before: str | None, hysteresis: Hysteresis) -> str:
    """The node that leads among those measured, one at least."""
    fastest = min(measured, key=lambda node: (measured[node], node))
    if before is None or before not in measured:
        return fastest
    most = max(hysteresis.ms, measured[before] * hysteresis.percent / 100)
    return fastest if measured[before] - measured[fastest] > most else before


def rank_latency(
    users: Field,
    way: Ints,
    places: PlaceSet,
    measured: Mapping[int, Floats],
    band_ms: float,
    memory: Memory,
) -> Part:
    """Every user gets the fastest places.

    Shape: ``way`` has a number for each user, ``measured[number]`` a round trip for each place,
    NaN where there is none; ways that are not in it have none at all.
    """
    row_of = np.zeros(len(users.vectors), np.uint32)
    rows: Rows = []
    if len(places) < 2:
        return alike(row_of, np.arange(len(places), dtype=np.uint32), one_tier=True)
    of_way = np.where(np.isin(way, [*measured]), way, NONE)
    for number in np.unique(of_way).tolist():
        at = np.flatnonzero(of_way == number).astype(np.uint32)
        if number == NONE:
            part, found = _unmeasured(users.at(at), places, band_ms, memory)
        else:
            part, found = _measured(users.vectors[at], places, measured[number], band_ms)
        row_of[at] = part + np.uint32(len(rows))
        rows += found
    return distinct((row_of, rows))


def _unmeasured(users: Field, places: PlaceSet, band_ms: float, memory: Memory) -> Part:
    """By distance alone; the prior adds the same to all, so bands stay what they are in km."""
    return rank_nearest(users, places, Band(0, band_ms * KM_PER_MS), memory)


def _measured(points: Floats, places: PlaceSet, known_ms: Floats, band_ms: float) -> Part:
    """The users of one way: what is measured is the same for all of them."""
    measured, others = np.flatnonzero(~np.isnan(known_ms)), np.flatnonzero(np.isnan(known_ms))
    first = measured[np.argsort(known_ms[measured], kind="stable")][:NEAREST]
    shape = (len(points), len(first))
    numbers, times = [np.broadcast_to(first, shape)], [np.broadcast_to(known_ms[first], shape)]
    if len(others):
        near, prior_ms = _priors(points, places.at(others.astype(np.uint32)))
        numbers.append(others[near])
        times.append(prior_ms)
    number, ms = np.concatenate(numbers, axis=1), np.concatenate(times, axis=1)
    by_time = np.lexsort((number, np.round(ms, 7)), axis=1)[:, :NEAREST]
    number, ms = np.take_along_axis(number, by_time, 1), np.take_along_axis(ms, by_time, 1)
    return rows_of(number.astype(np.uint32), ms, Band(0, band_ms + 2 * LEAD_MS))


def _priors(points: Floats, places: PlaceSet) -> tuple[Ints, Floats]:
    """The nearest places of each point and what they are put down as."""
    count = min(NEAREST, len(places))
    number = np.tile(np.arange(count), (len(points), 1))
    ms = np.full(number.shape, NOWHERE_MS)
    located = ~np.isnan(points[:, 0])
    if located.any():
        near = nearest(points[located], places, count)
        number[located], ms[located] = near.number, PRIOR_MS + near.km / KM_PER_MS
    return number, ms

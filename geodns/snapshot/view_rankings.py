"""The order of a pool's places for everybody whom it may answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodns.geo.cover import Ints
from geodns.geo.vectors import Floats
from geodns.model.pool import Pool
from geodns.snapshot.atlas import Atlas
from geodns.snapshot.places import Places
from geodns.steering.latency import (
    LEAD_MS,
    Hysteresis,
    Measured,
    Sources,
    Ways,
    leader_of,
    rank_latency,
    ways_of,
)
from geodns.steering.rank import rank_nearest
from geodns.steering.rows import Band, Groups, Part, Ranking, Words, alike, rank_groups
from geodns.steering.users import Users

NOBODY = 0xFFFF_FFFF
"""In ``Groups.of_user``: the pool is in none of this user's chains."""

Leaders = dict[str, str]
"""The node that leads, by whom it was measured for."""


@dataclass(slots=True)
class Ranker:
    """Ranks the pools of one view.

    Shape: ``before`` are the leaders of the last generation by pool, ``leaders`` those of this.
    """

    atlas: Atlas
    users: Users
    before: Mapping[str, Leaders]
    leaders: dict[str, Leaders] = field(default_factory=dict)

    def rank(
        self,
        pool_id: str,
        pool: Pool,
        places: Places,
        concerned: NDArray[np.bool_],
        sources: Sources | None,
    ) -> tuple[Ranking, Groups]:
        """The rows of the users that are ``concerned``; of the others the row means nothing."""
        groups = self._groups(places, concerned)
        if pool.order == "nearest":
            return rank_groups(groups, _Nearest(self, pool, places).rank), groups
        if pool.order == "latency" and sources is not None:
            ways = ways_of(self.users, sources)
            by_latency = _ByLatency(self, pool, places, ways, self.before.get(pool_id, {}))
            ranking = rank_groups(groups, by_latency.rank)
            self.leaders[pool_id] = by_latency.leaders
            return ranking, groups
        one_tier = pool.order == "equal"
        return rank_groups(groups, lambda u, p: alike(u, p, one_tier=one_tier)), groups

    def _groups(self, places: Places, concerned: NDArray[np.bool_]) -> Groups:
        """Who may be answered by whom: users to whom the same places are open are a group."""
        distinct = list(dict.fromkeys(places.terms))
        term_of = {term: i for i, term in enumerate(distinct)}
        flags = np.ones((len(self.users.region), max(1, len(distinct))), np.bool_)
        for number, (serves, refuses) in enumerate(distinct):
            if serves is not None:
                flags[:, number] &= self.users.matched(serves)
            if refuses is not None:
                flags[:, number] &= ~self.users.matched(refuses)
        alike_, group = np.unique(flags, axis=0, return_inverse=True)
        of_place = np.array([term_of[term] for term in places.terms], np.int64)
        of_user = group.ravel().astype(np.uint32)[self.users.profile_of]
        return Groups(np.where(concerned, of_user, np.uint32(NOBODY)), alike_[:, of_place])

    def locations(self, users: Words) -> tuple[Words, Ints | slice]:
        """The distinct locations of some users, and for each user which of them is its own."""
        cells = self.users.cells
        if not cells.overlaid:
            return users, slice(None)
        distinct, inverse = np.unique(cells.location[users], return_inverse=True)
        return distinct, inverse


@dataclass(frozen=True, slots=True)
class _Nearest:
    ranker: Ranker
    pool: Pool
    places: Places

    def rank(self, users: Words, places: Words) -> Part:
        atlas = self.ranker.atlas
        locations, of_user = self.ranker.locations(users)
        band = Band(self.pool.band_percent, self.pool.band_km)
        chosen = self.places.set.at(places)
        part, rows = rank_nearest(atlas.points.at(locations), chosen, band, atlas.memory)
        return part[of_user], rows


@dataclass(frozen=True, slots=True)
class _ByLatency:
    ranker: Ranker
    pool: Pool
    places: Places
    ways: Ways
    before: Leaders
    leaders: Leaders = field(default_factory=dict)

    def rank(self, users: Words, places: Words) -> Part:
        """Users of one location and one way are ranked once."""
        of_user = self.ranker.users
        way = self.ways.of_profile[of_user.profile_of[users]]
        location = of_user.cells.location[users].astype(np.int64)
        pairs, inverse = np.unique(location * len(self.ways.names) + way, return_inverse=True)
        way, location = pairs % len(self.ways.names), pairs // len(self.ways.names)
        points = self.ranker.atlas.points.at(location.astype(np.uint32))
        part, rows = rank_latency(
            points,
            way,
            self.places.set.at(places),
            {
                number: ms
                for number in set(way.tolist())
                if (ms := self._ms(number, places)) is not None
            },
            self.pool.band_ms,
            self.ranker.atlas.memory,
        )
        return part[inverse], rows

    def _ms(self, way: int, places: Words) -> Floats | None:
        """What is measured of each place, the leader's brought forward; None if nothing is."""
        ids = [self.places.members[place][0] for place in places.tolist()]
        known: Measured = {node: ms for node in ids if (ms := self.ways.measured[way].get(node))}
        if not known:
            return None
        name = self.ways.names[way]
        if len(ids) < len(self.places):  # not all may answer here: who leads is another matter
            name += " " + hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
        hysteresis = Hysteresis(self.pool.hysteresis_ms, self.pool.hysteresis_percent)
        leader = self.leaders[name] = leader_of(known, self.before.get(name), hysteresis)
        fastest_ms = min(known.values()) - LEAD_MS
        return np.array([fastest_ms if i == leader else known.get(i, np.nan) for i in ids])

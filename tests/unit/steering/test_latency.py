"""Order by latency: levels, priors, and a leader that is not given up for little."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from support.interpreter.geography import km
from support.worlds import covers, person, random_config, random_prefix, random_world

from geodns.engine.intervals import Intervals
from geodns.geo.networks import with_networks
from geodns.model.config import Config
from geodns.model.latency import Latency, LatencyRow
from geodns.model.pool import Pool
from geodns.model.zone import Steer
from geodns.snapshot.atlas import Atlas, networks_of
from geodns.snapshot.compile_view import View
from geodns.snapshot.places import places_of, points_of
from geodns.snapshot.section import Section
from geodns.snapshot.steerings import contents_of
from geodns.steering.latency import (
    KM_PER_MS,
    LEAD_MS,
    PRIOR_MS,
    SAMPLES_LEAST,
    Hysteresis,
    leader_of,
    rank_latency,
    sources_of,
)
from geodns.steering.nearest import PlaceSet
from geodns.steering.rank import Memory, field_of
from geodns.steering.rows import Part
from geodns.steering.tables import PLACE, TIER_START

FIRM = Hysteresis(ms=5, percent=10)


@pytest.mark.parametrize(
    ("before", "ms", "leads"),
    [
        (None, {"a": 20, "b": 19}, "b"),
        ("a", {"a": 20, "b": 15}, "a"),  # 5 ms is not more than 5 ms
        ("a", {"a": 20, "b": 14.9}, "b"),
        ("a", {"a": 100, "b": 90}, "a"),  # nor 10 % more than 10 %
        ("a", {"a": 100, "b": 89.9}, "b"),
        ("c", {"a": 20, "b": 19}, "b"),  # who is measured no more leads no more
        (None, {"b": 20, "a": 20}, "a"),
    ],
)
def test_a_leader_gives_way_to_who_is_faster_by_ms_and_by_percent(
    before: str | None, ms: dict[str, float], leads: str
) -> None:
    assert leader_of(ms, before, FIRM) == leads


def test_a_leader_holds_while_its_table_trembles() -> None:
    random_ = random.Random(1)
    leader, changes = None, 0
    for _ in range(500):
        ms = {"a": 30 + random_.uniform(-2, 2), "b": 30 + random_.uniform(-2, 2)}
        now = leader_of(ms, leader, FIRM)
        changes += now != leader
        leader = now
    assert changes == 1


def measured(ms: dict[int, list[float]], band_ms: float) -> Part:
    """The ranking of one user for each way, all of them at one point, among three places."""
    users = field_of(np.zeros(len(ms)), np.zeros(len(ms)), np.zeros(len(ms), np.bool_))
    places = PlaceSet(np.array([(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]), np.ones(3))
    known = {way: np.array(row) for way, row in ms.items()}
    known = {way: np.where(row == row.min(), row - LEAD_MS, row) for way, row in known.items()}
    return rank_latency(users, np.array([*ms]), places, known, band_ms, Memory())


@pytest.mark.parametrize(
    ("ms", "band_ms"), [([10, 15, 40], 5), ([15, 45, 46], 30), ([7, 7.3, 9], 0.3)]
)
def test_who_is_just_within_the_band_of_the_leader_is_of_its_tier(
    ms: list[float], band_ms: float
) -> None:
    _, [row] = measured({0: ms}, band_ms)
    assert [int(item) for item in row] == [TIER_START | 0, 1, TIER_START | 2]


def test_equal_rows_of_several_ways_are_one() -> None:
    row_of, rows = measured({0: [10, 20, 30], 1: [40, 50, 60], 2: [3, 2, 1]}, 5)
    assert len(rows) == 2
    assert row_of[0] == row_of[1] != row_of[2]


def test_rows_of_few_samples_are_passed_over() -> None:
    rows = [LatencyRow("EU-IT", "a", 20.0, SAMPLES_LEAST - 1), LatencyRow("AS1", "a", 9.0, 50)]
    found = sources_of(rows)
    assert (found.regions, found.asns) == ({}, {1: {"a": 9.0}})


def random_rows(r: random.Random, nodes: list[str]) -> tuple[LatencyRow, ...]:
    sources = [random_prefix(r, r.choice([4, 6])) for _ in range(6)]
    sources += ["AS64500", "AS64501", "EU-IT", "EU-IT-62", "NA-US"]
    return tuple(
        LatencyRow(source, node, round(r.uniform(1, 300), 3), r.choice([1, 50, 50]))
        for source in sources
        for node in r.sample(nodes, r.randrange(1, len(nodes) + 1))
    )


class Made:
    """A random world where one pool is ordered by a random table."""

    def __init__(self, seed: int, nodes: int = 6) -> None:
        r = random.Random(seed)
        self.world, self.asns = random_world(r)
        made = random_config(r, nodes=nodes, terms=0.0)
        self.rows = random_rows(r, list(made.nodes))
        pool = Pool(nodes=tuple(made.nodes), order="latency", latency="t", band_ms=0)
        self.config = replace(
            made,
            pools={"a": pool},
            steers={("e.test", "www"): Steer(pool="a")},
            latencies={"t": Latency(rows=self.rows)},
        )
        self.painted = with_networks(self.world, networks_of(self.config))
        self.points = points_of(self.config)

    def compile(self, config: Config, leaders: dict[str, dict[str, str]]) -> Section:
        contents = contents_of(config)
        (steering,) = contents.views.values()
        places = {"a": places_of(config, "a", self.points)}
        atlas = Atlas.of(self.painted, None, lambda: self.asns)
        return Section(View(atlas, config, steering, places, leaders).encode(direct=True))

    def naive(self, family: int, value: int) -> list[str]:
        """The nodes by the rule's words."""
        who = person(self.world, self.asns, self.config, family, value)
        ms = {}
        for node in self.config.nodes:
            levels = []
            for row in self.rows:
                if row.node == node and row.samples >= SAMPLES_LEAST:
                    levels += [(level, row.rtt_ms) for level in self.level(row.from_, who)]
            away = km(who.point, self.points[node])
            ms[node] = max(levels)[1] if levels else PRIOR_MS + away / KM_PER_MS
        known = not np.isnan(who.point[0])
        return (
            sorted(ms, key=lambda n: (ms[n] if ms[n] == ms[n] else 1e9, int(n[1:])))
            if known
            else []
        )

    @staticmethod
    def level(source: str, who: object) -> list[tuple[int, int]]:
        family, value, asn = who.family, who.value, who.asn  # type: ignore[attr-defined]
        _, country, part = who.place  # type: ignore[attr-defined]
        if "/" in source:
            length = covers(source, family, value)
            return [(4, length)] if length else []
        if source.startswith("AS") and source[2:].isdecimal():
            return [(3, 0)] * (source == f"AS{asn}")
        _, of_country, of_part = [*source.split("-"), ""][:3]
        if who.location < 2 or country != of_country:  # type: ignore[attr-defined]
            return []
        return [(2, 0)] * (part == of_part) if of_part else [(1, 0)]


def order(section: Section, family: int, value: int) -> list[int]:
    """The places of an address's row."""
    intervals = Intervals(section)
    number, _ = intervals.find4(value) if family == 4 else intervals.find6(value)
    if number == 0xFFFF_FFFF:
        return []
    row = section.column("record")[number + 1]
    bounds = section.column("row_at")
    return [item & PLACE for item in section.column("row")[bounds[row] : bounds[row + 1]].tolist()]


@pytest.mark.parametrize("seed", range(25))
def test_every_address_gets_the_nodes_in_the_order_of_their_finest_level(seed: int) -> None:
    made = Made(seed)
    section = made.compile(made.config, {})
    for family in (4, 6):
        starts = section.column(f"start{family}").tolist()
        for value in starts:
            wanted = [int(node[1:]) for node in made.naive(family, value)]
            found = order(section, family, value)
            if found and wanted:
                assert found == wanted


def test_a_table_that_trembles_moves_nobody() -> None:
    """Each generation gets the leaders of the one before, as its about says."""
    moved = 0
    made = Made(3)
    before = made.compile(made.config, {})
    firsts = {v: order(before, 4, v)[:1] for v in before.column("start4").tolist()}
    random_ = random.Random(5)
    for _ in range(8):
        rows = tuple(
            row._replace(rtt_ms=row.rtt_ms * random_.uniform(0.98, 1.02)) for row in made.rows
        )
        config = replace(made.config, latencies={"t": Latency(rows=rows)})
        leaders = json.loads(before.octets("about"))["leaders"]
        assert leaders["a"]
        before = made.compile(config, leaders)
        for value, first in firsts.items():
            moved += order(before, 4, value)[:1] != first
    # Only where a prior is what a measured node competes with may anybody move.
    assert moved <= 0.02 * 8 * len(firsts)

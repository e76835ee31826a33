"""A view: how one steering sees the world, from address to class, from class to rows of places.

A *direct* view has intervals of its own, so that scopes are minimal; an *indirect* one shares
the geo section's intervals and has a class for each location, with an overlay where that is not
enough. Columns: see FORMAT.md.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geodns.geo.cover import NONE
from geodns.geo.locations import UNKNOWN
from geodns.geo.prefixes import count_prefixes
from geodns.geo.runs import merged
from geodns.geo.tree import Word
from geodns.model.config import Config
from geodns.model.rule import Matchers
from geodns.model.subnet import Prefix
from geodns.snapshot.atlas import Atlas
from geodns.snapshot.compile_geo import intervals
from geodns.snapshot.layout import LOOK_ON, NO_GROUP, SPECIAL_CLASS
from geodns.snapshot.places import Places
from geodns.snapshot.section import Column, Kind, encode
from geodns.snapshot.steerings import Steering, key_of, rule_text
from geodns.snapshot.view_classes import class_table, draw_bits
from geodns.snapshot.view_rankings import Leaders, Ranker
from geodns.steering.latency import Sources, sources_of

Words = NDArray[np.uint32]
Tables = tuple[NDArray[np.uint32], Words, NDArray[np.uint64], Words]


@dataclass(frozen=True, slots=True)
class Size:
    """Octets of a view's own intervals, and how many there are for each of the world's."""

    octets: int
    share: float


class View:
    """One view worked out, before it is laid out.

    Shape: ``leaders`` are those of the last generation, by pool.
    """

    def __init__(
        self,
        atlas: Atlas,
        config: Config,
        steering: Steering,
        places: Mapping[str, Places],
        leaders: Mapping[str, Leaders],
    ) -> None:
        self._atlas = atlas
        self._steering = steering
        sources = {
            pool_id: sources_of(config.latencies[pool.latency].rows)
            for pool_id in steering.pools
            if (pool := config.pools[pool_id]).order == "latency" and pool.latency is not None
        }
        asked = _asked(steering, places, sources.values())
        self._users = atlas.users(*asked)
        rule, special = self._users.rule_of(steering.rules)
        destination = np.where(rule == NONE, len(steering.rules), rule)[self._users.profile_of]
        self._special = special[self._users.profile_of]
        self._ranker = Ranker(atlas, self._users, leaders)
        self._classes = class_table(
            steering,
            np.where(self._special, NONE, destination),
            lambda pool_id, concerned: self._ranker.rank(
                pool_id, config.pools[pool_id], places[pool_id], concerned, sources.get(pool_id)
            ),
        )
        self._bits = draw_bits(config, steering)

    @cached_property
    def size(self) -> Size:
        """What the view takes with intervals of its own."""
        cells, class_of = self._users.cells, self._classes.class_of
        runs4 = int(np.count_nonzero(np.diff(class_of[cells.cell4]))) + 1
        runs6 = int(np.count_nonzero(np.diff(class_of[cells.cell6]))) + 1
        octets = 8 * runs4 + 12 * runs6 + 2 * 4 * 65_537
        return Size(octets, (runs4 + runs6) / (len(cells.cell4) + len(cells.cell6)))

    def encode(self, *, direct: bool) -> bytes:
        """The view's section."""
        cells, class_of = self._users.cells, self._classes.class_of
        columns: dict[str, Column] = {}
        if direct:
            tables = (
                *merged(cells.starts4, class_of[cells.cell4]),
                *merged(cells.starts6, class_of[cells.cell6]),
            )
            columns |= intervals(*tables)
        else:
            columns["class_of"] = class_of[: cells.plain]
            tables = (
                *self._shared(cells.starts4, cells.cell4),
                *self._shared(cells.starts6, cells.cell6),
            )
            if cells.overlaid:
                columns |= self._overlay()
        about = {
            "rules": [rule_text(each.rule) for each in self._steering.destinations],
            "scopes": self._scopes(tables, direct=direct),
            "leaders": self._ranker.leaders,
        }
        columns |= self._chain_columns() | self._class_columns()
        return encode(Kind.VIEW, {**columns, "about": json.dumps(about).encode()})

    def _overlay(self) -> dict[str, Column]:
        cells = self._users.cells
        value = self._classes.class_of.copy()
        value[: cells.plain] = LOOK_ON
        tables = (
            *merged(cells.starts4, value[cells.cell4]),
            *merged(cells.starts6, value[cells.cell6]),
        )
        return intervals(*tables, prefix="over_")

    def _shared(self, starts: NDArray[Word], cell: Words) -> tuple[NDArray[Word], Words]:
        """The runs that decide the scopes of an indirect view: the overlay's where it gives a
        class, else the geo section's cut by the overlay's."""
        values = self._classes.class_of[cell]
        if not self._users.cells.overlaid:
            return starts, values
        over = cell >= self._users.cells.plain
        first = np.ones(len(starts), np.bool_)
        first[1:] = ~(over[1:] & over[:-1]) | (values[1:] != values[:-1])
        return starts[first], values[first]

    def _scopes(self, tables: Tables, *, direct: bool) -> dict[str, int]:
        """How many scopes there are: the prefixes of all runs but special-purpose ones."""
        starts4, class4, starts6, class6 = tables
        bits4, bits6 = self._bits
        if not direct and not self._users.cells.overlaid and not any((*bits4, *bits6)):
            return self._atlas.scopes
        return {
            "v4": count_prefixes(starts4, self._least(class4, bits4), class4 != SPECIAL_CLASS),
            "v6": count_prefixes(starts6, self._least(class6, bits6), class6 != SPECIAL_CLASS),
        }

    def _least(self, classes: Words, bits: list[int]) -> NDArray[np.int64]:
        """How many bits the scopes of classes have at least; of special ones it means nothing."""
        destination = self._classes.record[np.where(classes == SPECIAL_CLASS, 0, classes)]
        return np.array(bits, np.int64)[destination]

    def _chain_columns(self) -> dict[str, Column]:
        """Destinations, arms and steps, as they stand in the Config."""
        destinations, pools = self._steering.destinations, self._steering.pools
        position = {pool_id: at for at, pool_id in enumerate(pools)}
        arms = list(self._steering.arms())
        bits4, bits6 = self._bits
        return {
            "pool": array("Q", map(key_of, pools)),
            "arm_at": _bounds(len(destination.arms) for destination in destinations),
            "arm_key": array("Q", [key_of(arm.pool_id) for arm in arms]),
            "arm_weight": array("I", [arm.weight for arm in arms]),
            "step_at": _bounds(len(arm.chain) for arm in arms),
            "step": array("I", [position[pool_id] for arm in arms for pool_id in arm.chain]),
            "bits4": array("I", bits4),
            "bits6": array("I", bits6),
        }

    def _class_columns(self) -> dict[str, Column]:
        """Records and rows."""
        classes = self._classes
        columns: dict[str, Column] = {
            "record": classes.record,
            "classes": array("I", [classes.count]),
            "unknown": array("I", [int(classes.class_of[UNKNOWN])]),
            "row_at": _bounds(map(len, classes.rows)),
            "row": np.concatenate([np.zeros(0, np.uint32), *classes.rows]),
        }
        if (classes.row_group != NO_GROUP).any():
            columns["row_group"] = classes.row_group
            columns["group_at"] = _bounds(map(len, classes.groups))
            columns["group"] = np.concatenate(classes.groups)
        return columns


def _asked(
    steering: Steering, places: Mapping[str, Places], sources: Iterable[Sources]
) -> tuple[set[Prefix], set[int]]:
    """The prefixes and AS numbers that anything of the steering tells users apart by."""
    matchers: list[Matchers] = list(steering.rules)
    for pool_id in steering.pools:
        matchers += [each for pair in places[pool_id].terms for each in pair if each is not None]
    prefixes = {prefix for each in matchers for prefix in each.prefixes}
    asns = {asn for each in matchers for asn in each.asns}
    for source in sources:
        prefixes |= source.subnets.keys()
        asns |= source.asns.keys()
    return prefixes, asns


def _bounds(lengths: Iterable[int]) -> Words:
    """Where each of some things starts that stand behind one another, and the end."""
    return np.cumsum([0, *lengths], dtype=np.uint32)

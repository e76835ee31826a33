"""What a view says of a class: its destination, the arms of a split, the rows of places."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

from geodns.engine.intervals import Intervals, Locator, locator_of
from geodns.errors import ConfigError
from geodns.snapshot.layout import NO_GROUP
from geodns.snapshot.section import Section
from geodns.steering.rendezvous import Rivals
from geodns.steering.tables import PLACE

NOWHERE = (0, 1)
"""Numbers of the locations that are no place: unknown, and special-purpose."""

Row = tuple[Sequence[int], Sequence[int] | None]
"""The items of a row, and the places of its group; None: all of the pool's."""


class Located(NamedTuple):
    """Where an address is, and what it counts as in draws (`geodns.engine.subject`)."""

    number: int
    value: int
    version: int
    placed: bool
    user: int


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a destination.

    Shape: ``pools`` are keys, the arm's chain; its rows in a class's record begin at ``offset``.
    """

    key: int
    weight: int
    pools: tuple[int, ...]
    offset: int


class Destination:
    """What one rule, or the catch-all, leads to.

    Shape: ``bits4``, ``bits6``: leading bits of a subject's address that its draws depend on
    beyond its class. ``is_split``: more than one arm may be drawn; else it is ``only``.
    ``by_rule``: a rule leads here, not the catch-all.
    """

    __slots__ = (
        "_drawn",
        "_rivals",
        "arms",
        "bits4",
        "bits6",
        "by_rule",
        "is_split",
        "number",
        "only",
    )

    def __init__(self, number: int, arms: tuple[Arm, ...], bits4: int, bits6: int) -> None:
        self.number = number
        self.arms = arms
        self.bits4, self.bits6 = bits4, bits6
        self._drawn = [at for at, arm in enumerate(arms) if arm.weight] or [0]
        drawn = [arms[at] for at in self._drawn]
        keys, weights = [arm.key for arm in drawn], [arm.weight for arm in drawn]
        self._rivals = Rivals(keys, weights, lasting=True)
        self.is_split = len(self._drawn) > 1
        self.only = self._drawn[0]
        self.by_rule = False

    def draw(self, base: int) -> int:
        """The arm of a user; health has no part in it, for each arm has a chain of its own."""
        return self._drawn[self._rivals.winner(base)]

    @property
    def width(self) -> int:
        """Rows in a record of this destination."""
        return sum(len(arm.pools) for arm in self.arms)


class ViewTable:
    """One view's section: from an address to a class, from a class to rows of places."""

    def __init__(self, section: Section, geo: Intervals) -> None:
        self.locate: Locator = locator_of(section, geo)
        self._geo = geo
        self._section = section
        self.is_direct = not section.has("class_of")
        self.unknown: int = section.column("unknown")[0]
        self.classes: int = section.column("classes")[0]
        self.pools = section.column("pool")
        self.record = section.column("record")
        self._row_at = section.column("row_at")
        self._row = section.column("row")
        self._row_group = section.column("row_group") if section.has("row_group") else None
        if self._row_group is not None:
            self._group_at = section.column("group_at")
            self._group = section.column("group")
        # What class ``number`` leads to is ``destinations[record[number]]``.
        self.destinations = tuple(_destinations(section))
        for destination in self.destinations[:-1]:  # the catch-all's is the last
            destination.by_rule = True
        self.resolvers: dict[str, Located] = {}

    def about(self) -> dict[str, Any]:
        """For people: the destinations' rules, and how many scopes the view has."""
        content: dict[str, Any] = json.loads(self._section.octets("about"))
        return content

    def knows4(self, number: int, address: int) -> bool:
        """Whether the place of an IPv4 address of this class is known, or does not matter.

        Only one class holds those of no place, so most are told by their class.
        """
        if number != self.unknown or self.classes == 1:
            return True
        return self._geo.find4(address)[0] not in NOWHERE

    def knows6(self, number: int, upper: int) -> bool:
        """As `knows4`, of the upper 64 bits of an IPv6 address."""
        if number != self.unknown or self.classes == 1:
            return True
        return self._geo.find6(upper)[0] not in NOWHERE

    def rows(self, number: int, arm: Arm) -> list[Row]:
        """For each pool of an arm's chain the row of its places that a class has."""
        first = number + 1 + arm.offset
        return [self._row_items(row) for row in self.record[first : first + len(arm.pools)]]

    def _row_items(self, row: int) -> Row:
        items = array("I", self._row[self._row_at[row] : self._row_at[row + 1]])
        if self._row_group is None or self._row_group[row] == NO_GROUP:
            return items, None
        group = self._row_group[row]
        return items, array("I", self._group[self._group_at[group] : self._group_at[group + 1]])

    def check(self, place_count: dict[int, int]) -> None:
        """Refuse records and rows that name what is not there.

        Shape: ``place_count`` is the number of places of each pool, by its key.
        """
        rows_of, starts = self._records()
        if len(starts) != self.classes or self.unknown not in starts:
            raise ConfigError("A view's classes and records do not match.")
        if max(set().union(*rows_of.values()), default=0) >= len(self._row_at) - 1:
            raise ConfigError("A view names a row that it does not have.")
        items, bounds = self._row.tolist(), self._row_at.tolist()
        for pool, rows in rows_of.items():
            named: set[int] = set()
            for row in rows:
                named.update(items[bounds[row] : bounds[row + 1]])
            if any(item & PLACE >= place_count[pool] for item in named):
                raise ConfigError("A view names a place that its pool does not have.")
            self._check_groups(rows, place_count[pool])

    def _check_groups(self, rows: set[int], places: int) -> None:
        if self._row_group is None:
            return
        words = places + 31 >> 5
        for group in {self._row_group[row] for row in rows} - {NO_GROUP}:
            if self._group_at[group + 1] - self._group_at[group] < words:
                raise ConfigError("A view's group leaves out places of its pool.")

    def _records(self) -> tuple[dict[int, set[int]], set[int]]:
        """The rows that records name for each pool, and where the records start."""
        record = self.record.tolist()
        rows_of: dict[int, set[int]] = {pool: set() for pool in self.pools}
        starts: set[int] = set()
        at = 0
        while at < len(record):  # a run of records of one destination at a time
            destination = self.destinations[record[at]]
            width = destination.width + 1
            alike = takewhile(record[at].__eq__, record[at::width])
            end = at + width * sum(1 for _ in alike)
            if end > len(record):
                raise ConfigError("A view's last record is cut short.")
            starts.update(range(at, end, width))
            pools = [pool for arm in destination.arms for pool in arm.pools]
            for column, pool in enumerate(pools, 1):
                rows_of[pool].update(record[at + column : end : width])
            at = end
        return rows_of, starts


def _destinations(section: Section) -> Iterator[Destination]:
    """The destinations. Errors: ConfigError when an arm has no pool, or a destination no arm."""
    keys, weights = section.column("arm_key"), section.column("arm_weight")
    pool, step, step_at = (section.column(name) for name in ("pool", "step", "step_at"))
    arm_at, bits4, bits6 = (section.column(name) for name in ("arm_at", "bits4", "bits6"))
    for number in range(len(arm_at) - 1):
        arms, offset = [], 0
        for at in range(arm_at[number], arm_at[number + 1]):
            pools = tuple(pool[each] for each in step[step_at[at] : step_at[at + 1]])
            arms.append(Arm(keys[at], weights[at], pools, offset))
            offset += len(pools)
        if not arms or not all(arm.pools for arm in arms):
            raise ConfigError("A view leads somewhere where there is no pool.")
        yield Destination(number, tuple(arms), min(bits4[number], 32), min(bits6[number], 64))

"""Where an address lies: its class and the scope that class is true for, read in place."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Protocol

from geodns.errors import ConfigError
from geodns.geo.scope import scope_of
from geodns.snapshot.section import Section
from geodns.steering.choose import TIER_START

NOWHERE = (0, 1)
"""Numbers of the locations that are no place: unknown, and special-purpose."""


class Intervals:
    """A sorted table of the whole address space, in both families.

    Errors: ConfigError when it does not cover the space from 0 on.
    """

    def __init__(self, section: Section) -> None:
        self.start4 = section.column("start4")
        self.value4 = section.column("value4")
        self._index4 = section.column("index4")
        self.start6 = section.column("start6")
        self.value6 = section.column("value6")
        self._index6 = section.column("index6")
        self._last4 = len(self.start4) - 1
        self._last6 = len(self.start6) - 1
        for start, value, index in (
            (self.start4, self.value4, self._index4),
            (self.start6, self.value6, self._index6),
        ):
            if not len(start) == len(value) == index[-1] or start[0] or len(index) != 65_537:
                raise ConfigError("A table of intervals does not cover the address space.")

    def find4(self, address: int) -> tuple[int, int]:
        """Value of an IPv4 address (32 bits) and its scope in bits."""
        index = self._index4
        block = address >> 16
        at = bisect_right(self.start4, address, index[block], index[block + 1]) - 1
        high = self.start4[at + 1] if at < self._last4 else 1 << 32
        return self.value4[at], scope_of(address, self.start4[at], high, 32)

    def find6(self, upper: int) -> tuple[int, int]:
        """Value of an IPv6 address, given its upper 64 bits, and its scope in bits."""
        index = self._index6
        block = upper >> 48
        at = bisect_right(self.start6, upper, index[block], index[block + 1]) - 1
        high = self.start6[at + 1] if at < self._last6 else 1 << 64
        return self.value6[at], scope_of(upper, self.start6[at], high, 64)


class Locator(Protocol):
    """What both kinds of view offer."""

    def find4(self, address: int) -> tuple[int, int]: ...
    def find6(self, upper: int) -> tuple[int, int]: ...


class SharedIntervals:
    """An indirect view: the geo section's intervals, and a class for each location."""

    def __init__(self, geo: Intervals, class_of: memoryview) -> None:
        self._geo = geo
        self._class_of = class_of

    def find4(self, address: int) -> tuple[int, int]:
        location, scope = self._geo.find4(address)
        return self._class_of[location], scope

    def find6(self, upper: int) -> tuple[int, int]:
        location, scope = self._geo.find6(upper)
        return self._class_of[location], scope


class ViewTable:
    """One view's section: from an address to a class, from a class to rows of places."""

    def __init__(self, section: Section, geo: Intervals) -> None:
        try:
            self.locate: Locator = SharedIntervals(geo, section.column("class_of"))
        except ConfigError:
            self.locate = Intervals(section)
        self._geo = geo
        self.unknown: int = section.column("unknown")[0]
        self.pools = section.column("pool")
        self._link = section.column("link")
        self._row_at = section.column("row_at")
        self._row = section.column("row")
        self.classes = len(self._link) // max(1, len(self.pools))

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

    def rows(self, number: int) -> list[array[int]]:
        """For each pool of the chain the row of its places that a class has."""
        width = len(self.pools)
        first = number * width
        return [self._row_items(self._link[at]) for at in range(first, first + width)]

    def _row_items(self, row: int) -> array[int]:
        return array("I", self._row[self._row_at[row] : self._row_at[row + 1]])

    def check(self, places: list[int]) -> None:
        """Refuse rows that name places the pools do not have.

        Shape: ``places`` is the number of places of each pool of the chain.
        """
        width = len(self.pools)
        rows = len(self._row_at) - 1
        if self.unknown >= self.classes or len(self._link) != self.classes * width:
            raise ConfigError("A view's classes and links do not match.")
        items, bounds = self._row.tolist(), self._row_at.tolist()
        for column, count in enumerate(places):
            named: set[int] = set()
            for row in set(self._link[column::width]):
                if row >= rows:
                    raise ConfigError("A view names a row that it does not have.")
                named.update(items[bounds[row] : bounds[row + 1]])
            if any(item & ~TIER_START >= count for item in named):
                raise ConfigError("A view names a place that its pool does not have.")

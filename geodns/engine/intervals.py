"""From an address to a value, and how wide a prefix shares it: sorted tables, read in place."""

from __future__ import annotations

from bisect import bisect_right
from typing import Protocol

from geodns.errors import ConfigError
from geodns.geo.scope import scope_of
from geodns.snapshot.layout import LOOK_ON
from geodns.snapshot.section import Section


class Intervals:
    """A sorted table of the whole address space, in both families.

    Shape: the columns' names begin with ``prefix``.
    Errors: ConfigError when it does not cover the space from 0 on.
    """

    def __init__(self, section: Section, prefix: str = "") -> None:
        self.start4 = section.column(f"{prefix}start4")
        self.value4 = section.column(f"{prefix}value4")
        self._index4 = section.column(f"{prefix}index4")
        self.start6 = section.column(f"{prefix}start6")
        self.value6 = section.column(f"{prefix}value6")
        self._index6 = section.column(f"{prefix}index6")
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
    """From an address to a class and its scope: what every kind of view offers."""

    def find4(self, address: int) -> tuple[int, int]: ...
    def find6(self, upper: int) -> tuple[int, int]: ...


class Shared:
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


class Overlaid:
    """An indirect view with what locations cannot tell, subnets and ASNs, laid over it."""

    def __init__(self, over: Intervals, below: Shared) -> None:
        self._over = over
        self._below = below

    def find4(self, address: int) -> tuple[int, int]:
        number, scope = self._over.find4(address)
        if number != LOOK_ON:
            return number, scope
        number, below = self._below.find4(address)
        return number, max(scope, below)

    def find6(self, upper: int) -> tuple[int, int]:
        number, scope = self._over.find6(upper)
        if number != LOOK_ON:
            return number, scope
        number, below = self._below.find6(upper)
        return number, max(scope, below)


def locator_of(section: Section, geo: Intervals) -> Locator:
    """A view's own intervals, or the geo section's with the view's classes.

    Errors: ConfigError when it has neither.
    """
    if not section.has("class_of"):
        return Intervals(section)
    shared = Shared(geo, section.column("class_of"))
    return Overlaid(Intervals(section, "over_"), shared) if section.has("over_start4") else shared

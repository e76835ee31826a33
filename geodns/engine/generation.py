"""A generation as the engine holds it: all its tables, checked when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geodns.engine.intervals import Intervals
from geodns.engine.pools import PoolTables
from geodns.engine.views import NOWHERE, Arm, ViewTable
from geodns.engine.zones import ZoneTable
from geodns.errors import ConfigError
from geodns.geo.special import fold
from geodns.snapshot.layout import DEGREE_SCALE
from geodns.snapshot.manifest import Entry, Manifest
from geodns.snapshot.section import Kind, Section
from geodns.steering.tables import Chain, Link


@dataclass(frozen=True, slots=True)
class Location:
    """What the database says of an address. Units: degrees; unknown places have no point.

    Shape: ``coarse``: the point stands for a whole country.
    """

    region: str
    latitude: float
    longitude: float
    coarse: bool = False


class Geo:
    """The geo section: intervals to locations, and their names for people."""

    def __init__(self, section: Section) -> None:
        self.intervals = Intervals(section)
        self._latitude = section.column("latitude")
        self._longitude = section.column("longitude")
        self._label = section.column("label")
        self._coarse = section.column("coarse")
        self._section = section

    def location(self, number: int) -> Location:
        """A location by its number; 0 and 1 are no place at all."""
        region = self.about()["labels"][self._label[number]] if number > 1 else ""
        latitude = self._latitude[number] / DEGREE_SCALE - 180
        longitude = self._longitude[number] / DEGREE_SCALE - 180
        return Location(region, latitude, longitude, bool(self._coarse[number]))

    def location_of(self, value: int, version: int) -> Location | None:
        """The place of an address, of the one it embeds if it does; None where none is known."""
        if version == 6:
            found, _ = self.intervals.find6(value >> 64)
            folded = fold(value, 128) if found in NOWHERE else None
            if folded is not None:
                found, _ = self.intervals.find4(folded[0])
        else:
            found, _ = self.intervals.find4(value)
        return None if found in NOWHERE else self.location(found)

    def about(self) -> dict[str, Any]:
        """Name, build date and digest of the database, and the regions' labels."""
        content: dict[str, Any] = json.loads(self._section.octets("about"))
        return content


class Generation:
    """Immutable tables of one generation.

    Errors: ConfigError when a section is missing, of an unknown kind that is not optional, or
    contradicts another: such a generation must not be served.
    """

    def __init__(self, manifest: Manifest, fetch: Callable[[Entry], memoryview | bytes]) -> None:
        self.number = manifest.generation
        try:
            self._load(manifest, fetch)
        except (IndexError, KeyError, ValueError) as error:  # a column shorter than another says
            raise ConfigError(f"A section of the generation contradicts itself: {error}.") from None

    def _load(self, manifest: Manifest, fetch: Callable[[Entry], memoryview | bytes]) -> None:
        sections = {(entry.kind, entry.name): Section(fetch(entry)) for entry in needed(manifest)}
        self.geo = Geo(_take(sections, Kind.GEO, "geo"))
        self.pools = PoolTables(_take(sections, Kind.POOLS, "pools"))
        self.views = {
            int(name, 16): ViewTable(section, self.geo.intervals)
            for (kind, name), section in sections.items()
            if kind == Kind.VIEW
        }
        zones = (ZoneTable(section) for (kind, _), section in sections.items() if kind == Kind.ZONE)
        self.zones = {zone.apex: zone for zone in zones}
        self._check()

    def chain(self, view: ViewTable, number: int, arm: Arm) -> Chain:
        """The chain of pools that a class is steered by in one arm."""
        rows = view.rows(number, arm)
        return [Link(self.pools.pool(k), *row) for k, row in zip(arm.pools, rows, strict=True)]

    def _check(self) -> None:
        for view in self.views.values():
            view.check({key: self.pools.place_count(key) for key in view.pools})
        for zone in self.zones.values():
            for key in zone.views:
                if key not in self.views:
                    raise ConfigError("A zone names a view that the generation does not have.")


def needed(manifest: Manifest) -> list[Entry]:
    """The sections an engine reads. Optional ones of other kinds are passed over."""
    kinds = (Kind.ZONE, Kind.GEO, Kind.VIEW, Kind.POOLS)
    for entry in manifest.sections:
        if entry.kind not in kinds and not entry.optional:
            raise ConfigError(f"Section {entry.name} is of kind {entry.kind}, unknown here.")
    return [entry for entry in manifest.sections if entry.kind in kinds]


def _take(sections: dict[tuple[int, str], Section], kind: Kind, name: str) -> Section:
    try:
        return sections[kind, name]
    except KeyError:
        raise ConfigError(f"The generation has no section {name}.") from None

"""Where a node or network stands: at its location, or at the place that it names."""

from __future__ import annotations

from geodns.errors import ConfigError
from geodns.geo.gazetteer import find
from geodns.model.network import Network
from geodns.model.node import Location, Node


def location_of(resource: Node | Network) -> Location | None:
    """The point of a node or network; None if it has none, or names a place that is unknown."""
    if resource.at is None:
        return resource.location
    try:
        return location_at(resource.at)
    except ConfigError:
        return None


def location_at(at: str) -> Location:
    """The point of a named place. Errors: ConfigError as `geodns.geo.gazetteer.find`."""
    spot = find(at)
    return Location(lat=spot.latitude, lon=spot.longitude)

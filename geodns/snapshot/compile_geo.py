"""The geo section: address to location, and what a location is called. Columns: see FORMAT.md."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from geodns.geo.intervals import block_index
from geodns.geo.locations import Locations
from geodns.geo.regions import regions_of
from geodns.geo.world import World
from geodns.snapshot.layout import DEGREE_SCALE
from geodns.snapshot.section import Column, Kind, encode


def compile_geo(world: World) -> bytes:
    """The section of a world."""
    labels, label_of = _labels(world.locations, world.networks)
    about = {
        "name": world.info.name,
        "build_date": world.info.build_date.isoformat(),
        "sha256": world.info.sha256,
        "labels": labels,
    }
    return encode(
        Kind.GEO,
        {
            **intervals(world.starts4, world.location4, world.starts6, world.location6),
            "latitude": _scaled(world.locations.latitude),
            "longitude": _scaled(world.locations.longitude),
            "coarse": world.locations.coarse.astype(np.uint8),
            "label": label_of,
            "about": json.dumps(about).encode(),
        },
    )


def intervals(
    starts4: NDArray[np.uint32],
    value4: NDArray[np.uint32],
    starts6: NDArray[np.uint64],
    value6: NDArray[np.uint32],
    prefix: str = "",
) -> dict[str, Column]:
    """The columns of a table of both families; their names begin with ``prefix``."""
    return {
        f"{prefix}start4": starts4,
        f"{prefix}value4": value4,
        f"{prefix}index4": block_index(starts4, 32),
        f"{prefix}start6": starts6,
        f"{prefix}value6": value6,
        f"{prefix}index6": block_index(starts6, 64),
    }


def _labels(
    locations: Locations, networks: tuple[str, ...]
) -> tuple[list[str], NDArray[np.uint32]]:
    """The distinct regions, as "EU-IT", with the networks; each location's number among them."""
    regions = regions_of(locations)
    labels = [*(region.text for region in regions.regions)]
    label_of = regions.of_location.copy()
    first = len(locations) - len(networks)
    label_of[first:] = np.arange(len(labels), len(labels) + len(networks))
    return [*labels, *(f"network {network_id}" for network_id in networks)], label_of


def _scaled(degrees: NDArray[np.float64]) -> NDArray[np.uint32]:
    scaled = np.round((np.nan_to_num(degrees) + 180) * DEGREE_SCALE)
    return scaled.astype(np.uint32)

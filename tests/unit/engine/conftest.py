"""A world with countries, for what the tiny one cannot tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab

from geodns.geo.world import World, load_world
from geodns.snapshot.status import Verdict

ATLAS: dict[str, tuple[str, str, str, float, float, int]] = {
    "11.0.0.0/9": ("EU", "IT", "62", 41.9, 12.5, 10),
    "11.128.0.0/9": ("EU", "DE", "BE", 52.52, 13.4, 10),
    "12.0.0.0/9": ("EU", "GB", "ENG", 51.51, -0.13, 10),
    "12.128.0.0/9": ("EU", "NO", "03", 59.91, 10.75, 10),
    "13.0.0.0/9": ("NA", "US", "NY", 40.71, -74.01, 10),
    "13.128.0.0/9": ("NA", "US", "CA", 37.39, -122.08, 10),
    "14.0.0.0/8": ("AS", "JP", "13", 35.68, 139.69, 10),
    "15.0.0.0/8": ("NA", "US", "", 37.75, -97.82, 1000),
    "2a02::/16": ("EU", "IT", "62", 41.9, 12.5, 10),
    "2a03::/16": ("NA", "US", "NY", 40.71, -74.01, 10),
}
"""Continent, country, subdivision, latitude, longitude, accuracy radius in km."""


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world of a few regions (``ATLAS``); all else is unknown."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(6, "Atlas-City", languages=["en"], ipv4_compatible=True)
    for network, (continent, country, subdivision, latitude, longitude, km) in ATLAS.items():
        record: dict[str, Any] = {
            "continent": {"code": continent},
            "country": {"iso_code": country},
            "location": {"latitude": latitude, "longitude": longitude, "accuracy_radius": km},
        }
        if subdivision:
            record["subdivisions"] = [{"iso_code": subdivision}]
        writer.insert_network(IPSet([network]), record)
    path: Path = tmp_path_factory.mktemp("atlas") / "atlas.mmdb"
    writer.to_db_file(str(path))
    return load_world(path, None)


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """What a module's tests share, everything up, settled and without load."""
    for address, _ in shared.slot_of:
        shared.set(address, Verdict.UP)
    return shared

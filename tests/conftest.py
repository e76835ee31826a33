"""What every test may use: ``support`` on the path, and worlds read once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:  # the helpers of tests/support are imported as ``support``
    sys.path.insert(0, str(HERE))

from support.engines import ENGINES, need  # noqa: E402

from geodns.geo.world import World, load_world  # noqa: E402

DEFAULT_DATABASE = HERE.parent / "data" / "geodns-default.mmdb"

PLACES: Mapping[str, tuple[float, float]] = {
    "1.0.0.0/8": (41.9, 12.5),  # Rome
    "2.0.0.0/9": (48.86, 2.35),  # Paris
    "2.128.0.0/9": (52.52, 13.4),  # Berlin
    "3.0.0.0/8": (40.71, -74.01),  # New York
    "4.0.0.0/16": (35.68, 139.69),  # Tokyo
    "8.8.8.0/24": (37.39, -122.08),  # Mountain View
    "2a00::/16": (41.9, 12.5),
    "2a01::/32": (48.86, 2.35),
    "2a01:1:2::/48": (40.71, -74.01),
}
"""The tiny world: who asks from these networks is at these coordinates."""


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn: what asks for it holds for both."""
    need(request.param)
    return str(request.param)


@pytest.fixture(scope="session")
def default_database() -> Path:
    return DEFAULT_DATABASE


@pytest.fixture(scope="session")
def world() -> World:
    """The world of the database we ship."""
    return load_world(DEFAULT_DATABASE, None)


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world of a few networks (``PLACES``); all else is unknown."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True)
    for network, (latitude, longitude) in PLACES.items():
        record: dict[str, Any] = {
            "country": {"iso_code": "ZZ"},
            "location": {"latitude": latitude, "longitude": longitude},
        }
        writer.insert_network(IPSet([network]), record)
    path = tmp_path_factory.mktemp("tiny") / "tiny.mmdb"
    writer.to_db_file(str(path))
    return load_world(path, None)

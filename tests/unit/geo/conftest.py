"""A small City database, made as a person would make one, and the one we ship."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[3]
if str(ROOT) not in sys.path:  # the builder under data/ is part of the checkout, not installed
    sys.path.insert(0, str(ROOT))

Record = dict[str, Any]
MakeDatabase = Callable[..., Path]


def record(
    country: str, latitude: float, longitude: float, radius_km: int = 20, part: str = ""
) -> Record:
    return {
        "continent": {"code": "EU", "names": {"en": "Europe"}},
        "country": {"iso_code": country, "names": {"en": country}},
        "subdivisions": [{"iso_code": part}] if part else [],
        "location": {"latitude": latitude, "longitude": longitude, "accuracy_radius": radius_km},
    }


ROME = record("IT", 41.9, 12.5, part="62")
MILAN = record("IT", 45.46, 9.19, part="25")
PARIS = record("FR", 48.86, 2.35)
FRANCE = record("FR", 48.86, 2.35, radius_km=1000)
NOWHERE = {"country": {"iso_code": "FR"}}
TINY: Mapping[str, Record] = {
    "1.0.0.0/8": ROME,
    "2.0.0.0/24": MILAN,
    "2.0.1.0/25": PARIS,
    "2.0.1.128/26": MILAN,
    "2.0.1.192/26": ROME,
    "2.0.2.7/32": PARIS,
    "2.0.4.0/22": FRANCE,
    "5.0.0.0/16": NOWHERE,
    "10.1.0.0/16": ROME,
    "223.255.255.0/24": PARIS,
    "2a00::/16": ROME,
    "2a01:1::/32": MILAN,
    "2a01:2:3:8000::/49": PARIS,
    "2a01:2:3:4000::/50": MILAN,
    "2a01:2:4:5::/64": FRANCE,
    "2a01:2:5::7/128": ROME,
    "2002:100::/24": MILAN,
    "fd00::/8": MILAN,
}


@pytest.fixture(scope="session")
def make_database(tmp_path_factory: pytest.TempPathFactory) -> MakeDatabase:
    """Write networks and their records into an mmdb file."""

    def make(networks: Mapping[str, Any], kind: str = "Test-City", ip_version: int = 6) -> Path:
        writer = MMDBWriter(ip_version, kind, languages=["en"], ipv4_compatible=ip_version == 6)
        for network, place in networks.items():
            writer.insert_network(IPSet([network]), place)
        path = tmp_path_factory.mktemp("geo") / f"{kind}.mmdb"
        writer.to_db_file(str(path))
        return path

    return make


@pytest.fixture(scope="session")
def tiny(make_database: MakeDatabase) -> Path:
    return make_database(TINY)


@pytest.fixture(scope="session")
def default_database() -> Path:
    return ROOT / "data" / "geodns-default.mmdb"

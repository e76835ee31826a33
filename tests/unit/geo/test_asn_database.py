"""A database of autonomous systems, asked address by address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from geodns.daemon.geo import Geo
from geodns.errors import ConfigError, Unavailable
from geodns.geo.asn_database import Asn, open_asns


def written(path: Path, networks: dict[str, Any], kind: str = "GeoLite2-ASN") -> Path:
    writer = MMDBWriter(6, kind, ["en"], "test", ipv4_compatible=True)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return written(
        tmp_path / "asn.mmdb",
        {
            "1.2.3.0/24": {
                "autonomous_system_number": 64500,
                "autonomous_system_organization": "Example Ltd",
            },
            "1.2.4.0/24": {"asn": "AS64501", "name": "Other"},
            "1.2.5.0/24": {"asn": 64502},
            "2a00::/16": {"autonomous_system_number": 64503},
            "1.2.6.0/24": {"autonomous_system_number": True, "asn": "none"},
        },
    )


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("1.2.3.4", Asn(64500, "Example Ltd")),
        ("1.2.4.4", Asn(64501, "Other")),
        ("1.2.5.4", Asn(64502)),
        ("2a00::1", Asn(64503)),
        ("9.9.9.9", None),
    ],
)
def test_an_address_is_looked_up(database: Path, address: str, found: Asn | None) -> None:
    assert open_asns(database).lookup(address) == found


def test_it_is_told_in_one_line() -> None:
    assert Asn(64500, "Example Ltd").as_text() == "AS64500 Example Ltd"
    assert Asn(64500).as_text() == "AS64500"


def test_a_file_that_holds_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "city.mmdb", {"1.2.3.0/24": {"city": {}}}, "Test-City")
    with pytest.raises(ConfigError, match="holds no AS numbers"):
        open_asns(path)
    (tmp_path / "junk").write_bytes(b"junk" * 100)
    with pytest.raises(ConfigError, match="corrupt"):
        open_asns(tmp_path / "junk")
    with pytest.raises(ConfigError, match="does not exist"):
        open_asns(tmp_path / "absent")


def test_the_server_knows_them_only_if_it_was_given_a_database(database: Path) -> None:
    assert not Geo(None).knows_asns
    assert Geo(None).asn("1.2.3.4") is Geo(None).describe_asns() is None
    geo = Geo(None, database)
    assert geo.knows_asns
    found = geo.asn("1.2.3.4")
    assert found is not None
    assert found.as_text() == "AS64500 Example Ltd"
    assert str(geo.describe_asns()).startswith("GeoLite2-ASN 20")


def test_the_bundled_database_knows_no_subdivisions_and_one_with_them_does(tmp_path: Path) -> None:
    assert not Geo(None).knows_subdivisions
    record = {"location": {"latitude": 1.0, "longitude": 2.0}, "subdivisions": [{"iso_code": "CA"}]}
    assert Geo(
        written(tmp_path / "city.mmdb", {"1.2.3.0/24": record}, "Test-City")
    ).knows_subdivisions
    assert Geo(tmp_path / "absent").knows_subdivisions  # not doubted


def test_a_bad_database_is_away_not_absent(tmp_path: Path) -> None:
    geo = Geo(None, tmp_path / "absent")
    assert geo.knows_asns
    with pytest.raises(Unavailable, match="does not exist"):
        geo.asn("1.2.3.4")

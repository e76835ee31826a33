"""The database we ship: places people know, empty blocks, and what its README says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import geoip2.database
import geoip2.errors
import pytest

from geodns.geo.database import open_database
from geodns.geo.world import load_world

# Universities, registries and national carriers: networks that stay where they are.
KNOWN = [
    ("81.2.69.142", "EU", "GB"),
    ("128.101.101.101", "NA", "US"),
    ("142.103.1.1", "NA", "CA"),
    ("201.148.95.234", "NA", "MX"),
    ("200.160.2.3", "SA", "BR"),
    ("200.49.130.40", "SA", "AR"),
    ("200.83.1.5", "SA", "CL"),
    ("133.11.93.1", "AS", "JP"),
    ("168.126.63.1", "AS", "KR"),
    ("114.114.114.114", "AS", "CN"),
    ("165.21.83.88", "AS", "SG"),
    ("14.139.5.1", "AS", "IN"),
    ("195.175.39.39", "AS", "TR"),
    ("139.130.4.5", "OC", "AU"),
    ("130.216.1.1", "OC", "NZ"),
    ("196.25.1.1", "AF", "ZA"),
    ("41.65.236.56", "AF", "EG"),
    ("154.72.197.1", "AF", "UG"),
    ("129.132.98.12", "EU", "CH"),
    ("79.6.0.1", "EU", "IT"),
    ("212.27.48.10", "EU", "FR"),
    ("193.0.6.139", "EU", "NL"),
    ("130.237.28.40", "EU", "SE"),
    ("129.240.2.27", "EU", "NO"),
    ("213.97.39.1", "EU", "ES"),
    ("2a02:8071::1", "EU", "DE"),
    ("2001:718:1::1", "EU", "CZ"),
    ("2001:200::8801", "AS", "JP"),
    ("2405:9800::1", "AS", "TH"),
    ("2800:3f0::1", "SA", "AR"),
]
SPECIAL = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"]
SPECIAL += ["172.16.0.0/12", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"]
SPECIAL += ["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"]
SPECIAL += ["::1/128", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20"]
SPECIAL += ["fc00::/7", "fe80::/10", "ff00::/8", "64:ff9b::/96", "::ffff:0:0/96"]


@pytest.fixture(scope="module")
def reader(default_database: Path) -> Iterator[geoip2.database.Reader]:
    with geoip2.database.Reader(default_database) as opened:
        yield opened


@pytest.mark.parametrize(("address", "continent", "country"), KNOWN)
def test_geoip2_places_well_known_networks(
    reader: geoip2.database.Reader, address: str, continent: str, country: str
) -> None:
    found = reader.city(address)
    assert (found.continent.code, found.country.iso_code) == (continent, country)
    assert found.country.name
    assert found.location.latitude is not None


@pytest.mark.parametrize("block", SPECIAL)
def test_special_purpose_blocks_are_empty(reader: geoip2.database.Reader, block: str) -> None:
    network = ip_network(block)
    for address in (network[0], network[network.num_addresses // 2], network[-1]):
        with pytest.raises(geoip2.errors.AddressNotFoundError):
            reader.city(address)


def test_london_is_in_london(default_database: Path) -> None:
    with open_database(default_database) as database:
        found = database.lookup("81.2.69.142")
    assert found is not None
    assert (round(found.latitude), round(found.longitude)) == (52, 0)
    assert found.as_text().startswith("EU-GB 51.")


def test_it_has_the_age_of_its_source_and_stays_small(default_database: Path) -> None:
    with open_database(default_database) as database:
        assert database.info.build_date.isoformat() == "2026-06-05"
        assert "City" in database.info.name
    assert default_database.stat().st_size < 8_000_000


def test_nearly_every_country_is_in_it(default_database: Path) -> None:
    countries = set(load_world(default_database, None).locations.country) - {""}
    assert len(countries) > 240


def test_the_files_are_those_of_the_readme(default_database: Path) -> None:
    folder = default_database.parent
    rows = re.findall(r"^\| `([\w.-]+)` .*`([0-9a-f]{64})` \|$", readme(folder), re.M)
    listed = {name: digest for name, digest in rows if not name.startswith("dbip-")}
    assert listed == {name: sha256((folder / name).read_bytes()).hexdigest() for name in listed}
    assert {path.name for path in folder.glob("*.mmdb")} < set(listed)


def test_attribution_is_as_the_licence_wants_it(default_database: Path) -> None:
    folder = default_database.parent
    notice = (folder / "NOTICE").read_text()
    for words in ("IP Geolocation by DB-IP", "https://db-ip.com", "modified", "licenses/by/4.0"):
        assert words in notice
    assert "creativecommons.org/licenses/by/4.0" in (folder / "LICENSE-DBIP").read_text()


def readme(folder: Path) -> str:
    return (folder / "README.md").read_text()

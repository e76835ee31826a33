"""AS numbers of all addresses, from files as they are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from geodns.errors import ConfigError
from geodns.geo.asn import AsnTable, load_asns

NETWORKS = {
    "1.0.0.0/8": 64500,
    "1.2.3.4/32": 64501,
    "2.0.0.0/24": 4_200_000_000,
    "2a00::/16": 64500,
    "2a00:1:2:3:8000::/65": 64501,
    "2a01:5::/64": 64501,
}


def written(path: Path, records: dict[str, dict[str, Any]], kind: str = "GeoLite2-ASN") -> Path:
    writer = MMDBWriter(6, kind, languages=["en"], ipv4_compatible=True)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def found(table: AsnTable, family: int, value: int) -> int:
    starts, asn = (table.starts4, table.asn4) if family == 4 else (table.starts6, table.asn6)
    return int(asn[np.searchsorted(starts, starts.dtype.type(value), side="right") - 1])


@pytest.fixture(params=["autonomous_system_number", "asn"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    records: dict[str, dict[str, Any]] = {}
    for network, number in NETWORKS.items():
        told: object = number if request.param != "asn" else f"AS{number}"
        records[network] = {request.param: told}
    return written(tmp_path / "asn.mmdb", records)


def test_every_address_has_the_number_of_its_longest_network(path: Path) -> None:
    table = load_asns(path, None)
    assert found(table, 4, 0x01000000) == 64500
    assert found(table, 4, 0x01020304) == 64501
    assert found(table, 4, 0x01020305) == 64500
    assert found(table, 4, 0x020000FF) == 4_200_000_000
    assert found(table, 4, 0x02000100) == 0
    assert found(table, 6, 0x2A00 << 48) == 64500
    assert found(table, 6, 0x2A01_0005 << 32) == 64501
    assert found(table, 6, 0x2A02 << 48) == 0
    assert (np.diff(table.starts6.astype(object)) > 0).all()


def test_a_file_is_read_once_and_its_arrays_kept(path: Path, tmp_path: Path) -> None:
    first = load_asns(path, tmp_path / "geo")
    (kept,) = (tmp_path / "geo").iterdir()
    stamp = kept.stat().st_mtime_ns
    again = load_asns(path, tmp_path / "geo")
    for name in ("starts4", "asn4", "starts6", "asn6"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    kept.write_bytes(b"rotten")
    assert np.array_equal(load_asns(path, tmp_path / "geo").asn4, first.asn4)
    assert kept.stat().st_mtime_ns != stamp


def test_what_is_no_database_of_as_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_asns(tmp_path / "none.mmdb", None)
    junk = tmp_path / "junk.mmdb"
    junk.write_bytes(b"junk" * 100)
    with pytest.raises(ConfigError, match="corrupt"):
        load_asns(junk, None)
    for record in ({"country": {"iso_code": "IT"}}, {"asn": -1}, {"asn": "ASX"}, {"asn": 2**33}):
        other = written(tmp_path / "other.mmdb", {"1.0.0.0/8": record}, "GeoLite2-Country")
        with pytest.raises(ConfigError, match="holds no AS numbers"):
            load_asns(other, None)

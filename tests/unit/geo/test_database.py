from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from mmdb_writer import Encoder

from geodns.errors import ConfigError
from geodns.geo.database import Place, open_database, place_of
from geodns.geo.world import load_world

from .conftest import MILAN, ROME, MakeDatabase

MARKER = b"\xab\xcd\xefMaxMind.com"
Open = Callable[[Path], object]
OPENERS = pytest.mark.parametrize(
    "open_", [open_database, lambda path: load_world(path, None)], ids=["open", "world"]
)


def test_a_lookup_tells_place_and_network(tiny: Path) -> None:
    with open_database(tiny) as database:
        found = database.lookup("2.0.0.77")
        assert found == Place(45.46, 9.19, "EU", "IT", "25", "", 20, ip_network("2.0.0.0/24"))
        assert found.as_text() == "EU-IT-25 45.46,9.19"


@pytest.mark.parametrize("address", ["3.0.0.1", "5.0.0.1", "2a02::1"])
def test_an_address_without_coordinates_has_no_place(tiny: Path, address: str) -> None:
    with open_database(tiny) as database:
        assert database.lookup(address) is None


def test_a_file_of_ipv4_alone_has_no_place_for_ipv6(make_database: MakeDatabase) -> None:
    with open_database(make_database({"2.0.0.0/8": MILAN}, ip_version=4)) as database:
        assert database.info.ip_version == 4
        assert database.lookup("2a00::1") is None


def test_text_that_is_no_address_is_refused(tiny: Path) -> None:
    with open_database(tiny) as database, pytest.raises(ConfigError, match=r"'1\.2\.3'"):
        database.lookup("1.2.3")


def test_the_equator_and_the_meridian_are_places(make_database: MakeDatabase) -> None:
    zero = MILAN | {"location": {"latitude": 0.0, "longitude": 0.0}}
    with open_database(make_database({"2.0.0.0/8": zero})) as database:
        found = database.lookup("2.0.0.1")
        assert found is not None
        assert (found.latitude, found.longitude, found.accuracy_radius_km) == (0, 0, None)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text",
        {},
        {"location": []},
        {"location": {"latitude": 1.0}},
        {"location": {"latitude": "1", "longitude": 2.0}},
        {"location": {"latitude": float("nan"), "longitude": 2.0}},
        {"location": {"latitude": 90.5, "longitude": 2.0}},
        {"location": {"latitude": 1.0, "longitude": -181.0}},
        {"location": {"latitude": True, "longitude": 2.0}},
    ],
)
def test_a_record_without_sound_coordinates_is_no_place(record: object) -> None:
    assert place_of(record) is None


def test_a_field_of_another_type_counts_as_not_known() -> None:
    odd = {"location": {"latitude": 1, "longitude": 2, "accuracy_radius": "far"}}
    odd |= {"country": {"iso_code": 7}, "continent": "EU", "subdivisions": {}, "city": []}
    assert place_of(odd) == Place(1.0, 2.0)


@OPENERS
def test_a_missing_file_is_refused_by_name(open_: Open, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.mmdb does not exist"):
        open_(tmp_path / "none.mmdb")


@OPENERS
def test_a_folder_is_refused(open_: Open, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        open_(tmp_path)


@OPENERS
def test_another_kind_is_refused_with_what_to_use(open_: Open, make_database: MakeDatabase) -> None:
    path = make_database({"1.0.0.0/8": ROME}, kind="GeoLite2-Country")
    with pytest.raises(ConfigError, match=r"GeoLite2-Country.*Use a City database"):
        open_(path)


@OPENERS
def test_a_file_without_coordinates_is_refused(open_: Open, make_database: MakeDatabase) -> None:
    flat = {"country_code": "IT", "latitude": 45.0, "longitude": 9.0}
    with pytest.raises(ConfigError, match="no coordinates"):
        open_(make_database({"1.0.0.0/8": flat}))


@OPENERS
@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"<html>not found</html>", MARKER])
def test_what_is_no_mmdb_is_refused(open_: Open, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mmdb"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is corrupt, or no mmdb file"):
        open_(path)


def crafted(children: list[tuple[int, int]], **metadata: object) -> bytes:
    """A file with these nodes and one record."""
    encoder = Encoder(cache=False)
    tree = b"".join(child.to_bytes(3, "big") for node in children for child in node)
    head = {"node_count": len(children), "record_size": 24, "ip_version": 6, "languages": []}
    head |= {"database_type": "City", "description": {}, "build_epoch": 1}
    head |= {"binary_format_major_version": 2, "binary_format_minor_version": 0}
    return tree + bytes(16) + encoder.encode(MILAN) + MARKER + encoder.encode_meta(head | metadata)


def test_a_tree_that_doubles_at_every_level_ends(tmp_path: Path) -> None:
    path = tmp_path / "bad.mmdb"
    path.write_bytes(crafted([(i + 1, i + 1) for i in range(127)] + [(128 + 16, 128 + 16)]))
    with pytest.raises(ConfigError, match="runs in circles"):
        load_world(path, None)


def test_a_tree_that_leads_back_to_its_root_ends(tmp_path: Path) -> None:
    path = tmp_path / "bad.mmdb"
    path.write_bytes(crafted([(1, 2 + 16), (0, 1)]))
    with pytest.raises(ConfigError, match="is corrupt"):
        load_world(path, None)


@OPENERS
@pytest.mark.parametrize("child", [3, 17, 2 + 16 + 5000, 0xFFFFFF])
def test_a_child_outside_the_data_is_refused(open_: Open, tmp_path: Path, child: int) -> None:
    path = tmp_path / "bad.mmdb"
    path.write_bytes(crafted([(1, 2), (child, 2)]))
    with pytest.raises(ConfigError, match="points outside its data"):
        open_(path)


@OPENERS
@pytest.mark.parametrize(
    "metadata",
    [
        {"node_count": 4_000_000_000},
        {"node_count": 0},
        {"record_size": 20},
        {"ip_version": 5},
        {"build_epoch": (1 << 64) - 1},
        {"database_type": 7},
    ],
)
def test_nonsense_in_the_metadata_is_refused(
    open_: Open, tmp_path: Path, metadata: dict[str, object]
) -> None:
    path = tmp_path / "bad.mmdb"
    path.write_bytes(crafted([(18 + 0, 2), (2, 2)], **metadata))
    with pytest.raises(ConfigError):
        open_(path)


def test_random_damage_is_refused_or_harmless(tiny: Path, tmp_path: Path) -> None:
    good, rng, refused = tiny.read_bytes(), random.Random(3), 0
    path = tmp_path / "bad.mmdb"
    for number in range(600):
        damaged = bytearray(good)
        if number % 3 == 0:
            del damaged[rng.randrange(len(good)) :]
        for _ in range(number % 3 * 2):
            # Most of the file is tree, so aim half of the damage at what follows it.
            first = rng.choice([0, len(good) * 3 // 4])
            damaged[rng.randrange(first, len(good))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            load_world(path, None)
            with open_database(path) as database:
                for address in ("1.2.3.4", "2.0.1.1", "2a00::1", "2a01:2:3:8000::"):
                    database.lookup(address)
        except ConfigError:
            refused += 1
    assert refused > 300

"""A newer geo database takes the old one's place only if it is sound and no step back."""

from __future__ import annotations

import fcntl
import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from geodns.daemon.geo import bundled_database

Commands = Callable[..., Any]


def database(path: Path, latitude: float, networks: tuple[str, ...] = ("0.0.0.0/1",)) -> Path:
    """A database that has all of some networks in one place."""
    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True)
    place = {"country": {"iso_code": "DE"}, "location": {"latitude": latitude, "longitude": 8.0}}
    for network in networks:
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The database in place."""
    return database(tmp_path / "geo.mmdb", 50.0)


def update(run: Commands, source: Path, target: Path, *more: str) -> Any:
    return run("geo", "update", str(source), "--geo-db", str(target), *more)


def test_a_sound_database_takes_the_place_and_the_old_one_is_kept(
    run: Commands, tmp_path: Path, target: Path
) -> None:
    old = target.read_bytes()
    new = database(tmp_path / "new.mmdb", 50.1)
    packed = tmp_path / "new.mmdb.gz"
    packed.write_bytes(gzip.compress(new.read_bytes()))
    done = update(run, packed, target)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("restart the server to steer by it\n")
    assert target.read_bytes() == new.read_bytes()
    assert target.with_name("geo.mmdb.prev").read_bytes() == old
    assert not target.with_name("geo.mmdb.draft").exists()


@pytest.mark.parametrize(
    ("latitude", "networks", "told"),
    [
        (10.0, ("0.0.0.0/1",), "move by more than 500 km"),
        (50.0, ("1.0.0.0/8",), "It lacks"),
    ],
)
def test_what_is_a_step_back_needs_force(
    run: Commands, tmp_path: Path, target: Path, latitude: float, networks: Any, told: str
) -> None:
    before = target.read_bytes()
    new = database(tmp_path / "new.mmdb", latitude, networks)
    refused = update(run, new, target)
    assert (refused.code, told in refused.err) == (3, True), refused.err
    assert target.read_bytes() == before
    assert update(run, new, target, "--force").code == 0


def test_an_older_database_needs_force(run: Commands, tmp_path: Path, target: Path) -> None:
    refused = update(run, bundled_database(), target)
    assert (refused.code, "the one in place of" in refused.err) == (3, True)


@pytest.mark.parametrize("harm", ["cut", "no database", "packed wrongly", "packed and cut"])
def test_what_is_broken_is_never_put_in_place(
    run: Commands, tmp_path: Path, target: Path, harm: str
) -> None:
    before = target.read_bytes()
    bad = tmp_path / ("new.gz" if "packed" in harm else "new.mmdb")
    octets = {
        "cut": before[: len(before) // 2],
        "no database": b"<html>",
        "packed wrongly": b"<html>",
        "packed and cut": gzip.compress(before)[:-9],
    }
    bad.write_bytes(octets[harm])
    refused = update(run, bad, target, "--force")
    assert (refused.code in (2, 4), refused.out) == (True, ""), refused
    assert "bug" not in refused.err
    assert target.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir() if "draft" in each.name) == []


def test_one_update_at_a_time(run: Commands, tmp_path: Path, target: Path) -> None:
    with target.with_name("geo.mmdb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert update(run, target, target).code == 3


def test_the_bundled_database_is_not_replaced(run: Commands, target: Path) -> None:
    assert run("geo", "update", str(target)).code == 2
    assert run("geo", "update", "http://127.0.0.1/x", "--geo-db", str(target)).code == 2
    missing = update(run, target.with_name("none"), target)
    assert (missing.code, missing.err.count("\n")) == (4, 1)


def test_the_first_database_needs_no_predecessor(
    run: Commands, tmp_path: Path, target: Path
) -> None:
    fresh = tmp_path / "fresh.mmdb"
    shutil.copy(target, tmp_path / "source.mmdb")
    assert update(run, tmp_path / "source.mmdb", fresh).code == 0
    assert not fresh.with_name("fresh.mmdb.prev").exists()

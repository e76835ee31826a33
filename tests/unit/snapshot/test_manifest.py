"""Manifests: written whole, read whole, with a predecessor to fall back on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from geodns.errors import ConfigError, Unavailable
from geodns.snapshot.manifest import (
    CURRENT,
    PREVIOUS,
    Entry,
    Manifest,
    read_manifest,
    write_durably,
    write_manifest,
)

ENTRIES = (
    Entry(1, "example.test", "ab" * 32, 640, recipe="cd" * 32),
    Entry(5, "targets", "ef" * 32, 64, optional=True),
)
SAMPLE = Manifest(7, "2026-01-02T03:04:05.678+00:00", ENTRIES, forced="drain of a site")


def numbered(generation: int) -> Manifest:
    return Manifest(generation, SAMPLE.created, ENTRIES)


def test_a_manifest_comes_back_as_it_was() -> None:
    assert Manifest.decode(SAMPLE.encode()) == SAMPLE


@pytest.mark.parametrize("size", range(len(SAMPLE.encode())))
def test_every_truncation_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="Not a whole manifest"):
        Manifest.decode(SAMPLE.encode()[:size])


def test_every_flipped_bit_is_refused() -> None:
    random_ = random.Random(6)
    whole = SAMPLE.encode()
    for bit in range(len(whole) * 8):
        octets = bytearray(whole)
        octets[bit // 8] ^= 1 << bit % 8
        for _ in range(random_.choice((0, 0, 3))):
            octets[random_.randrange(len(octets))] ^= 16
        with pytest.raises(ConfigError):
            Manifest.decode(bytes(octets))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"1",
        b'{"sha256": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b"1" * 5000,
        b'{"sha256": "\\ud800"}',
    ],
)
def test_what_is_not_a_manifest_is_refused(octets: bytes) -> None:
    with pytest.raises(ConfigError, match="Not a whole manifest"):
        Manifest.decode(octets)


def test_another_format_is_refused_though_its_hash_is_right() -> None:
    from geodns.snapshot import manifest as module

    fields = json.loads(SAMPLE.encode()) | {"format": 2}
    del fields["sha256"]
    fields["sha256"] = module._digest(fields)
    with pytest.raises(ConfigError):
        Manifest.decode(json.dumps(fields).encode())


def test_the_newest_is_read(tmp_path: Path) -> None:
    for generation in (1, 2, 3):
        write_manifest(tmp_path, numbered(generation))
    assert read_manifest(tmp_path) == (numbered(3), [])


@pytest.mark.parametrize("spoilt", [b"", b"{", SAMPLE.encode()[:-9]])
def test_a_spoilt_one_gives_way_to_its_predecessor_and_is_reported(
    tmp_path: Path, spoilt: bytes
) -> None:
    for generation in (1, 2):
        write_manifest(tmp_path, numbered(generation))
    (tmp_path / CURRENT).write_bytes(spoilt)
    found, faults = read_manifest(tmp_path)
    assert found == numbered(1)
    assert [fault.pointer for fault in faults] == [str(tmp_path / CURRENT)]


def test_a_lost_one_gives_way_to_its_predecessor(tmp_path: Path) -> None:
    for generation in (1, 2):
        write_manifest(tmp_path, numbered(generation))
    (tmp_path / CURRENT).unlink()
    assert read_manifest(tmp_path) == (numbered(1), [])


def test_a_spoilt_one_does_not_replace_its_good_predecessor(tmp_path: Path) -> None:
    for generation in (1, 2):
        write_manifest(tmp_path, numbered(generation))
    (tmp_path / CURRENT).write_bytes(b"spoilt")
    write_manifest(tmp_path, numbered(3))
    (tmp_path / CURRENT).write_bytes(b"spoilt again")
    manifest, _ = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.generation == 1


def test_nothing_is_read_from_an_empty_directory(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == (None, [])


def test_two_spoilt_ones_are_both_reported(tmp_path: Path) -> None:
    for name in (CURRENT, PREVIOUS):
        (tmp_path / name).write_bytes(b"x")
    found, faults = read_manifest(tmp_path)
    assert (found, len(faults)) == (None, 2)


def test_a_directory_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        write_manifest(tmp_path / "nowhere", SAMPLE)


def test_a_file_is_replaced_whole_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")
    with path.open("rb") as reader:
        write_durably(path, b"new and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

"""Sections written by another version of geodns: refused in words, and made anew."""

from __future__ import annotations

import struct
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
from support.build import ROME, config, node, zone

from geodns.errors import ConfigError
from geodns.geo.world import World
from geodns.snapshot.compile import Compiler
from geodns.snapshot.manifest import SNAPSHOT_DIR, Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.section import VERSIONS, Kind, Section, content_hash, encode


def of_version(octets: bytes, version: int) -> bytes:
    return octets[:10] + struct.pack("<H", version) + octets[12:]


@pytest.mark.parametrize("kind", Kind)
def test_another_version_of_a_kind_is_refused_with_what_to_do(kind: Kind) -> None:
    octets = encode(kind, {"words": array("I", [1])})
    assert Section(octets).column("words")[0] == 1
    for version in {0, 1, 2, 3, 65_535} - {VERSIONS[kind]}:
        with pytest.raises(ConfigError, match=rf"{kind.name} is of version {version}.*anew"):
            Section(of_version(octets, version))


def test_a_kind_that_is_not_known_may_have_any_version() -> None:
    octets = encode(Kind.ZONE, {"words": array("I", [1])}, optional=True)
    unknown = octets[:8] + struct.pack("<HH", 99, 7) + octets[12:]
    assert Section(unknown).kind == 99


def test_sections_of_the_version_before_are_made_anew_and_slots_are_kept(
    tmp_path: Path, tiny_world: World
) -> None:
    """What a directory holds that the last release left: old sections, an old recipe's digest."""
    rome = {"rome": node(ROME, "198.18.0.1")}
    made = config({"a.test": zone({"www": "web"})}, rome, {"web": {"nodes": ["rome"]}})
    compiler = Compiler(tmp_path, tiny_world)
    manifest = compiler.compile(Order(made, 1), None)
    before = aged(tmp_path / SNAPSHOT_DIR, manifest)
    after = Compiler(tmp_path, tiny_world).compile(Order(made, 2), before)
    assert [entry.hash for entry in after.sections if entry.kind != Kind.ZONE] == [
        entry.hash for entry in manifest.sections if entry.kind != Kind.ZONE
    ]
    for entry in after.sections:
        Section((tmp_path / SNAPSHOT_DIR / entry.hash).read_bytes())


def aged(directory: Path, manifest: Manifest) -> Manifest:
    entries = []
    for entry in manifest.sections:
        octets = (directory / entry.hash).read_bytes()
        (directory / entry.hash).unlink()
        old = octets if VERSIONS[Kind(entry.kind)] == 1 else of_version(octets, 1)
        (directory / content_hash(old)).write_bytes(old)
        entries.append(replace(entry, hash=content_hash(old), recipe="of the version before"))
    return replace(manifest, sections=tuple(entries))

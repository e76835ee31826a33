"""A data directory that an older geodns left: not served from, compiled anew, nothing lost."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

from support.server import Server

from geodns.snapshot.manifest import CURRENT, PREVIOUS, SNAPSHOT_DIR, Manifest
from geodns.snapshot.section import VERSIONS, Kind, content_hash

from .conftest import ADDRESSES, USER

NAME = "www.example.test"


def test_after_an_upgrade_the_generation_is_compiled_anew_from_the_store(server: Server) -> None:
    before = read(server.data)
    slots = targets(server)
    server.kill()
    for name in (CURRENT, PREVIOUS):
        if (server.data / name).exists():
            make_older(server.data, name)
    server.start()
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    after = read(server.data)
    assert after.generation > before.generation
    assert server.logged(f"generation {before.generation} is not served")
    assert server.logged("of version 1, written by another geodns; this one reads version 2")
    assert targets(server) == slots, "status words would be another's"


def read(data: Path) -> Manifest:
    return Manifest.decode((data / CURRENT).read_bytes())


def targets(server: Server) -> bytes:
    """What is watched, with its slots."""
    entries = [e for e in read(server.data).sections if e.kind == Kind.TARGETS]
    return (server.data / SNAPSHOT_DIR / entries[0].hash).read_bytes()


def make_older(data: Path, name: str) -> None:
    """Sections as an older geodns marks them, under recipes of its own."""
    manifest = Manifest.decode((data / name).read_bytes())
    entries = []
    for entry in manifest.sections:
        path = data / SNAPSHOT_DIR / entry.hash
        octets = path.read_bytes()
        if VERSIONS[Kind(entry.kind)] > 1:
            octets = octets[:10] + struct.pack("<H", 1) + octets[12:]
        old = replace(entry, hash=content_hash(octets), recipe="older")
        (data / SNAPSHOT_DIR / old.hash).write_bytes(octets)
        entries.append(old)
    (data / name).write_bytes(replace(manifest, sections=tuple(entries)).encode())

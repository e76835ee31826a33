"""The order in which a generation reaches the disk: no manifest names what a power cut may take."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.build import ROME, config, node, zone

from geodns.errors import Unavailable
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.batch import Batch
from geodns.snapshot.compile import Compiler
from geodns.snapshot.manifest import NEXT, SNAPSHOT_DIR, Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.publish import write_next

Events = list[tuple[str, str]]
"""Flushes and renames in the order in which they ended, by the file's name."""

ZONES = 40


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    found: Events = []
    fsync, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        fsync(descriptor)
        found.append(("flush", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))

    def renamed(self: Path, target: Path) -> Path:
        moved = replace(self, target)
        found.append(("rename", target.name))
        return moved

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    return found


@pytest.fixture
def publish(tmp_path: Path, tiny_world: World) -> Callable[[Config], Manifest]:
    """Write a generation as the compiler and the publisher do, one after the other."""
    compiler = Compiler(tmp_path, tiny_world, lambda: 1_800_000_000)

    def written(made_from: Config) -> Manifest:
        manifest = compiler.compile(Order(made_from, 1), None)
        write_next(tmp_path, manifest)
        return manifest

    return written


def many_zones() -> Config:
    zones = {f"z{number}.test": zone({"www": "web"}) for number in range(ZONES)}
    nodes = {"rome": node(ROME, "192.0.2.1")}
    return config(zones, nodes, {"web": {"nodes": ["rome"]}})


def test_sections_are_durable_before_a_manifest_names_them(
    publish: Callable[[Config], Manifest], events: Events, tmp_path: Path
) -> None:
    manifest = publish(many_zones())
    directory = events.index(("flush", SNAPSHOT_DIR))
    for entry in manifest.sections:
        flushed, named = (
            events.index(each) for each in (("flush", f"{entry.hash}.new"), ("rename", entry.hash))
        )
        assert flushed < named < directory, "its octets, then its name, then the directory"
    own = [("flush", f"{NEXT}.new"), ("rename", NEXT), ("flush", tmp_path.name)]
    assert [events.index(each) for each in own] == list(range(directory + 1, directory + 4))
    assert events.count(("flush", SNAPSHOT_DIR)) == 1, "once for all"


def test_a_name_that_is_there_already_is_made_durable_before_it_is_relied_on(
    publish: Callable[[Config], Manifest], events: Events
) -> None:
    publish(many_zones())
    events.clear()
    publish(many_zones())  # as after a crash, which left the files and no manifest
    assert events[0] == ("flush", SNAPSHOT_DIR)
    assert not any(name.endswith(".new") for _, name in events[1:] if not name.startswith(NEXT))


def test_no_manifest_is_written_if_a_section_cannot_be(
    publish: Callable[[Config], Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match=r"cannot be written: .*No space"):
        publish(many_zones())
    assert not (tmp_path / NEXT).exists()
    assert not [each for each in (tmp_path / SNAPSHOT_DIR).iterdir() if each.suffix != ".new"]


def test_one_content_is_written_once(tmp_path: Path, events: Events) -> None:
    batch = Batch(tmp_path / "sections")
    for _ in range(50):
        batch.add("same", b"octets")
    batch.settle()
    assert events == [("flush", "same.new"), ("rename", "same"), ("flush", "sections")]
    assert (tmp_path / "sections" / "same").read_bytes() == b"octets"

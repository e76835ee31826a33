"""A generation is checked when it is loaded: what contradicts itself is refused in words."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.build import NEW_YORK, PARIS, ROME, config, node, zone
from support.lab import Lab

from geodns.engine.generation import Generation
from geodns.engine.responder import check_generation
from geodns.errors import ConfigError
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.manifest import Entry, Manifest
from geodns.snapshot.section import Kind, Section, encode

Columns = dict[str, bytes]


def small() -> Config:
    nodes = {
        "rome": node(ROME, "198.18.0.1", "2001:db8::1"),
        "paris": node(PARIS, "198.18.0.2"),
        "york": node(NEW_YORK, "198.18.0.3"),
    }
    pools = {"web": {"nodes": list(nodes), "fallback": "last"}, "last": {"nodes": ["york"]}}
    zones = {"example.test": zone({"www": "web"}, {"mail": {"A": ["192.0.2.1"]}})}
    return config(zones, nodes, pools)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"), tiny_world, small(), view_budget=0)


def load(
    lab: Lab, change: Callable[[Entry, bytes], bytes] = lambda _, octets: octets
) -> Generation:
    assert lab.manifest is not None
    return Generation(lab.manifest, lambda entry: change(entry, lab.fetch(entry)))


def with_column(octets: bytes, name: str, items: array[int]) -> bytes:
    """A section with one column's items replaced."""
    section = Section(octets)
    columns = dict(section._columns)
    assert name in columns
    return encode(Kind(section.kind), {**columns, name: items})


def test_a_whole_generation_loads_and_passes_its_own_questions(lab: Lab) -> None:
    check_generation(load(lab))


@pytest.mark.parametrize("kind", [Kind.GEO, Kind.POOLS, Kind.VIEW])
def test_a_generation_without_a_section_it_needs_is_refused(lab: Lab, kind: Kind) -> None:
    assert lab.manifest is not None
    left = tuple(entry for entry in lab.manifest.sections if entry.kind != kind)
    with pytest.raises(ConfigError):
        Generation(replace(lab.manifest, sections=left), lab.fetch)


def test_an_unknown_section_is_passed_over_only_if_it_is_optional(lab: Lab) -> None:
    assert lab.manifest is not None

    def beside(optional: bool) -> Manifest:
        assert lab.manifest is not None
        entry = Entry(99, "future", "00" * 32, 64, optional)
        return replace(lab.manifest, sections=(*lab.manifest.sections, entry))

    assert Generation(beside(True), lab.fetch).number == lab.manifest.generation
    with pytest.raises(ConfigError, match="kind 99"):
        Generation(beside(False), lab.fetch)


@pytest.mark.parametrize(
    ("kind", "column", "items"),
    [
        (Kind.VIEW, "record", array("I", [0])),
        (Kind.VIEW, "arm_at", array("I", [0])),
        (Kind.VIEW, "unknown", array("I", [9999])),
        (Kind.VIEW, "unknown", array("I")),
        (Kind.VIEW, "row", array("I", [1 << 31 | 77] * 99)),
        (Kind.VIEW, "row_at", array("I", [0])),
        (Kind.VIEW, "pool", array("Q", [1, 2])),
        (Kind.VIEW, "pool", array("Q")),
        (Kind.GEO, "start4", array("I")),
        (Kind.GEO, "index4", array("I")),
        (Kind.GEO, "index6", array("I", [0] * 65_537)),
        (Kind.POOLS, "key", array("Q")),
        (Kind.POOLS, "place_at", array("I")),
        (Kind.ZONE, "serial", array("I")),
        (Kind.ZONE, "bucket", array("I", [0])),
        (Kind.ZONE, "name_at", array("I", [0])),
        (Kind.ZONE, "rdata_end", array("I", [0])),
        (Kind.ZONE, "view", array("Q", [7])),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(
    lab: Lab, kind: Kind, column: str, items: array[int]
) -> None:
    def spoil(entry: Entry, octets: bytes) -> bytes:
        return with_column(octets, column, items) if entry.kind == kind else octets

    with pytest.raises(ConfigError):
        load(lab, spoil)


@pytest.mark.parametrize("kind", [Kind.ZONE, Kind.GEO, Kind.VIEW, Kind.POOLS])
def test_random_damage_is_refused_or_loads_but_raises_nothing_else(lab: Lab, kind: Kind) -> None:
    random_ = random.Random(kind)

    def spoil(entry: Entry, octets: bytes) -> bytes:
        if entry.kind != kind:
            return octets
        spoilt = bytearray(octets)
        for _ in range(random_.choice((1, 10, 200))):
            spoilt[random_.randrange(len(spoilt))] = random_.randrange(256)
        return bytes(spoilt)

    for _ in range(60):
        try:
            check_generation(load(lab, spoil))
        except ConfigError:
            continue


def test_a_section_that_cannot_be_read_at_all_is_refused(lab: Lab, tmp_path: Path) -> None:
    for octets in (b"", b"x" * 640):
        with pytest.raises(ConfigError):
            load(lab, lambda _, __, octets=octets: octets)  # type: ignore[misc]

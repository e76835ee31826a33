"""The written format names what is really written."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from support.build import PARIS, ROME, config, node, zone
from support.lab import Lab

import geodns.snapshot
from geodns.geo.world import World
from geodns.snapshot.compile import RECIPE_FORMAT
from geodns.snapshot.layout import ORDERS, POOL_PARAMS
from geodns.snapshot.section import Kind, Section

TEXT = (Path(geodns.snapshot.__file__).parent / "FORMAT.md").read_text()
INTERVALS = {"start4", "value4", "index4", "start6", "value6", "index6"}


def documented(kind: Kind) -> dict[str, int]:
    """Name and item width of each column in the table of a kind."""
    part = TEXT.split(f"### Kind {kind.value}: {kind.name}")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| u(\d+) \|", part, re.M)
    return {name: int(bits) // 8 for name, bits in rows}


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> list[Lab]:
    """The same small Config with direct and with indirect views."""
    nodes = {
        f"n{n}": node((ROME[0] + n, PARIS[1]), f"198.18.0.{n}", f"2001:db8::{n}", weight=n)
        for n in range(12)
    }
    zones = {"example.test": zone({"www": "web"}, {"a.b": {"A": ["192.0.2.1"]}})}
    made = config(zones, nodes, {"web": {"nodes": list(nodes)}})
    directory = tmp_path_factory.mktemp
    return [Lab(directory("lab"), tiny_world, made, view_budget=size) for size in (2**40, 0)]


def sections(lab: Lab, kind: Kind) -> list[Section]:
    assert lab.manifest is not None
    return [Section(lab.fetch(e)) for e in lab.manifest.sections if e.kind == kind]


def written(section: Section) -> dict[str, int]:
    return {name: column.itemsize for name, column in section._columns.items()}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.VIEW])
def test_the_columns_written_are_those_of_the_format(labs: list[Lab], kind: Kind) -> None:
    for lab in labs:
        for section in sections(lab, kind):
            assert written(section) == documented(kind)


def test_a_view_has_intervals_or_classes_of_locations(labs: list[Lab]) -> None:
    columns = documented(Kind.VIEW)
    direct, indirect = (written(sections(lab, Kind.VIEW)[0]) for lab in labs)
    assert set(direct) == set(columns) - {"class_of"}
    assert set(indirect) == set(columns) - INTERVALS
    assert columns == direct | indirect


def test_parameters_and_orders_are_those_of_the_format() -> None:
    told = TEXT.split("The items of `param`:")[1].split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", told)) == POOL_PARAMS
    for number, order in enumerate(ORDERS):
        assert f"{number} {order}" in told


def test_lengths_and_invariants_are_those_of_the_format(labs: list[Lab]) -> None:
    for lab in labs:
        for kind in Kind:
            for section in sections(lab, kind):
                check_ranges(section)
    (zone_,), (pools,) = sections(labs[0], Kind.ZONE), sections(labs[0], Kind.POOLS)
    size, owners = len(zone_.column("bucket")), len(zone_.column("flags"))
    assert size & size - 1 == 0
    assert size > 2 * owners
    count = len(pools.column("key"))
    assert len(pools.column("param")) == 8 * count
    assert pools.column("place_at")[count] == len(pools.column("member_at")) - 1
    for at in range(12):
        tail_at, tail = pools.column("tail_at"), pools.column("tail")
        assert tail[tail_at[at]] == at
        assert sorted(tail[tail_at[at] : tail_at[at + 1]]) == list(range(12))


OWNED_BY = {
    "name_at": ["name_octets"],
    "rrset_at": ["rtype", "ttl", "steer"],
    "rdata_end": ["rdata_octets"],
    "row_at": ["row"],
    "member_at": ["node", "weight"],
    "tail_at": ["tail"],
    "v4_at": ["v4_address", "v4_slot", "v4_tag"],
    "v6_at": ["v6_high", "v6_low", "v6_slot", "v6_tag"],
}


def check_ranges(section: Section) -> None:
    for name, owned in OWNED_BY.items():
        if name in section._columns:
            starts = section.column(name).tolist()
            assert starts[0] == 0
            assert starts == sorted(starts)
            assert {len(section.column(other)) for other in owned} == {starts[-1]}
    for bits in (4, 6):
        if f"start{bits}" in section._columns:
            starts = section.column(f"start{bits}").tolist()
            shift = 16 if bits == 4 else 48
            index = section.column(f"index{bits}")
            assert starts[0] == 0
            assert starts == sorted(set(starts))
            assert len(index) == 65_537
            for block in (0, 1, 256, 0x2A01, 65_535):
                assert index[block] == sum(start <= block << shift for start in starts)


def test_a_change_of_columns_raises_the_format_of_recipes() -> None:
    """Else a data directory of the version before would keep sections that nobody can read."""
    columns = sorted((kind.name, *documented(kind).items()) for kind in Kind)
    digest = hashlib.sha256(repr(columns).encode()).hexdigest()[:16]
    assert (RECIPE_FORMAT, digest) == (3, "71b9ff1d5594e3b7"), (
        "raise RECIPE_FORMAT, then renew the digest"
    )

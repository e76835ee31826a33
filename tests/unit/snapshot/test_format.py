"""The written format names what is really written."""

from __future__ import annotations

import hashlib
import re
from itertools import product
from pathlib import Path

import pytest
from support.build import PARIS, ROME, config, node, zone
from support.lab import Lab

import geodns.snapshot
from geodns.geo.world import World
from geodns.snapshot import layout
from geodns.snapshot.layout import ORDERS, POOL_PARAMS, SPREADS
from geodns.snapshot.recipes import RECIPE_FORMAT
from geodns.snapshot.section import VERSIONS, Kind, Section
from geodns.steering import rows, tables

TEXT = (Path(geodns.snapshot.__file__).parent / "FORMAT.md").read_text()
INTERVALS = {"start4": 4, "value4": 4, "index4": 4, "start6": 8, "value6": 4, "index6": 4}
OVERLAY = {f"over_{name}": width for name, width in INTERVALS.items()}
GROUPS = {"row_group", "group_at", "group"}


def documented(kind: Kind) -> dict[str, int]:
    """Name and item width of each column in the table of a kind."""
    part = TEXT.split(f"### Kind {kind.value}: {kind.name}")[1].split("\n#")[0]
    found = {}
    for names, bits in re.findall(r"^\| ((?:`\w+` )+)\| u(\d+) \|", part, re.M):
        for name in re.findall(r"\w+", names):
            assert name not in found, f"{name} stands there twice"
            found[name] = int(bits) // 8
    return found


STEER = {"pool": "web", "rules": [{"subnets": ["1.2.0.0/16"], "pool": "web", "fence": True}]}


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory, tiny_world: World) -> list[Lab]:
    """The same small Config with direct and with indirect views: one plain, one with rules, and
    a pool of more places than a row names, one of which may not answer everybody."""
    nodes = {
        f"n{n}": node((ROME[0] + n, PARIS[1]), f"198.18.0.{n}", f"2001:db8::{n}", weight=n)
        for n in range(12)
    }
    nodes["n0"]["refuses"] = {"subnets": ["1.0.0.0/8"]}
    zones = {"example.test": zone({"www": "few", "a": STEER}, {"a.b": {"A": ["192.0.2.1"]}})}
    pools = {"web": {"nodes": list(nodes)}, "few": {"nodes": ["n1", "n2"]}}
    made = config(zones, nodes, pools)
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
    plain, ruled = {}, {}
    for lab, shape in zip(labs, (INTERVALS, {"class_of": 4}), strict=True):
        for view in sections(lab, Kind.VIEW):
            found = plain if len(view.column("bits4")) == 1 else ruled
            found[tuple(shape)] = written(view)
    told = {name: width for name, width in columns.items() if name != "class_of"}
    groups = {name: told[name] for name in GROUPS}
    rest = {name: told[name] for name in told.keys() - GROUPS}
    assert plain == {tuple(INTERVALS): rest | INTERVALS, ("class_of",): rest | {"class_of": 4}}
    assert ruled == {
        tuple(INTERVALS): rest | groups | INTERVALS,
        ("class_of",): rest | groups | OVERLAY | {"class_of": 4},
    }


def test_parameters_and_orders_are_those_of_the_format() -> None:
    told = TEXT.split("The items of `param`:")[1].split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", told)) == POOL_PARAMS
    for number, order in enumerate(ORDERS):
        assert f"{number} {order}" in told
    for number, spread in enumerate(SPREADS):
        assert re.search(rf"{number}\s+{spread}", told)


def test_numbers_that_two_layers_know_are_the_same() -> None:
    assert rows.NO_GROUP == layout.NO_GROUP
    for number, spread in enumerate(SPREADS):
        assert number == getattr(tables, spread.upper())


def test_versions_are_those_of_the_format() -> None:
    told = TEXT.split("| version of the kind: ")[1].split(" |")[0]
    assert told == "2 for GEO, VIEW and POOLS, 1 for ZONE, TARGETS and OVERRIDES"
    for kind, version in VERSIONS.items():
        assert version == (2 if kind in (Kind.GEO, Kind.VIEW, Kind.POOLS) else 1)


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
    for x, y, z in zip(*(pools.column(name) for name in "xyz"), strict=True):
        squared = sum((value / 2**28 - 1) ** 2 for value in (x, y, z))
        assert squared == pytest.approx(1, abs=1e-7)


OWNED_BY = {
    "name_at": ["name_octets"],
    "rrset_at": ["rtype", "ttl", "steer"],
    "rdata_end": ["rdata_octets"],
    "row_at": ["row"],
    "arm_at": ["arm_key", "arm_weight"],
    "step_at": ["step"],
    "group_at": ["group"],
    "member_at": ["node", "node_key", "weight", "shed"],
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
    for prefix, bits in product(("", "over_"), (4, 6)):
        if f"{prefix}start{bits}" in section._columns:
            starts = section.column(f"{prefix}start{bits}").tolist()
            shift = 16 if bits == 4 else 48
            index = section.column(f"{prefix}index{bits}")
            assert starts[0] == 0
            assert starts == sorted(set(starts))
            assert len(index) == 65_537
            for block in (0, 1, 256, 0x2A01, 65_535):
                assert index[block] == sum(start <= block << shift for start in starts)


def test_a_change_of_columns_raises_the_format_of_recipes() -> None:
    """Else a data directory of the version before would keep sections that nobody can read."""
    columns = sorted((kind.name, *documented(kind).items()) for kind in Kind)
    digest = hashlib.sha256(repr(columns).encode()).hexdigest()[:16]
    assert (RECIPE_FORMAT, digest) == (4, "f414c1e37f478905"), (
        "raise RECIPE_FORMAT, then renew the digest"
    )

"""The builder of the default database: nothing is lost that the bound does not allow."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path

import maxminddb
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.builder.reduce import Bound, Reducer
from data.builder.source import Table
from data.builder.writer import write_mmdb
from geodns.geo.vectors import unit_vectors

METADATA = {
    "database_type": "Test-City",
    "description": {"en": "test"},
    "languages": ["en"],
    "binary_format_major_version": 2,
    "binary_format_minor_version": 0,
    "build_epoch": 1,
}
# Spots 1 and 2 lie near each other in cell 1, spot 3 alone in cell 2; 0 is nowhere.
SPOTS = unit_vectors([0, 45.0, 45.2, -30.0], [0, 9.0, 9.2, 150.0])
CELLS = unit_vectors([0, 45.1, -30.0], [0, 9.1, 150.0])
CELL_OF_SPOT = np.array([0, 1, 1, 2], np.uint32)


@st.composite
def tables(draw: st.DrawFn, bits: int, unit: int, top: int) -> tuple[list[int], list[int]]:
    """Runs that begin at multiples of a unit."""
    edges = st.integers(0, (1 << (bits - unit)) - 1).map(lambda i: i << unit)
    starts = sorted({0} | draw(st.sets(edges, min_size=1, max_size=12)))
    values = draw(st.lists(st.integers(0, top), min_size=len(starts), max_size=len(starts)))
    return starts, values


def reduced(
    table: tuple[list[int], list[int]], bits: int, split_cost: float, cap: int, fill: int
) -> tuple[list[int], list[int]]:
    bound = Bound(split_cost, cap=cap, unit=cap, most_weight=1e9, fill=fill)
    runs = Table(bits, np.array(table[0], np.uint64), np.array(table[1], np.uint32))
    starts, labels = Reducer(runs, bound, SPOTS, CELLS, CELL_OF_SPOT).reduce()
    return starts.tolist(), labels.tolist()


def at(table: tuple[list[int], list[int]], address: int) -> int:
    return table[1][bisect_right(table[0], address) - 1]


def near_edges(table: tuple[list[int], list[int]], bits: int) -> list[int]:
    around = {edge + step for edge in table[0] for step in (-1, 0, 1)}
    return [address for address in around if 0 <= address < 1 << bits]


@given(tables(32, 8, 3))
def test_where_splits_are_free_every_address_keeps_its_cell(
    table: tuple[list[int], list[int]],
) -> None:
    # Holes are never filled here, and what differs in cell differs in cost.
    found = reduced(table, 32, split_cost=0.0, cap=24, fill=33)
    assert found[0][0] == 0
    for address in near_edges(table, 32):
        assert at(found, address) == CELL_OF_SPOT[at(table, address)]


@given(tables(64, 4, 3))
def test_nothing_is_longer_than_the_cap(table: tuple[list[int], list[int]]) -> None:
    starts, labels = reduced(table, 64, split_cost=0.0, cap=48, fill=33)
    assert all(start % (1 << 16) == 0 for start in starts)
    assert all(a != b for a, b in pairwise(labels))


def test_a_dear_split_leaves_the_heavier_side() -> None:
    # Three quarters of a /8 in one cell, one quarter in another: one leaf if splits are dear.
    table = ([0, 3 << 22, 1 << 24], [1, 3, 0])
    assert reduced(table, 32, split_cost=1e9, cap=24, fill=0)[1] == [1]
    assert reduced(table, 32, split_cost=1e-9, cap=24, fill=9)[1] == [1, 2, 0]


def test_holes_are_filled_only_within_small_blocks() -> None:
    half_of_a_24, half_of_an_8 = ([0, 1 << 7, 1 << 8], [1, 0, 0]), ([0, 1 << 23], [1, 0])
    assert reduced(half_of_a_24, 32, 0.03, cap=24, fill=17) == ([0, 1 << 15], [1, 0])
    assert reduced(half_of_an_8, 32, 0.03, cap=24, fill=17) == ([0, 1 << 23], [1, 0])


@given(tables(32, 8, 3), tables(64, 16, 3))
def test_what_is_written_is_what_maxminddb_reads(
    tmp_path_factory: object, four: tuple[list[int], list[int]], six: tuple[list[int], list[int]]
) -> None:
    path = Path(tmp_path_factory.mktemp("mmdb")) / "x.mmdb"  # type: ignore[attr-defined]
    arrays = [
        (np.array(starts, np.uint64), np.array(values, np.int64) - 1)
        for starts, values in (four, six)
    ]
    records = [{"n": number, "name": f"record {number}"} for number in range(3)]
    write_mmdb(path, *arrays, records=records, metadata=METADATA)
    with maxminddb.open_database(path) as reader:
        for address in near_edges(four, 32):
            record = reader.get(IPv4Address(address))
            assert record == (records[at(four, address) - 1] if at(four, address) else None)
        for address in near_edges(six, 64):
            if address > 0:  # ::/64 leads to the IPv4 tree
                record = reader.get(IPv6Address(address << 64 | 1))
                assert record == (records[at(six, address) - 1] if at(six, address) else None)

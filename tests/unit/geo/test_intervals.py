from __future__ import annotations

from bisect import bisect_right
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geodns.geo.database import DatabaseInfo
from geodns.geo.intervals import block_index, classes_of
from geodns.geo.locations import Locations
from geodns.geo.runs import painted
from geodns.geo.world import World

INFO = DatabaseInfo("Test-City", date(2026, 1, 1), 0, Path("x"), 6, "")
PLACES = Locations(np.zeros(5), np.zeros(5), [""] * 5, [""] * 5, [""] * 5, np.zeros(5, bool))


def at(starts: list[int], values: list[int], address: int) -> int:
    return values[bisect_right(starts, address) - 1]


@st.composite
def tables(draw: st.DrawFn, bits: int) -> tuple[list[int], list[int]]:
    near = st.integers(0, 1 << 20) | st.integers(0, (1 << bits) - 1)
    edges = near | st.builds(lambda slot: slot << (bits - 16), st.integers(0, 65535))
    starts = sorted({0} | draw(st.sets(edges, max_size=30)))
    values = draw(st.lists(st.integers(0, 4), min_size=len(starts), max_size=len(starts)))
    return starts, values


@given(tables(32), tables(64), st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_every_address_has_the_class_of_its_location(
    four: tuple[list[int], list[int]], six: tuple[list[int], list[int]], classes: list[int]
) -> None:
    world = World(
        INFO,
        np.array(four[0], np.uint32),
        np.array(four[1], np.uint32),
        np.array(six[0], np.uint64),
        np.array(six[1], np.uint32),
        PLACES,
    )
    starts4, class4, starts6, class6 = classes_of(world, np.array(classes, np.uint32))
    for (starts, values), own_starts, own in ((four, starts4, class4), (six, starts6, class6)):
        assert (np.diff(own.astype(int)) != 0).all()
        for address in [edge + step for edge in starts for step in (-1, 0, 1) if edge + step >= 0]:
            found = at(own_starts.tolist(), own.tolist(), address)
            assert found == classes[at(starts, values, address)]


@given(st.data(), st.sampled_from([32, 64]))
def test_searching_only_the_indexed_part_finds_the_same_interval(
    data: st.DataObject, bits: int
) -> None:
    starts, _ = data.draw(tables(bits))
    index = block_index(np.array(starts, np.uint32 if bits == 32 else np.uint64), bits).tolist()
    assert len(index) == 65537
    for edge in starts:
        for value in {max(edge - 1, 0), edge, min(edge + 1, (1 << bits) - 1), (1 << bits) - 1}:
            h = value >> (bits - 16)
            found = bisect_right(starts, value, index[h], index[h + 1])
            assert found == bisect_right(starts, value)


@given(tables(32), st.sets(st.integers(0, (1 << 32) - 1), min_size=2, max_size=8))
def test_painting_changes_the_blocks_and_nothing_else(
    table: tuple[list[int], list[int]], cuts: set[int]
) -> None:
    ordered = sorted(cuts)
    blocks = list(zip(ordered[::2], ordered[1::2], strict=False))
    starts, values = painted(
        np.array(table[0], np.uint32), np.array(table[1], np.uint32), blocks, 9
    )
    edges = {*table[0], *cuts}
    for address in {max(0, min(edge + d, (1 << 32) - 1)) for edge in edges for d in (-1, 0, 1)}:
        inside = any(first <= address <= last for first, last in blocks)
        expected = 9 if inside else at(*table, address)
        assert at(starts.tolist(), values.tolist(), address) == expected


def test_painting_reaches_the_end_of_the_space() -> None:
    starts, values = painted(
        np.zeros(1, np.uint64), np.ones(1, np.uint32), [(0xFF << 56, (1 << 64) - 1)], 9
    )
    assert starts.tolist() == [0, 0xFF << 56]
    assert values.tolist() == [1, 9]

"""Nested prefixes, counted prefixes and tables laid over one another, against the slow way."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, summarize_address_range

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodns.geo.cover import NONE, nest
from geodns.geo.prefixes import count_prefixes
from geodns.geo.runs import NOTHING, laid_over
from geodns.model.subnet import WIDTHS, Prefix


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    family = draw(st.sampled_from([4, 6]))
    bits = WIDTHS[family]
    length = draw(st.integers(1, bits))
    value = draw(st.integers(0, 7) | st.integers((1 << bits) - 8, (1 << bits) - 1)
                 | st.integers(0, (1 << bits) - 1))  # fmt: skip
    return Prefix(family, value >> bits - length << bits - length, length)


def holds(outer: Prefix, family: int, value: int) -> bool:
    shift = WIDTHS[family] - outer.length
    return outer.family == family and outer.low >> shift == value >> shift


def longest(of: list[Prefix], family: int, value: int) -> Prefix | None:
    held = [prefix for prefix in of if holds(prefix, family, value)]
    return max(held, key=lambda prefix: prefix.length, default=None)


@settings(deadline=None)  # a busy machine's
@given(st.lists(prefixes(), max_size=12))
def test_the_longest_prefix_of_every_address_is_found(given_: list[Prefix]) -> None:
    nested = nest(given_)
    assert sorted(nested.prefixes) == sorted(set(given_))
    for family, cover in ((4, nested.v4), (6, nested.v6)):
        end = 1 << WIDTHS[family]
        edges = {0, end - 1} | {p.low + d for p in given_ if p.family == family for d in (-1, 0, 1)}
        edges |= {p.low + p.size + d for p in given_ if p.family == family for d in (-1, 0)}
        for value in edges:
            if 0 <= value < end:
                at = int(np.searchsorted(cover.starts, cover.starts.dtype.type(value), "right"))
                number = int(cover.number[at - 1])
                found = nested.prefixes[number] if number != NONE else None
                assert found == longest(given_, family, value)


@settings(deadline=None)  # a busy machine's
@given(st.lists(prefixes(), max_size=12), st.data())
def test_what_a_prefix_lacks_it_has_from_its_nearest_parent(
    given_: list[Prefix], data: st.DataObject
) -> None:
    nested = nest(given_)
    own = [data.draw(st.sampled_from([NONE, NONE, 5, 7])) for _ in nested.prefixes]
    found = nested.inherited(np.array(own, np.int64))
    assert found[NONE] == NONE
    has = [prefix for prefix, value in zip(nested.prefixes, own, strict=True) if value != NONE]
    for number, prefix in enumerate(nested.prefixes):
        wider = [each for each in has if each.length <= prefix.length]
        giver = longest(wider, prefix.family, prefix.low)
        assert found[number] == (NONE if giver is None else own[nested.prefixes.index(giver)])
        inside = any(holds(each, prefix.family, prefix.low) for each in wider)
        assert nested.within(has)[number] == inside


@pytest.mark.parametrize("seed", range(20))
def test_prefixes_are_counted_as_they_would_be_listed(seed: int) -> None:
    r = random.Random(seed)
    for _ in range(40):
        some = [r.getrandbits(32), r.getrandbits(8) << 24, r.getrandbits(6), 2**32 - 1]
        starts = sorted({0, *r.sample(some, r.randrange(4))})
        least = [r.choice([0, r.randrange(33)]) for _ in starts]
        counted = [r.random() < 0.8 for _ in starts]
        wanted = 0
        for low, high, bits, is_counted in zip(
            starts, [*starts[1:], 1 << 32], least, counted, strict=True
        ):
            for network in summarize_address_range(IPv4Address(low), IPv4Address(high - 1)):
                wanted += is_counted * (1 << max(0, bits - network.prefixlen))
        for table in (np.array(starts, np.uint32), np.array(starts, np.uint64) << np.uint64(32)):
            assert count_prefixes(table, np.array(least), np.array(counted)) == wanted


def test_the_whole_of_ipv6_is_counted_in_64_bits_and_more() -> None:
    everywhere = np.zeros(1, np.uint64)
    assert count_prefixes(everywhere, np.array([0]), np.array([True])) == 1
    assert count_prefixes(everywhere, np.array([64]), np.array([True])) == 1 << 64
    halves = np.array([0, 1 << 63], np.uint64)
    assert count_prefixes(halves, np.array([64, 64]), np.array([True, True])) == 1 << 64


runs = st.dictionaries(st.integers(1, 40), st.integers(0, 3), max_size=8)


@settings(deadline=None)  # a busy machine's
@given(runs, runs, st.sets(st.integers(0, 3)))
def test_a_table_laid_over_another_hides_it_where_it_says_something(
    below: dict[int, int], above: dict[int, int], nothing: set[int]
) -> None:
    def table(runs_: dict[int, int], base: int) -> tuple[list[int], list[int]]:
        whole = {0: 0} | runs_
        values = [whole[start] for start in sorted(whole)]
        return sorted(whole), [NOTHING if base and v in nothing else base + v for v in values]

    starts, values = table(below, 0)
    over, over_values = table(above, 10)
    got_starts, got = laid_over(
        np.array(starts, np.uint32), np.array(values, np.uint32),
        np.array(over, np.uint32), np.array(over_values, np.uint32),
    )  # fmt: skip
    assert got_starts[0] == 0
    assert (got[1:] != got[:-1]).all()
    for value in range(45):
        upper = over_values[sum(start <= value for start in over) - 1]
        lower = values[sum(start <= value for start in starts) - 1]
        found = got[int((got_starts <= value).sum()) - 1]
        assert found == (lower if upper == NOTHING else upper)

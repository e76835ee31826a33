"""Sections: what goes in comes out, and spoilt octets are refused in words."""

from __future__ import annotations

import random
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.errors import ConfigError
from geodns.snapshot.section import ALIGNMENT, Kind, Section, content_hash, encode

COLUMNS = {
    "octets": b"abc",
    "halves": array("H", [1, 65535]),
    "words": array("I", range(40)),
    "longs": array("Q", [2**64 - 1]),
    "empty": array("Q"),
    "sixteen-letters-": b"",
}
SAMPLE = encode(Kind.POOLS, COLUMNS)


def test_every_column_comes_back_as_it_was() -> None:
    section = Section(SAMPLE)
    assert (section.kind, section.optional) == (Kind.POOLS, False)
    for name, column in COLUMNS.items():
        assert section.column(name).tolist() == list(column)
    assert section.octets("octets") == b"abc"


@given(
    st.dictionaries(
        st.text("abcdefgh_0123456789", min_size=1, max_size=16),
        st.one_of(
            st.binary(max_size=99),
            st.builds(array, st.just("H"), st.lists(st.integers(0, 2**16 - 1))),
            st.builds(array, st.just("I"), st.lists(st.integers(0, 2**32 - 1))),
            st.builds(array, st.just("Q"), st.lists(st.integers(0, 2**64 - 1))),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_any_columns_come_back(columns: dict[str, bytes | array[int]], optional: bool) -> None:
    section = Section(encode(Kind.ZONE, columns, optional=optional))
    assert section.optional is optional
    for name, column in columns.items():
        assert section.column(name).tolist() == list(column)


def test_columns_start_on_cache_lines_and_cannot_be_written() -> None:
    for number in range(len(COLUMNS)):
        (offset,) = struct.unpack_from("<Q", SAMPLE, 32 + 40 * number + 32)
        assert offset % ALIGNMENT == 0
    with pytest.raises(TypeError):
        Section(bytearray(SAMPLE)).column("words")[0] = 1  # type: ignore[arg-type]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="no column nothing"):
        Section(SAMPLE).column("nothing")


@pytest.mark.parametrize("size", range(len(SAMPLE)))
def test_every_truncation_is_refused(size: int) -> None:
    with pytest.raises(ConfigError):
        Section(SAMPLE[:size])


@pytest.mark.parametrize("more", [b"\0", bytes(64)])
def test_what_is_longer_than_it_says_is_refused(more: bytes) -> None:
    with pytest.raises(ConfigError):
        Section(SAMPLE + more)


def test_any_flipped_bits_are_refused_or_read_within_bounds() -> None:
    random_ = random.Random(4)
    head = 32 + 40 * len(COLUMNS)
    flips = [[bit] for bit in range(head * 8)]
    flips += [[random_.randrange(head * 8) for _ in range(4)] for _ in range(3000)]
    for bits in flips:
        octets = bytearray(SAMPLE)
        for bit in bits:
            octets[bit // 8] ^= 1 << bit % 8
        assert content_hash(octets) != content_hash(SAMPLE) or octets == SAMPLE
        read_or_refuse(bytes(octets))


def test_random_octets_are_refused() -> None:
    random_ = random.Random(5)
    for size in range(0, 200, 3):
        with pytest.raises(ConfigError):
            Section(random_.randbytes(size))


def read_or_refuse(octets: bytes) -> None:
    try:
        section = Section(octets)
    except ConfigError:
        return
    for name in COLUMNS:
        try:
            assert section.column(name).nbytes <= len(octets)
        except ConfigError:
            continue

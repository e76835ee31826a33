from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geodns.geo.scope import scope_of

BITS = 5


def widest(value: int, low: int, high: int) -> int:
    """By trying every length, widest first."""
    for length in range(BITS + 1):
        size = 1 << (BITS - length)
        first = value // size * size
        if low <= first and first + size <= high:
            return length
    raise AssertionError("a single address always fits")


def test_scope_is_the_widest_prefix_within_for_every_interval_of_a_small_space() -> None:
    space = 1 << BITS
    cases = [
        (value, low, high)
        for low in range(space)
        for high in range(low + 1, space + 1)
        for value in range(low, high)
    ]
    assert [c for c in cases if scope_of(*c, BITS) != widest(*c)] == []


@given(st.sampled_from([32, 64, 128]), st.data())
def test_scope_fits_and_one_bit_wider_does_not(bits: int, data: st.DataObject) -> None:
    low = data.draw(st.integers(0, (1 << bits) - 1))
    high = data.draw(st.integers(low + 1, 1 << bits))
    value = data.draw(st.integers(low, high - 1))
    length = scope_of(value, low, high, bits)
    size = 1 << (bits - length)
    first = value // size * size
    assert low <= first
    assert first + size <= high
    wider = value // (2 * size) * (2 * size)
    assert length == 0 or wider < low or wider + 2 * size > high


def test_scope_of_the_whole_space_is_zero() -> None:
    assert scope_of(7, 0, 1 << 32, 32) == 0

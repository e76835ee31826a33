"""Weighted rendezvous: the vectors of the format's description, exact shares, least movement."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import geodns.snapshot
from geodns.steering.draw import user_of
from geodns.steering.mix import MASK, SHED, SPLIT, STICKY, mix, mix64, scatter
from geodns.steering.rendezvous import (
    LOGARITHMS,
    Rivals,
    _floors,
    is_sent_away,
    neg_log2,
)

FORMAT = Path(geodns.snapshot.__file__).with_name("FORMAT.md").read_text()
DRAWS = FORMAT.partition("\n## Draws\n")[2]
SALT = 0x0123456789ABCDEF
KEYS = [0x1111111111111111, 0x2222222222222222, 0x3333333333333333]

hashes = st.integers(0, MASK)


def table(heading: str) -> list[list[str]]:
    """The rows of the table in "Draws" whose heading begins so."""
    after = DRAWS.partition(f"\n| {heading}")[2].splitlines()[2:]
    rows = after[: next((n for n, line in enumerate(after) if not line.startswith("|")), None)]
    assert rows
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def number(text: str) -> int:
    return int(text.replace(",", ""), 0)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split()]


# --- The vectors ---


def test_the_logarithms_are_those_of_the_format() -> None:
    for i, value in table("i |"):
        assert LOGARITHMS[int(i)] == number(value)
    [total] = re.findall(r"The sum of all 257 is ([\d,]+)\.", DRAWS)
    assert (len(LOGARITHMS), sum(LOGARITHMS)) == (257, number(total))


def test_neg_log2_gives_the_vectors_of_the_format() -> None:
    for h, wanted in table("h |"):
        assert neg_log2(number(h)) == number(wanted)


def test_mix_gives_the_vectors_of_the_format() -> None:
    for key, value, wanted in table("key |"):
        assert mix(number(key), number(value)) == number(wanted)
        assert mix64(number(key) ^ scatter(number(value))) == number(wanted)


@pytest.mark.parametrize("row", table("IP |"), ids=lambda row: f"{row[1]}/{row[2]}")
def test_draws_give_the_vectors_of_the_format(row: list[str]) -> None:
    version, value, bits, user, base = (number(cell) for cell in row[:5])
    assert user_of(value, version, bits) == user
    arm, sticky, shed = (mix(mix(SALT, each), user) for each in (SPLIT, STICKY, SHED))
    assert arm == base
    assert Rivals(KEYS[:2], [95, 5]).winner(arm) == number(row[5])
    assert Rivals(KEYS, [1, 1, 1]).winner(arm) == number(row[6])
    assert Rivals(KEYS, [3, 2, 1]).ranked(sticky) == numbers(row[7])
    assert Rivals(KEYS, [7, 7, 7]).ranked(sticky) == numbers(row[8])
    for key, share in zip(KEYS, numbers(row[9]), strict=True):
        assert is_sent_away(shed, key, share + 1)
        assert not is_sent_away(shed, key, share)


# --- The logarithm ---


@given(hashes)
def test_neg_log2_is_the_logarithm_within_three_millionths(h: int) -> None:
    assert neg_log2(h) / 2**32 == pytest.approx(64 - math.log2(h | 1), abs=3e-6)
    assert 1 <= neg_log2(h) <= 64 << 32


@given(hashes, hashes)
def test_a_greater_hash_never_costs_more(a: int, b: int) -> None:
    assert (neg_log2(a) <= neg_log2(b)) if a > b else (neg_log2(b) <= neg_log2(a))


# --- The order ---


@given(hashes, st.lists(hashes, min_size=1, max_size=40))
def test_all_keys_at_once_are_hashed_as_each_alone(base: int, keys: list[int]) -> None:
    assert list(Rivals(keys, [1] * len(keys)).hashes(base)) == [mix64(base ^ key) for key in keys]


weighted = st.lists(st.tuples(hashes, st.integers(1, 255_000)), min_size=1, max_size=8)


@given(hashes, weighted)
def test_the_order_is_cost_then_greater_hash_then_position(
    base: int, candidates: list[tuple[int, int]]
) -> None:
    keys, weights = [key for key, _ in candidates], [weight for _, weight in candidates]

    def rank(at: int) -> tuple[Fraction, int, int]:
        h = mix64(base ^ keys[at])
        return Fraction(neg_log2(h), weights[at]), -h, at

    wanted = sorted(range(len(keys)), key=rank)
    for lasting in (False, True):
        rivals = Rivals(keys, weights, lasting=lasting)
        assert rivals.ranked(base) == wanted
        assert rivals.winner(base) == wanted[0]


@pytest.mark.parametrize("weights", [[95, 5], [5, 95], [1, 1000], [999, 1000], [1, 255_000]])
def test_a_table_foresees_only_what_costs_confirm(weights: list[int]) -> None:
    draw = random.Random(5)
    keys = [draw.getrandbits(64) for _ in weights]
    told, asked = Rivals(keys, weights, lasting=True), Rivals(keys, weights)
    for _ in range(20_000):
        base = draw.getrandbits(64)
        assert told.winner(base) == asked.winner(base)


@given(st.integers(0, 255), st.integers(-40_000, 40_000), st.sampled_from([(5, 95), (1, 1000)]))
def test_nobody_below_the_floor_costs_less(octet: int, beside: int, pair: tuple[int, int]) -> None:
    light, heavy = pair
    below = _floors(light, heavy)[octet] - 1 - abs(beside)
    if below >= 0:
        assert neg_log2(below) * heavy > neg_log2(octet << 56) * light


@given(hashes, st.lists(hashes, min_size=1, max_size=8), st.integers(1, 1000))
def test_of_equal_weights_the_greatest_hash_wins(base: int, keys: list[int], weight: int) -> None:
    rivals = Rivals(keys, [weight] * len(keys))
    made = rivals.hashes(base)
    assert rivals.winner(base) == rivals.ranked(base)[0] == made.index(max(made))


# --- Shares and movement, over users ---

USERS = 40_000


def winners(keys: list[int], weights: list[int], users: int = USERS) -> list[int]:
    """The winning key of each user."""
    salt = mix(SALT, SPLIT)
    rivals = Rivals(keys, weights, lasting=True)
    return [keys[rivals.winner(mix(salt, user << 12))] for user in range(users)]


def keys_of(count: int) -> list[int]:
    return [random.Random(count + n).getrandbits(64) for n in range(count)]


@pytest.mark.parametrize("weights", [[95, 5], [1, 1], [1, 1, 1], [1000, 1], [100, 50, 25, 300]])
def test_shares_of_users_are_exact_within_five_sigma(weights: list[int]) -> None:
    keys = keys_of(len(weights))
    found = Counter(winners(keys, weights))
    for key, weight in zip(keys, weights, strict=True):
        share = weight / sum(weights)
        assert abs(found[key] - share * USERS) <= 5 * math.sqrt(share * (1 - share) * USERS)


@pytest.mark.parametrize("weights", [[1] * 7, [5, 10, 20, 40, 80, 160, 320]])
def test_removing_one_of_n_moves_only_its_users(weights: list[int]) -> None:
    keys = keys_of(len(weights))
    before = winners(keys, weights, 10_000)
    for gone in range(len(keys)):
        after = winners(
            keys[:gone] + keys[gone + 1 :], weights[:gone] + weights[gone + 1 :], 10_000
        )
        moved = {old for old, new in zip(before, after, strict=True) if old != new}
        assert moved == {keys[gone]}


def test_a_changed_weight_moves_users_only_to_or_from_who_has_it() -> None:
    keys = keys_of(4)
    before, after = winners(keys, [40, 30, 20, 10]), winners(keys, [40, 30, 20, 30])
    moves = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert {new for _, new in moves} == {keys[3]}
    share = 30 / 120 - 10 / 100  # what the last one gains
    assert len(moves) == pytest.approx(share * USERS, abs=5 * math.sqrt(share * USERS))


def test_a_rollout_from_5_to_50_percent_sends_nobody_back() -> None:
    stable, canary = keys = keys_of(2)
    steps = [winners(keys, [100 - percent, percent], 10_000) for percent in (5, 10, 25, 50)]
    for before, after in pairwise(steps):
        assert all(new == canary for old, new in zip(before, after, strict=True) if old == canary)
    assert stable in steps[-1]


@pytest.mark.parametrize("share", [0, 1, 655, 32_768, 65_535])
def test_the_share_sent_away_is_exact_within_five_sigma(share: int) -> None:
    salt = mix(SALT, SHED)
    away = sum(is_sent_away(mix(salt, user << 12), KEYS[0], share) for user in range(USERS))
    part = share / 65_536
    assert abs(away - part * USERS) <= 5 * math.sqrt(part * (1 - part) * USERS) + (0 < share < 9)


def test_the_greatest_share_is_everybody() -> None:
    """Of 65,536 users one has the greatest hash; at full load it may not stay."""
    key = KEYS[0]
    greatest = next(base for base in count() if mix64(base ^ key) >> 48 == 65_535)
    assert is_sent_away(greatest, key, 65_535)
    assert not is_sent_away(greatest, key, 65_534)


def test_who_is_sent_away_stays_away_while_load_grows() -> None:
    salt = mix(SALT, SHED)
    for user in range(500):
        base = mix(salt, user << 12)
        asked = [is_sent_away(base, KEYS[0], share) for share in range(0, 65_536, 997)]
        assert asked == sorted(asked)


def test_arms_nodes_and_load_are_drawn_independently() -> None:
    rivals = Rivals(KEYS, [1, 1, 1])
    arms, nodes = ([rivals.winner(mix(mix(SALT, each), user)) for user in range(9000)]
                   for each in (SPLIT, STICKY))  # fmt: skip
    pairs = Counter(zip(arms, nodes, strict=True))
    assert len(pairs) == 9
    assert all(abs(count - 1000) <= 5 * math.sqrt(1000) for count in pairs.values())

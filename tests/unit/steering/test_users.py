"""What depends on the user: nodes that stay the user's, and load that sends some away."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodns.snapshot.status import Override, Verdict, Word
from geodns.steering.choose import NOTHING, Decision, SendsAway, Shedding, decide
from geodns.steering.draw import pick, user_of
from geodns.steering.mix import SHED, mix
from geodns.steering.rendezvous import is_sent_away
from geodns.steering.tables import STICKY, TIER_START, V4, V6, Link, Member, PoolTable, Target
from geodns.steering.words import shed_share

HALF = 1 << 15


def members(weights: list[int], *, shed: bool = True) -> list[Member]:
    """Nodes with an address of each family; slot and tag are the node's number."""
    return [
        Member(n, w, (Target(b"4", n, n),), (Target(b"6", n, n),), key=n + 1 << 40, shed=shed)
        for n, w in enumerate(weights)
    ]


def link(tiers: list[list[Member]], **fields: int) -> Link:
    places = tuple((member,) for tier in tiers for member in tier)
    row: list[int] = []
    for tier in tiers:
        row += [len(row) + n | (0 if n else TIER_START) for n in range(len(tier))]
    return Link(PoolTable(places, **fields), row)  # type: ignore[arg-type]


def words(*sheds: int, down: tuple[int, ...] = (), drained: tuple[int, ...] = ()) -> list[int]:
    return [
        Word(
            n,
            Verdict.DOWN if n in down else Verdict.UP,
            override=Override.DOWN if n in drained else Override.NONE,
            shed=shed,
        ).pack()
        for n, shed in enumerate(sheds)
    ]


def nodes(decision: Decision) -> list[int]:
    return [candidate.member.node for tier in decision.tiers for candidate in tier]


def without(*numbers: int) -> SendsAway:
    """Of a user whom these nodes of the first pool send away."""
    return lambda shed: (shed.pool, shed.node) in {(0, number) for number in numbers}


# --- Users ---


@pytest.mark.parametrize(
    ("value", "version", "bits", "user"),
    [
        (0x01020304, 4, 20, 0x01020000),
        (0x01020304, 4, 32, 0x01020304),
        (0xFFFFFFFF, 4, 1, 0x80000000),
        (0x20010DB812345678, 6, 40, 0x20010DB812000000),
        (0x20010DB812345678, 6, 64, 0x20010DB812345678),
    ],
)
def test_a_user_is_the_leading_bits_of_an_address(
    value: int, version: int, bits: int, user: int
) -> None:
    assert user_of(value, version, bits) == user


# --- Sticky ---


def sticky(weights: list[int], sheds: list[int] | None = None, **fields: int) -> Decision:
    made = link([members(weights)], spread=STICKY, **fields)
    return decide([made], words(*(sheds or [0] * len(weights))), V4)


def favourite(decision: Decision, user: int) -> int:
    return pick(decision, mix(7, user))[0].member.node


@pytest.mark.parametrize("weights", [[1, 1, 1], [100, 50, 25, 300], [0, 3, 1]])
def test_sticky_shares_follow_the_weights(weights: list[int]) -> None:
    decision, users = sticky(weights), 20_000
    found = Counter(favourite(decision, user) for user in range(users))
    for number, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(found[number] - share * users) <= 5 * (share * (1 - share) * users) ** 0.5


@pytest.mark.parametrize("gone", range(5))
def test_a_sticky_node_that_fails_moves_only_its_own_users(gone: int) -> None:
    made = link([members([10, 10, 20, 30, 40])], spread=STICKY)
    before = decide([made], words(*[0] * 5), V4)
    after = decide([made], words(*[0] * 5, down=(gone,)), V4)
    moved = Counter(
        favourite(before, user)
        for user in range(3000)
        if favourite(before, user) != favourite(after, user)
    )
    assert set(moved) == {gone}


def test_of_several_sticky_answers_the_first_is_the_only_one_there_would_be() -> None:
    one, three = sticky([5, 1, 3, 7]), sticky([5, 1, 3, 7], answers=3)
    for user in range(200):
        chosen = [candidate.member.node for candidate in pick(three, mix(7, user))]
        assert len(set(chosen)) == 3
        assert chosen[0] == favourite(one, user)


def test_sticky_answers_go_on_in_the_next_tier_until_there_are_enough() -> None:
    made = link(
        [members([1, 1, 1])[:2], members([1, 1, 1])[2:]], spread=STICKY, answers=3, min_answers=3
    )
    decision = decide([made], words(0, 0, 0), V4)
    for user in range(50):
        chosen = [candidate.member.node for candidate in pick(decision, mix(7, user))]
        assert len(chosen) == 3
        assert chosen[2] == 2


# --- Load ---


def test_a_decision_names_who_in_its_tiers_sends_users_away() -> None:
    decision = decide([link([members([1, 1]), members([1, 1, 1])[2:]])], words(HALF, 0, 9), V4)
    assert decision.sheds == (Shedding(0, 0, 1 << 40, HALF),)


def test_without_the_leave_of_its_node_load_means_nothing() -> None:
    made = link([members([1, 1], shed=False)])
    assert decide([made], words(HALF, HALF), V4).sheds == ()


def test_the_share_is_the_greatest_of_the_targets_that_may_answer() -> None:
    targets = tuple(Target(b"", slot, slot) for slot in range(4))
    member = Member(0, 1, targets[:2], targets[2:], shed=True)
    assert shed_share(member, words(1, 2, 9, 5)) == 9
    assert shed_share(member, words(1, 2, 9, 5, down=(2,))) == 5
    assert shed_share(member, words(1, 2, 9, 5, down=(2, 3), drained=(1,))) == 1
    foreign = [Word(77, shed=HALF).pack()] * 4
    assert shed_share(member, foreign) == 0


def test_a_user_who_is_sent_away_gets_another_of_the_tier_then_of_the_next() -> None:
    made = link([members([1, 1]), members([1, 1, 1])[2:]])
    shedding = words(HALF, HALF, 0)
    assert nodes(decide([made], shedding, V4, without(0))) == [1]
    assert nodes(decide([made], shedding, V4, without(0, 1))) == [2]
    assert decide([made], shedding, V4, without(0)).sheds == (Shedding(0, 1, 2 << 40, HALF),)


def test_load_never_leaves_a_user_with_nothing_and_never_fails_open() -> None:
    for all_down in (0, 1):
        made = link([members([1, 1])], open=all_down)
        decision = decide([made], words(HALF, HALF), V4, without(0, 1))
        assert (nodes(decision), decision.failing_open, decision.sheds) == ([0, 1], False, ())
        decision = decide([made], words(HALF, 0, down=(1,)), V4, without(0))
        assert (nodes(decision), decision.failing_open) == ([0], False)


def test_a_user_sent_away_by_a_whole_pool_goes_on_along_the_chain() -> None:
    chain = [link([members([1])]), link([members([1, 1])[1:]], number=1)]
    decision = decide(chain, words(HALF, 0), V4, without(0))
    assert (nodes(decision), decision.pool) == ([1], chain[1].pool)


def test_load_does_not_count_against_min_up() -> None:
    chain = [link([members([1, 1])], min_up=2), link([members([1, 1, 1])[2:]], number=1)]
    assert nodes(decide(chain, words(HALF, 0, 0), V4, without(0))) == [1]


def test_a_node_of_weight_0_answers_who_is_sent_away_by_all_others() -> None:
    made = link([members([5, 0])])
    assert nodes(decide([made], words(HALF, 0), V4, without(0))) == [1]


def test_when_failing_open_load_is_not_asked() -> None:
    made = link([members([1, 1])])
    decision = decide([made], words(HALF, HALF, down=(0, 1)), V4)
    assert (nodes(decision), decision.failing_open, decision.sheds) == ([0, 1], True, ())


def test_near_both_families_send_the_same_users_to_the_same_node() -> None:
    made = link([members([1, 1])])
    for away in (without(0), without(1)):
        four, six = (decide([made], words(HALF, HALF), family, away) for family in (V4, V6))
        assert nodes(four) == nodes(six)


shares = st.lists(st.sampled_from([0, 0, 100, HALF, 60_000, 65_535]), min_size=4, max_size=4)


@settings(max_examples=100, deadline=None)
@given(shares, st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 1 << 20))
def test_deciding_step_by_step_is_deciding_once_without_all_who_send_the_user_away(
    sheds: list[int], sizes: list[int], user: int
) -> None:
    everybody = iter(members([5, 1, 0, 3]))
    tiers = [tier for size in sizes if (tier := list(islice(everybody, size)))]
    chain = [link([tier], number=number) for number, tier in enumerate(tiers)]
    present = [(number, m) for number, tier in enumerate(tiers) for m in tier]
    status, base = words(*sheds), mix(mix(1, SHED), user)
    away = frozenset(
        (number, m.node)
        for number, m in present
        if is_sent_away(base, m.key, shed_share(m, status))
    )
    passed: set[tuple[int, int]] = set()
    while True:
        decision = decide(chain, status, V4, lambda s: (s.pool, s.node) in passed)
        gone = {(s.pool, s.node) for s in decision.sheds if is_sent_away(base, s.key, s.share)}
        if not gone:
            break
        passed.update(gone)
    assert passed <= away
    once = decide(chain, status, V4, lambda s: is_sent_away(base, s.key, s.share))
    assert once == decision
    assert once.passed == passed
    assert nodes(once) == nodes(decide(chain, status, V4, lambda s: (s.pool, s.node) in away))
    assert once != NOTHING


def test_whom_all_send_away_is_decided_for_in_one_walk() -> None:
    class Counted(list[int]):
        looks = 0

        def __getitem__(self, slot: Any) -> Any:
            self.looks += 1
            return super().__getitem__(slot)

    count = 200
    made = link([[member] for member in members([1] * count)])
    status = Counted(words(*[65_535] * count))
    decision = decide([made], status, V4, lambda _: True)
    assert (nodes(decision), len(decision.passed)) == ([0], count)
    assert status.looks < 10 * count

"""Which nodes answer: by example, and against a naive reading of the design's words."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.chains import answer, link, plain, words_of
from support.naive import Health, Node, Pool
from support.naive import decide as naive_decide

from geodns.snapshot.status import Override, Verdict, Word
from geodns.steering import choose
from geodns.steering.choose import Candidate, decide
from geodns.steering.draw import pick
from geodns.steering.mix import mix
from geodns.steering.tables import (
    FIRST,
    V4,
    V6,
    WEIGHTED,
    Link,
    Member,
    Target,
)
from geodns.steering.words import all_settled, is_usable

UP, DOWN = Verdict.UP, Verdict.DOWN


# --- The meaning of a word ---


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("override", Override)
@pytest.mark.parametrize("unsettled", [True, False])
def test_a_word_means_to_steering_what_it_means_to_the_status_table(
    verdict: Verdict, override: Override, unsettled: bool
) -> None:
    word = Word(7, verdict, unsettled, override).pack()
    overridden = {Override.UP: True, Override.DOWN: False}
    assert is_usable(word) is overridden.get(override, verdict is not Verdict.DOWN)
    assert is_usable(word, ignore=True) is overridden.get(override, True)
    member = Member(0, 1, (Target(b"", 0, 7),), ())
    assert all_settled([member], [word]) is not unsettled


def test_the_unused_codes_of_a_word_mean_the_same_to_both() -> None:
    for code in (3, 3 << 4, 3 | 3 << 4):
        word = Word.unpack(code)
        assert is_usable(code)
        assert (word.verdict, word.override) == (Verdict.UNKNOWN, Override.NONE)


@pytest.mark.parametrize("factor", [0, 1, 128, 255])
def test_the_weight_factor_scales_the_weight(factor: int) -> None:
    words = [Word(7, UP, weight_factor=factor).pack(), Word(7, UP).pack()]
    one, full = (Member(n, 10, (Target(b"", n, 7),), ()) for n in (0, 1))
    decision = decide([link([[one, full]])], words, V4)
    weights = {candidate.member.node: candidate.weight for candidate in decision.tiers[0]}
    assert weights == ({1: 2550} if factor == 0 else {0: 10 * factor, 1: 2550})


# --- Against the naive reading ---

healths = st.builds(
    Health,
    verdict=st.sampled_from(["unknown", "up", "down", "down"]),
    override=st.sampled_from(["none", "none", "none", "up", "down"]),
    factor=st.sampled_from([0, 1, 100, 255]),
    unsettled=st.sampled_from([False, False, False, True]),
    foreign=st.sampled_from([False, False, False, False, True]),
)
addresses = st.fixed_dictionaries(
    {4: st.lists(healths, max_size=2), 6: st.lists(healths, max_size=2)}
)
nodes = st.builds(Node, st.just(0), st.sampled_from([0, 0, 1, 7, 100, 1000]), addresses)
pools = st.builds(
    Pool,
    tiers=st.lists(st.lists(nodes, min_size=1, max_size=3), max_size=4),
    answers=st.just(16),
    min_answers=st.integers(1, 5),
    min_up=st.sampled_from([1, 1, 2, 4]),
    near=st.booleans(),
    open=st.booleans(),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pools, max_size=3), st.sampled_from([4, 6]))
def test_the_decision_is_the_naive_one(chain: list[Pool], family: int) -> None:
    links, words = built(chain)
    decision = decide(links, words, family)
    wanted = naive_decide(chain, family)
    assert decision.tiers == () if not wanted.tiers else decision.tiers
    assert [as_naive(tier) for tier in decision.tiers] == wanted.tiers
    assert (decision.pool.number if decision.pool else None) == wanted.pool
    if wanted.pool is not None:
        assert decision.failing_open is wanted.failing_open
    if wanted.tiers:
        assert decision.settled is wanted.settled
    assert list(decision.totals) == [sum(c.weight for c in tier) for tier in decision.tiers]


@settings(max_examples=150, deadline=None)
@given(st.lists(pools, min_size=1, max_size=2), st.integers(1, 4), st.booleans(), st.integers())
def test_the_answers_come_tier_by_tier_and_none_twice(
    chain: list[Pool], answers: int, weighted: bool, value: int
) -> None:
    for pool in chain:
        pool.answers, pool.min_answers = answers, min(pool.min_answers, answers)
    links, words = built(chain, spread=WEIGHTED if weighted else FIRST)
    decision = decide(links, words, V4)
    chosen = pick(decision, mix(1, value))
    assert len({id(candidate.member) for candidate in chosen}) == len(chosen)
    if not decision.tiers:
        assert chosen == []
        return
    pool = chain[decision.pool.number if decision.pool else 0]
    first, available = len(decision.tiers[0]), sum(map(len, decision.tiers))
    from_first = min(answers, first)
    assert len(chosen) == max(from_first, min(pool.min_answers, available))
    assert all(candidate in decision.tiers[0] for candidate in chosen[:from_first])
    if not weighted:
        flat = [candidate for tier in decision.tiers for candidate in tier]
        assert [flat.index(c) for c in chosen] == sorted(flat.index(c) for c in chosen)


def built(chain: list[Pool], *, spread: int = WEIGHTED) -> tuple[list[Link], list[int]]:
    words: list[int] = []
    numbers = count()
    links = []
    for position, pool in enumerate(chain):
        tiers = [[member(node, next(numbers), words) for node in tier] for tier in pool.tiers]
        links.append(
            link(
                tiers,
                answers=pool.answers,
                min_answers=pool.min_answers,
                min_up=pool.min_up,
                near=pool.near,
                open=pool.open,
                spread=spread,
                number=position,
            )
        )
    return links, words


def member(node: Node, number: int, words: list[int]) -> Member:
    node.number = number
    targets: dict[int, list[Target]] = {4: [], 6: []}
    for family, found in node.addresses.items():
        for position, health in enumerate(found):
            tag = len(words) + 1
            targets[family].append(Target(bytes([position]), len(words), tag))
            words.append(packed(health, tag + 1000 if health.foreign else tag))
    return Member(number, node.weight, tuple(targets[4]), tuple(targets[6]))


def packed(health: Health, tag: int) -> int:
    verdict = Verdict[health.verdict.upper()]
    override = Override[health.override.upper()]
    return Word(tag, verdict, health.unsettled, override, health.factor).pack()


def as_naive(tier: tuple[Candidate, ...]) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(c.member.node, c.weight, tuple(a[0] for a in c.addresses)) for c in tier]


# --- Examples ---


@pytest.mark.parametrize(
    ("states", "answers"),
    [
        ("uuu", [0]),
        ("duu", [1]),
        ("ddu", [2]),
        ("ouu", [1]),
        ("ddd", [0]),  # failing open
        ("odd", [1]),  # failing open never ignores an override
        ("ooo", []),
        ("d!d", [1]),
    ],
)
def test_a_listed_pool_fails_over_in_order(states: str, answers: list[int]) -> None:
    listed = link([[member] for member in plain([1, 1, 1])])
    assert answer(decide([listed], words_of(states), V4)) == answers


def test_closed_means_nothing_rather_than_a_dead_node() -> None:
    closed = link([[member] for member in plain([1, 1])], open=False)
    assert decide([closed], words_of("dd"), V4) == choose.NOTHING


def test_failing_open_walks_the_whole_chain_but_revives_nobody_who_is_drained() -> None:
    members = plain([1, 1])
    chain = [link([members[:1]]), link([members[1:]])]
    decision = decide(chain, words_of("od"), V4)
    assert (answer(decision), decision.failing_open, decision.settled) == ([1], True, False)
    assert decide(chain, words_of("oo"), V4) == choose.NOTHING


def test_only_the_first_pools_all_down_counts() -> None:
    members = plain([1, 1])
    first, second = link([members[:1]], open=False), link([members[1:]], open=True)
    assert answer(decide([first, second], words_of("dd"), V4)) == []
    assert answer(decide([second, first], words_of("dd"), V4)) == [1]


def test_a_pool_below_min_up_gives_way_and_is_taken_after_all_if_none_has_enough() -> None:
    members = plain([1, 1, 1])
    chain = [link([members[:2]], min_up=2), link([members[2:]])]
    assert answer(decide(chain, words_of("duu"), V4)) == [2]
    assert answer(decide(chain, words_of("dud"), V4)) == [1]


def test_ttl_is_short_while_a_pool_that_was_passed_over_is_unsettled() -> None:
    members = plain([1, 1])
    chain = [link([members[:1]]), link([members[1:]])]
    fallen = Word(1, DOWN, unsettled=True).pack()
    decision = decide(chain, [fallen, *words_of("u")], V4)
    assert (answer(decision), decision.settled) == ([1], False)
    assert decide(chain, words_of("du"), V4).settled


def both(number: int, v4: bool, v6: bool) -> Member:
    t4 = (Target(b"4", 2 * number, 1),) if v4 else ()
    t6 = (Target(b"6", 2 * number + 1, 1),) if v6 else ()
    return Member(number, 1, t4, t6)


def test_near_a_far_node_with_ipv6_does_not_capture_users() -> None:
    near, far = both(0, True, False), both(1, True, True)
    words = words_of("uuuu")
    assert answer(decide([link([[near], [far]])], words, V6)) == []
    assert answer(decide([link([[near], [far]], near=False)], words, V6)) == [1]


def test_near_within_the_tier_another_node_may_answer_aaaa() -> None:
    tier = [both(0, True, False), both(1, False, True)]
    assert answer(decide([link([tier])], words_of("uuuu"), V6)) == [1]


def test_near_without_any_ipv4_aaaa_stands_alone() -> None:
    tiers = [[both(0, True, False)], [both(1, False, True)]]
    assert answer(decide([link(tiers)], words_of("duuu"), V6)) == [1]
    assert answer(decide([link(tiers)], words_of("duuu"), V4)) == [0]  # failing open


def test_an_empty_chain_and_an_empty_pool_answer_nothing() -> None:
    assert decide([], [], V4) == choose.NOTHING
    assert decide([link([])], [], V6) == choose.NOTHING


def shares(weights: list[int], answers: int = 1, draws: int = 20_000) -> Counter[int]:
    decision = decide([link([plain(weights)], answers=answers)], words_of("u" * len(weights)), V4)
    found: Counter[int] = Counter()
    for value in range(draws):
        found[pick(decision, mix(99, value))[0].member.node] += 1
    return found


@pytest.mark.parametrize("weights", [[1, 1], [100, 50, 25], [1, 999], [5, 0, 5], [0, 0, 0]])
def test_shares_converge_to_the_weights(weights: list[int]) -> None:
    found, effective = shares(weights), weights if any(weights) else [1] * len(weights)
    for number, weight in enumerate(effective):
        expected = weight / sum(effective)
        sigma = (expected * (1 - expected) / 20_000) ** 0.5
        assert abs(found[number] / 20_000 - expected) <= 4.5 * sigma


def test_the_second_of_two_answers_is_drawn_from_the_rest_by_weight() -> None:
    decision = decide([link([plain([100, 10, 30])], answers=2)], words_of("uuu"), V4)
    second: Counter[int] = Counter()
    for value in range(20_000):
        first, then = pick(decision, mix(7, value))
        if first.member.node == 0:
            second[then.member.node] += 1
    assert second[2] / second[1] == pytest.approx(3, rel=0.1)


def test_first_always_answers_the_first() -> None:
    decision = decide([link([plain([1, 1000])], spread=FIRST)], words_of("uu"), V4)
    assert {pick(decision, mix(1, value))[0].member.node for value in range(50)} == {0}


def test_equal_inputs_are_answered_equally_and_draws_need_the_value() -> None:
    decision = decide([link([plain([1] * 8)])], words_of("u" * 8), V4)
    drawn = [pick(decision, mix(3, value))[0].member.node for value in range(100)]
    assert drawn == [pick(decision, mix(3, value))[0].member.node for value in range(100)]
    assert len(set(drawn)) == 8

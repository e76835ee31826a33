"""Rows of places and what follows them: tails, whole rows, groups, empty rows."""

from __future__ import annotations

import pytest
from support.chains import answer, link, plain, words_of

from geodns.snapshot.status import Verdict, Word
from geodns.steering import choose, tables
from geodns.steering.choose import decide
from geodns.steering.tables import TIER_START, V4, WHOLE, Link, PoolTable

UP = Verdict.UP


def test_places_beyond_the_row_come_in_the_order_of_its_first_places_tail() -> None:
    members = plain([1] * 6)
    points = [(0, 0, 0), (9, 0, 0), (0, 8, 0), (0, 0, 7), (6, 0, 0), (3, 4, 0)]
    row = [0 | TIER_START, 2 | TIER_START]
    table = PoolTable(tuple((m,) for m in members), points)
    for states, wanted in (("dduuuu", 2), ("ddduuu", 5), ("dddudd", 3), ("dudddd", 1)):
        assert answer(decide([Link(table, row)], words_of(states), V4)) == [wanted]


def test_equally_far_places_come_by_number() -> None:
    table = PoolTable((), [(0, 0, 0), (0, 5, 0), (3, 4, 0), (5, 0, 0), (0, 0, 1)])
    assert list(table.tail(0)) == [0, 4, 1, 2, 3]


def test_tails_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TAILS_MAX_ITEMS", 12)
    table = PoolTable((), [(n, 0, 0) for n in range(5)])
    for place in (0, 1, 2, 4):
        assert table.tail(place)[0] == place
        assert len(table._tails) <= 2


def far_apart(row: list[int], group: list[int] | None = None, **fields: int) -> Link:
    """Six members on a line, each a place of its own; the row names only some."""
    points = [(n * n, 0, 0) for n in range(6)]
    places = tuple((member,) for member in plain([1] * 6))
    return Link(PoolTable(places, points, **fields), row, group)


def test_a_whole_row_has_no_tail() -> None:
    row = [3 | TIER_START | WHOLE, 1 | TIER_START]
    assert order(far_apart(row), V4) == [3, 1]
    assert not far_apart(row).serves(0)


def test_the_tail_leaves_out_who_is_not_in_the_rows_group() -> None:
    link = far_apart([3 | TIER_START], [0b101010])
    assert order(link, V4) == [3, 1, 5]
    assert [link.serves(place) for place in range(6)] == [False, True] * 3


def test_a_group_may_have_more_words_than_one() -> None:
    link = Link(PoolTable(((),) * 70), [69 | TIER_START], [0, 0, 1 << 5])
    assert [place for place in range(70) if link.serves(place)] == [69]


def order(link: Link, family: int) -> list[int]:
    """Who answers as one after the other of those before fails."""
    found: list[int] = []
    while True:
        words = words_of("".join("o" if n in found else "u" for n in range(6)))
        answered = answer(decide([link], words, family))
        if not answered:
            return found
        found += answered


def test_a_pool_whose_nodes_may_not_serve_the_user_is_passed_over() -> None:
    empty, last = far_apart([], min_up=9), link([plain([1])])
    assert answer(decide([empty, last], words_of("uuuuuu"), V4)) == [0]
    fallen = Word(1, UP, unsettled=True).pack()
    assert decide([empty, last], [*words_of("u"), *[fallen] * 5], V4).settled
    assert decide([empty], words_of("uuuuuu"), V4) == choose.NOTHING
    assert not any(empty.serves(place) for place in range(6))


def test_a_whole_row_never_fails_open_to_who_may_not_serve() -> None:
    link = far_apart([2 | TIER_START | WHOLE])
    assert answer(decide([link], words_of("uuduuu"), V4)) == [2]
    assert answer(decide([link], words_of("uuouuu"), V4)) == []

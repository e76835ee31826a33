"""What every store does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from geodns.errors import Stale
from geodns.store.base import Changed, Record, Store, Token, Write

START = datetime(2026, 11, 1, tzinfo=UTC)
A, B = ("node", ("a",)), ("rrset", ("example.com", r"\047*", "TXT"))
FIRST, SECOND = {"weight": 1}, {"weight": 2, "labels": {"x": "ü\U0001f30d\x00"}}


def put(store: Store, *writes: Write, base: int = 0, note: str = "") -> int:
    return store.commit(writes, base=base, actor="anna", note=note)


def test_a_new_store_is_empty_at_revision_zero(store: Store) -> None:
    assert store.read() == (0, {})
    assert store.history(0, 10) == []
    assert store.tokens() == []


def test_what_is_written_is_read_again(store: Store) -> None:
    assert put(store, Write(*A, FIRST), Write(*B, SECOND)) == 1
    assert store.read() == (1, {A: Record(*A, 1, FIRST), B: Record(*B, 1, SECOND)})


def test_a_record_keeps_the_revision_that_wrote_it_last(store: Store) -> None:
    put(store, Write(*A, FIRST), Write(*B, FIRST))
    put(store, Write(*B, SECOND), base=1)
    revision, records = store.read()
    assert (revision, records[A].revision, records[B].revision) == (2, 1, 2)


def test_a_write_without_body_removes(store: Store) -> None:
    put(store, Write(*A, FIRST))
    assert put(store, Write(*A, None), base=1) == 2
    assert store.read() == (2, {})


def test_keys_of_two_kinds_do_not_meet(store: Store) -> None:
    put(store, Write("node", ("a",), FIRST), Write("pool", ("a",), SECOND))
    put(store, Write("node", ("a",), None), base=1)
    assert list(store.read()[1]) == [("pool", ("a",))]


@pytest.mark.parametrize(
    "writes",
    [
        [],
        [Write(*A, dict(FIRST))],
        [Write(*B, None)],
        [Write(*A, SECOND), Write(*A, FIRST)],
    ],
    ids=["none", "equal body", "removing what is absent", "there and back"],
)
def test_a_write_that_changes_nothing_makes_no_revision(store: Store, writes: list[Write]) -> None:
    put(store, Write(*A, FIRST))
    assert put(store, *writes, base=1) == 1
    assert store.read() == (1, {A: Record(*A, 1, FIRST)})
    assert len(store.history(0, 10)) == 1


def test_of_several_writes_to_one_key_the_last_counts(store: Store) -> None:
    put(store, Write(*A, FIRST), Write(*A, None), Write(*A, SECOND))
    assert store.read()[1][A].body == SECOND


@pytest.mark.parametrize("base", [0, 2])
def test_a_commit_on_another_revision_is_stale_and_writes_nothing(store: Store, base: int) -> None:
    put(store, Write(*A, FIRST))
    with pytest.raises(Stale, match="1"):
        put(store, Write(*A, SECOND), base=base)
    assert store.read() == (1, {A: Record(*A, 1, FIRST)})


def test_a_stale_commit_is_refused_even_if_it_changes_nothing(store: Store) -> None:
    put(store, Write(*A, FIRST))
    with pytest.raises(Stale):
        put(store, Write(*A, FIRST), base=0)


def test_a_commit_that_fails_halfway_writes_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        put(store, Write(*A, FIRST), Write(*B, {"weight": float("nan")}))
    assert store.read() == (0, {})
    assert put(store, Write(*A, FIRST)) == 1


def test_history_tells_who_changed_what_when_and_why(store: Store) -> None:
    put(store, Write(*A, FIRST), note="first")
    put(store, Write(*A, SECOND), Write(*B, FIRST), base=1)
    put(store, Write(*A, None), base=2)
    one, two, three = store.history(0, 10)
    assert (one.number, one.actor, one.note, one.at) == (1, "anna", "first", START)
    assert one.changes == (Changed(*A, None, FIRST),)
    assert two.changes == (Changed(*A, FIRST, SECOND), Changed(*B, None, FIRST))
    assert three.changes == (Changed(*A, SECOND, None),)
    assert three.at == START + timedelta(minutes=2)


def test_history_is_read_in_pages_of_whole_revisions(store: Store) -> None:
    for base in range(5):
        put(store, Write(*A, {"weight": base}), Write(*B, {"weight": base}), base=base)
    assert [entry.number for entry in store.history(1, 2)] == [2, 3]
    assert [len(entry.changes) for entry in store.history(3, 9)] == [2, 2]
    assert store.history(5, 9) == []


def test_everything_is_there_after_opening_again(
    store: Store, open_store: Callable[[], Store]
) -> None:
    put(store, Write(*A, FIRST))
    store.put_token(TOKEN)
    before = (store.read(), store.history(0, 9), store.tokens())
    store.close()
    store.close()
    again = open_store()
    assert (again.read(), again.history(0, 9), again.tokens()) == before


TOKEN = Token("ci", "operator", b"\x01" * 32, START, START + timedelta(days=1))


def test_tokens_are_kept_by_id(store: Store) -> None:
    other = Token("anna", "admin", b"\x02" * 32, START)
    store.put_token(TOKEN)
    store.put_token(other)
    assert store.tokens() == [other, TOKEN]


def test_a_token_takes_the_place_of_one_with_its_id(store: Store) -> None:
    store.put_token(TOKEN)
    renewed = Token("ci", "reader", b"\x03" * 32, START)
    store.put_token(renewed)
    assert store.tokens() == [renewed]


def test_of_writers_on_one_revision_exactly_one_wins(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]

    def write(number: int) -> bool:
        try:
            put(stores[number % 4], Write("node", (f"n{number}",), FIRST))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(write, range(32)))
    revision, records = stores[0].read()
    assert (sum(won), revision, len(records)) == (1, 1, 1)


def test_two_openings_of_one_store_see_each_other(
    store: Store, open_store: Callable[[], Store]
) -> None:
    other = open_store()
    put(store, Write(*A, FIRST))
    assert other.read()[0] == 1
    with pytest.raises(Stale):
        put(other, Write(*A, SECOND))

"""What every store does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from geodns.errors import Stale, Unavailable
from geodns.store.base import Changed, Commit, Entry, Record, Store, Token, Write

START = datetime(2026, 11, 1, tzinfo=UTC)
A, B = ("node", ("a",)), ("rrset", ("example.com", r"\047*", "TXT"))
FIRST, SECOND = {"weight": 1}, {"weight": 2, "labels": {"x": "ü\U0001f30d\x00"}}


def history(store: Store) -> list[Entry]:
    """All revisions, oldest first."""
    return store.audit(before=None, limit=100, revisions=True)[::-1]


def put(store: Store, *writes: Write, base: int = 0, reason: str = "") -> int:
    return store.commit(writes, base=base, actor="anna", reason=reason)


def test_a_new_store_is_empty_at_revision_zero(store: Store) -> None:
    assert store.read() == (0, {})
    assert history(store) == []
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
    assert len(history(store)) == 1


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
    put(store, Write(*A, FIRST), reason="first")
    put(store, Write(*A, SECOND), Write(*B, FIRST), base=1)
    put(store, Write(*A, None), base=2)
    one, two, three = history(store)
    assert (one.revision, one.actor, one.reason, one.at) == (1, "anna", "first", START)
    assert one.changes == (Changed(*A, None, FIRST),)
    assert two.changes == (Changed(*A, FIRST, SECOND), Changed(*B, None, FIRST))
    assert three.changes == (Changed(*A, SECOND, None),)
    assert three.at == START + timedelta(minutes=2)


def test_history_is_read_in_pages_newest_first(store: Store) -> None:
    for base in range(5):
        put(store, Write(*A, {"weight": base}), Write(*B, {"weight": base}), base=base)
    newest = store.audit(before=None, limit=2)
    assert [entry.revision for entry in newest] == [5, 4]
    rest = store.audit(before=newest[-1].number, limit=9)
    assert [(entry.revision, len(entry.changes)) for entry in rest] == [(3, 2), (2, 2), (1, 2)]
    assert store.audit(before=rest[-1].number, limit=9) == []


def test_a_revision_is_found_by_its_number(store: Store) -> None:
    put(store, Write(*A, FIRST))
    put(store, Write(*A, SECOND), base=1)
    found = store.revision(2)
    assert found is not None
    assert found.changes == (Changed(*A, FIRST, SECOND),)
    assert (store.revision(0), store.revision(3)) == (None, None)


def test_every_revision_can_be_seen_as_it_was(store: Store) -> None:
    put(store, Write(*A, FIRST))
    put(store, Write(*A, SECOND), Write(*B, FIRST), base=1)
    put(store, Write(*A, None), base=2)
    store.put_token(TOKEN)
    put(store, Write(*A, FIRST), base=3)
    assert [store.as_of(number) for number in (1, 2, 3, 4, 5, 0)] == [
        {A: FIRST},
        {A: SECOND, B: FIRST},
        {B: FIRST},
        {A: FIRST, B: FIRST},
        None,
        None,
    ]


def test_several_commits_become_durable_together_each_a_revision(store: Store) -> None:
    commits = [
        Commit([Write(*A, FIRST)], "anna", request_id="r1"),
        Commit([Write(*A, dict(FIRST))], "bert"),
        Commit([Write(*A, SECOND)], "carl", "why not", "r3", "prod"),
    ]
    assert store.commit_all(commits, base=0) == [1, 1, 2]
    assert [
        (each.actor, each.reason, each.request_id, each.document) for each in history(store)
    ] == [
        ("anna", "", "r1", None),
        ("carl", "why not", "r3", "prod"),
    ]


def test_of_several_commits_all_are_made_or_none(store: Store) -> None:
    bad = Write(*B, {"weight": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        store.commit_all([Commit([Write(*A, FIRST)], "a"), Commit([bad], "a")], base=0)
    assert store.read() == (0, {})


def test_a_record_remembers_the_document_that_made_it(store: Store) -> None:
    store.commit_all([Commit([Write(*A, FIRST)], "anna", document="prod")], base=0)
    put(store, Write(*A, SECOND), Write(*B, FIRST), base=1)
    records = store.read()[1]
    assert (records[A].made_by, records[B].made_by) == ("prod", None)
    put(store, Write(*A, None), base=2)
    put(store, Write(*A, FIRST), base=3)
    assert store.read()[1][A].made_by is None


def test_the_audit_is_a_chain_that_can_be_verified(store: Store) -> None:
    assert store.verify() is None
    put(store, Write(*A, FIRST))
    store.put_token(TOKEN, actor="anna")
    put(store, Write(*A, SECOND), base=1)
    verified = store.verify()
    assert verified is not None
    entries = store.audit(before=None, limit=9)
    assert (verified.first, verified.last, verified.head) == (1, 3, entries[0].hash)
    assert len({entry.hash for entry in entries}) == 3


def test_the_audit_tells_of_tokens_but_not_their_hash(store: Store) -> None:
    store.put_token(TOKEN, actor="anna", request_id="r1")
    store.put_token(Token("ci", "reader", b"\x03" * 32, START), actor="bert")
    second, first = store.audit(before=None, limit=9)
    expires = {"expires_at": "2026-11-02T00:00:00+00:00"}
    assert (first.revision, first.actor, first.request_id) == (None, "anna", "r1")
    assert first.changes == (Changed("token", ("ci",), None, {"role": "operator", **expires}),)
    (again,) = second.changes
    assert (again.before, again.after) == ({"role": "operator", **expires}, {"role": "reader"})


def test_everything_is_there_after_opening_again(
    store: Store, open_store: Callable[[], Store]
) -> None:
    put(store, Write(*A, FIRST))
    store.put_token(TOKEN)
    before = (store.read(), history(store), store.tokens())
    store.close()
    store.close()
    again = open_store()
    assert (again.read(), history(again), again.tokens()) == before


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


# --- Tokens and notes ---


def test_a_token_is_kept_with_all_that_limits_it(store: Store) -> None:
    ends = START + timedelta(hours=1)
    token = Token(
        "t", "operator", b"\x05" * 32, START, None, ("fra*",), ("*.test",), b"\x06" * 32, ends
    )
    store.put_token(token)
    assert store.token("t") == token
    assert store.token("u") is None
    assert store.damaged_tokens() == []


def test_what_became_of_tokens_is_told_since_a_number(store: Store) -> None:
    store.put_token(TOKEN)
    whole = store.tokens_since(-1)
    assert (whole.whole, whole.tokens) == (True, {"ci": TOKEN})
    assert store.tokens_since(whole.number).tokens == {}
    put(store, Write(*A, FIRST))
    assert store.tokens_since(whole.number).tokens == {}
    other = Token("anna", "reader", b"\x02" * 32, START)
    store.put_token(other)
    store.drop_token("ci")
    news = store.tokens_since(whole.number)
    assert (news.whole, news.tokens) == (False, {"ci": None, "anna": other})
    assert store.tokens_since(news.number).tokens == {}


def test_tokens_that_another_opening_changes_are_news_too(
    store: Store, open_store: Callable[[], Store]
) -> None:
    other, number = open_store(), store.tokens_since(-1).number
    other.put_token(TOKEN)
    assert store.tokens_since(number).tokens == {"ci": TOKEN}


def test_the_last_use_is_kept_for_tokens_that_there_are_and_not_audited(store: Store) -> None:
    store.put_token(TOKEN)
    store.note_uses({"ci": START, "gone": START})
    store.note_uses({"ci": START + timedelta(minutes=1)})
    assert store.uses() == {"ci": START + timedelta(minutes=1)}
    assert len(store.audit(before=None, limit=9)) == 1
    store.drop_token("ci")
    assert store.uses() == {}


def test_a_note_is_an_entry_without_changes(store: Store) -> None:
    store.note([Commit((), "anna", "forbidden: x", "r1"), Commit((), "bert", "y")])
    second, first = store.audit(before=None, limit=9)
    assert (first.actor, first.reason, first.request_id) == ("anna", "forbidden: x", "r1")
    assert (first.revision, first.changes, second.actor) == (None, (), "bert")
    assert store.read() == (0, {})
    assert store.verify() is not None


def test_an_entry_kept_elsewhere_is_found_in_the_chain_or_missed(store: Store) -> None:
    for number in range(3):
        put(store, Write(*A, {"weight": number}), base=number)
    pins = {entry.number: entry.hash for entry in history(store)}
    for number, head in pins.items():
        assert store.verify(head) == store.verify(head, number) == store.verify()
    with pytest.raises(Unavailable, match="no kept entry"):
        store.verify(b"\x01" * 32)
    with pytest.raises(Unavailable, match=r"entry 2 .* replaced"):
        store.verify(pins[1], 2)
    with pytest.raises(Unavailable, match=r"ends with entry 3; entry 4 .* cut off"):
        store.verify(pins[3], 4)

"""Who asks is found in memory, as the store has it, or had it while it cannot be read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.store.base import Store, Token, TokenNews
from geodns.store.keyring import Keyring
from geodns.store.tokens import hash_of_secret

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TOKEN = Token("ci", "operator", hash_of_secret("one"), NOW, NOW + timedelta(days=1))


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(store: Store, clock: Clock) -> Iterator[Keyring]:
    store.put_token(TOKEN)
    keyring = Keyring(store, clock)
    yield keyring
    keyring.close()


@pytest.mark.parametrize("secret", ["", "One", "two", "\ud800", "x" * 4096])
def test_only_the_secret_itself_opens(keyring: Keyring, secret: str) -> None:
    assert keyring.owner("one") == TOKEN
    assert keyring.owner(secret) is None


def test_a_token_opens_until_it_expires(keyring: Keyring, clock: Clock) -> None:
    clock.now = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert keyring.owner("one") == TOKEN
    clock.now = NOW + timedelta(days=1)
    assert keyring.owner("one") is None


def test_changes_by_anybody_count_at_once(
    keyring: Keyring, store: Store, open_store: Callable[[], Store]
) -> None:
    other = open_store()
    two = Token("anna", "reader", hash_of_secret("two"), NOW)
    other.put_token(two)
    assert keyring.owner("two") == two
    store.drop_token("anna")
    assert keyring.owner("two") is None
    narrower = replace(TOKEN, zones=("a.test",))
    other.put_token(narrower)
    assert keyring.owner("one") == narrower
    other.put_token(replace(TOKEN, hash=hash_of_secret("three")))
    assert keyring.owner("one") is None
    assert keyring.owner("three") is not None


def test_an_old_secret_opens_as_long_as_it_may(
    keyring: Keyring, store: Store, clock: Clock
) -> None:
    until = NOW + timedelta(minutes=5)
    old, new = TOKEN.hash, hash_of_secret("two")
    store.put_token(replace(TOKEN, hash=new, old_hash=old, old_until=until))
    assert keyring.owner("one") == keyring.owner("two") != None  # noqa: E711
    clock.now = until
    assert keyring.owner("one") is None
    assert keyring.owner("two") is not None


def test_what_was_forgotten_of_the_audit_does_not_keep_a_token_alive(
    keyring: Keyring, store: Store
) -> None:
    class Pruned:
        """A store whose audit begins anew after all that the keyring has seen."""

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def tokens_since(self, number: int) -> TokenNews:
            return store.tokens_since(-1)

    store.drop_token("ci")
    keyring._store = Pruned()  # type: ignore[assignment]
    assert keyring.owner("one") is None


def test_while_the_store_cannot_be_read_what_it_held_last_counts(
    keyring: Keyring,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(number: int) -> TokenNews:
        raise Unavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "tokens_since", broken)
        assert [keyring.owner("one"), keyring.owner("two")] == [TOKEN, None]
    assert caplog.text.count("the disk is gone") == 1
    store.drop_token("ci")
    assert keyring.owner("one") is None


def test_a_use_is_written_once_a_minute_and_at_the_end(
    keyring: Keyring, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[str, datetime]] = []
    monkeypatch.setattr(store, "note_uses", lambda uses: written.append(dict(uses)))
    for _ in range(3):
        keyring.owner("one")
    deadline_s = time.monotonic() + 10
    while not written and time.monotonic() < deadline_s:
        time.sleep(0.01)
    clock.now = NOW + timedelta(seconds=59)
    keyring.owner("one")
    keyring.close()
    assert written == [{"ci": NOW}]
    clock.now = NOW + timedelta(seconds=60)
    keyring.owner("one")
    keyring.close()
    assert written == [{"ci": NOW}, {"ci": clock.now}]


def test_asking_costs_no_statement_but_a_look_at_the_version(tmp_path: Path) -> None:
    from geodns.store.sqlite import SqliteStore

    store = SqliteStore(tmp_path / "store.db")
    store.put_token(TOKEN)
    keyring = Keyring(store, lambda: NOW)
    asked: list[str] = []
    keyring.owner("one")
    for db in (store._db, store._reader, store._watcher):
        assert isinstance(db, sqlite3.Connection)
        db.set_trace_callback(asked.append)
    for _ in range(5):
        keyring.owner("one")
    for db in (store._db, store._reader, store._watcher):
        db.set_trace_callback(None)
    assert {each for each in asked if "token_use" not in each} == {"PRAGMA data_version"}
    keyring.close()
    store.close()

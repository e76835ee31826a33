"""Every backend there is: the contract suite runs against each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geodns.store.base import Store
from geodns.store.sqlite import SqliteStore

START = datetime(2026, 11, 1, tzinfo=UTC)
Open = Callable[[], Store]


class Clock:
    """A minute passes between two looks."""

    def __init__(self) -> None:
        self.now = START - timedelta(minutes=1)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store anew at each call."""
    opened: list[Store] = []
    backends = {"sqlite": lambda: SqliteStore(tmp_path / "store.db", Clock())}

    def open_again() -> Store:
        opened.append(backends[request.param]())
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> Store:
    return open_store()

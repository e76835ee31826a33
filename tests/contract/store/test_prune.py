"""Old history is forgotten from its beginning; what is kept is whole and can be verified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geodns.store import prune
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore

START = datetime(2026, 1, 1, tzinfo=UTC)


class Days:
    """A day passes between two looks."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now


@pytest.mark.parametrize(
    ("entries", "changes", "kept"), [(5, 1000, 90), (100, 1000, 100), (5, 40, 40), (5, 0, 1)]
)
def test_history_is_kept_by_age_number_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int, changes: int, kept: int
) -> None:
    monkeypatch.setattr(prune, "KEPT_ENTRIES", entries)
    monkeypatch.setattr(prune, "KEPT_CHANGES", changes)
    monkeypatch.setattr("geodns.store.sqlite.PRUNE_EVERY", 200)
    store = SqliteStore(tmp_path / "store.db", Days())
    for base in range(200):
        store.commit([Write("node", (f"n{base % 7}",), {"weight": base})], base=base, actor="a")
    found = store.audit(before=None, limit=1000)
    assert abs(len(found) - kept) <= 1
    verified = store.verify()
    assert verified is not None
    assert (verified.first, verified.last) == (found[-1].number, 200)
    oldest = found[-1].revision
    assert oldest is not None
    assert store.as_of(oldest - 1) is None
    bodies = store.as_of(oldest)
    assert bodies is not None
    assert bodies["node", (f"n{(oldest - 1) % 7}",)] == {"weight": oldest - 1}
    assert store.read()[0] == 200
    store.close()

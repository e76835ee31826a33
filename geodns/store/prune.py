"""What is forgotten of the audit, so that a file does not grow for ever."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

KEPT = timedelta(days=90)
"""How long every entry is kept. Source: no reference; a quarter, as change reviews ask for."""

KEPT_ENTRIES = 1000
"""How many are kept whatever their age. Source: no reference; some 1 MB."""

KEPT_CHANGES = 500_000
"""Most changed resources that are kept. Source: no reference; some 300 MB, five documents of
100,000 RRsets that were written anew."""


FREED_PAGES = 4096
"""Most pages that are given back to the disk at once. Source: no reference; 16 MB, some 50 ms. The
rest is used again."""


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Forget the oldest entries beyond the bounds, with their changes; never the newest."""
    old = _one(db, "SELECT max(number) FROM audit WHERE at < ?", (now - KEPT).isoformat())
    recent = _one(db, "SELECT max(number) FROM audit") - KEPT_ENTRIES
    many = _one(db, "SELECT number FROM change ORDER BY number DESC LIMIT 1 OFFSET ?", KEPT_CHANGES)
    newest = _one(db, "SELECT max(number) FROM audit WHERE revision IS NOT NULL")
    last = min(max(min(old, recent), many), newest - 1)
    if last > 0:
        db.execute("DELETE FROM audit WHERE number <= ?", (last,))
        for _ in range(min(_one(db, "PRAGMA freelist_count"), FREED_PAGES)):
            # One page each: Python steps once through what has no columns.
            db.execute("PRAGMA incremental_vacuum(1)")


def _one(db: sqlite3.Connection, statement: str, *values: object) -> int:
    row = db.execute(statement, values).fetchone()
    return int(row[0] or 0) if row else 0

"""A copy of the store while it runs, and a copy put back while it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from geodns.errors import ConfigError, NotFound, Reason
from geodns.store.base import Verified
from geodns.store.file import REPLACED, connect, create_private, explained, remove, replace, sync
from geodns.store.sqlite import SqliteStore

PAGES_AT_ONCE = 1024
"""Source: sqlite.org/backup.html, steps let writers in between; 4 MB take some 10 ms."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A store that is sound: its revision, its audit's end, and tokens that are not sound."""

    revision: int
    audit: Verified | None
    damaged_tokens: tuple[str, ...]


def backup(store: Path, file: Path, *, head: bytes | None = None) -> Judged:
    """Copy a store, which may be in use, to a file that does not exist.

    Errors: NotFound without a store; ConfigError if the file exists; Unavailable if the store
            is damaged, its audit lacks the entry of hash ``head``, or the file cannot be
            written. Then there is no file.
    """
    if not store.exists():
        raise NotFound([Reason("", "not_found", f"There is no store at {store}.")])
    if file.exists():
        hint = "Name another file, or remove it first."
        raise ConfigError([Reason("", "exists", f"{file} exists.", str(file), hint)])
    draft = file.with_name(f"{file.name}.draft")
    with explained(file):
        remove(draft)
        try:
            _copy(store, draft)
            judged = judge(draft, heal=False, head=head)
            draft.rename(file)
            sync(file)
        finally:
            remove(draft)
    return judged


def restore(file: Path, store: Path) -> int:
    """Put a copy in place of a store that is not in use; its revision.

    Shape:  what was there before stays beside it, with the ending ``replaced``.
    Errors: NotFound without the copy; Unavailable if it is no store, or a damaged one; then
            nothing is changed.
    """
    if not file.exists():
        raise NotFound([Reason("", "not_found", f"There is no file {file}.")])
    draft = store.with_name(f"{store.name}.draft")
    with explained(store):
        remove(draft)
        try:
            _copy(file, draft)
            revision = judge(draft, heal=True).revision
            replace(store, draft, REPLACED)
        finally:
            remove(draft)
    return revision


def judge(file: Path, *, heal: bool, head: bytes | None = None) -> Judged:
    """What there is to say of a store that is sound, or heals, and whose audit holds ``head``.

    Errors: Unavailable.
    """
    store = SqliteStore(file, heal=heal)
    try:
        revision, _ = store.read()
        return Judged(revision, store.verify(head), tuple(store.damaged_tokens()))
    finally:
        store.close()


def _copy(source: Path, target: Path) -> None:
    create_private(target)
    with closing(connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("PRAGMA query_only = ON")
        # As of one moment: a copy begins anew with each write that it sees, and might never end.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        old.backup(new, pages=PAGES_AT_ONCE, sleep=0)
    sync(target)

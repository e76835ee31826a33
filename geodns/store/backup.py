"""A copy of the store while it runs, and a copy put back while it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from geodns.errors import ConfigError, NotFound, Reason
from geodns.store.base import Verified
from geodns.store.file import connect, create_private, explained, put_aside, remove, sync
from geodns.store.sqlite import SqliteStore

PAGES_AT_ONCE = 1024
"""Source: sqlite.org/backup.html, steps let writers in between; 4 MB take some 10 ms."""


def backup(store: Path, file: Path) -> tuple[int, Verified | None]:
    """Copy a store, which may be in use, to a file that does not exist; its revision.

    Errors: NotFound without a store; ConfigError if the file exists; Unavailable if the store
            is damaged or the file cannot be written. Then there is no file.
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
            judged = judge(draft, heal=False)
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
            revision, _ = judge(draft, heal=True)
            if store.exists():
                put_aside(store, "replaced")
            draft.rename(store)
            sync(store)
        finally:
            remove(draft)
    return revision


def judge(file: Path, *, heal: bool) -> tuple[int, Verified | None]:
    """The revision of a store that is wholly sound, or heals, and its audit's end.

    Errors: Unavailable.
    """
    store = SqliteStore(file, heal=heal)
    try:
        revision, _ = store.read()
        return revision, store.verify()
    finally:
        store.close()


def _copy(source: Path, target: Path) -> None:
    create_private(target)
    with closing(connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("PRAGMA query_only = ON")
        old.backup(new, pages=PAGES_AT_ONCE, sleep=0)
    sync(target)

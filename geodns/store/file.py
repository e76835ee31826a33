"""The store's file: opened, mended if its own history can, its errors told with a remedy."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geodns.errors import Unavailable
from geodns.store.salvage import readable, rebuild
from geodns.store.schema import prepare

log = logging.getLogger("geodns.store")

BUSY_TIMEOUT_S = 5.0
"""How long to wait for another process that writes. Source: no reference; a backup of a few
megabytes takes well under a second, and an API client waits longer than this."""

DAMAGED, REPLACED = ENDINGS = ("damaged", "replaced")
"""What a file is called that another has taken the place of."""

SIDES = ("-wal", "-shm")
"""What SQLite keeps beside a file in WAL mode."""


def mend(path: Path, *, heal: bool) -> sqlite3.Connection:
    """The file's connection for writing; a damaged file is rebuilt first, if that loses nothing
    and ``heal`` allows it.

    Errors: Unavailable.
    """
    with explained(path):
        for ending in ENDINGS:
            _end_replacing(path, ending)
        create_private(path)
        try:
            return _prepared(path)
        except sqlite3.DatabaseError as error:
            if not (heal and is_damage(error) and _rebuilt(path)):
                raise
        return _prepared(path)


def is_there(path: Path) -> bool:
    """Whether something stands in the file's place that could be a store, sound or not."""
    if any(_coming(path, ending).exists() for ending in ENDINGS):
        return True
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def connect(path: Path, timeout_s: float | None = None) -> sqlite3.Connection:
    """A connection that any thread may use. Errors: Unavailable."""
    timeout_s = BUSY_TIMEOUT_S if timeout_s is None else timeout_s
    with explained(path):
        db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
        db.text_factory = readable
        return db


def _prepared(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _rebuilt(path: Path) -> bool:
    """Put a sound file in place of a damaged one, which stays beside it."""
    draft = path.with_name(f"{path.name}.draft")
    remove(draft)
    create_private(draft)
    try:
        _prepared(draft).close()
        if not rebuild(path, draft):
            return False
        replace(path, draft, DAMAGED)
    except sqlite3.DatabaseError:
        return False
    finally:
        remove(draft)
    log.error("%s was damaged and is rebuilt from its history; see %s.damaged", path, path.name)
    return True


def replace(path: Path, draft: Path, ending: str) -> None:
    """Put a file of SQLite in place of another, of which all stays beside it with the ending.

    Shape: a log that belongs to one file would spoil the other, and three names cannot change at
           once. So what is to come has a name of its own first: if all ends in between, the next
           opening goes on from there.
    """
    remove(_beside(path, ending))
    sync(draft)
    draft.rename(_coming(path, ending))
    sync(_coming(path, ending))
    _end_replacing(path, ending)


def _end_replacing(path: Path, ending: str) -> None:
    coming, aside = _coming(path, ending), _beside(path, ending)
    if not coming.exists():
        return
    for side in SIDES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{side}", f"{aside}{side}")
    if path.exists() and not aside.exists():
        aside.hardlink_to(path)
    coming.rename(path)
    sync(path)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _coming(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.next.{ending}")


def remove(path: Path) -> None:
    """Remove a file of SQLite with what stands beside it, if it is there."""
    for side in ("", *SIDES):
        Path(f"{path}{side}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file and its name durable."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def create_private(path: Path) -> None:
    """Make the file before SQLite would, with a mode that keeps others out from the start."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        path.chmod(0o600)
        return
    sync(path)


# --- Errors ---


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite or the system says into Unavailable."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _unavailable(path, error) from error


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Whether the file is to blame: what quick_check finds has no code of its own."""
    return type(error) is sqlite3.DatabaseError and _code(error) in (
        None,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def damaged(path: Path, what: str) -> Unavailable:
    """The error for a file that cannot be mended."""
    return Unavailable(f"{path} is damaged: {what}. Move it away and restore a backup.")


def _code(error: sqlite3.Error | OSError) -> int | None:
    # The low byte is the primary code (sqlite.org/rescode.html).
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _unavailable(path: Path, error: sqlite3.Error | OSError) -> Unavailable:
    """What SQLite or the system said, with what to do about it."""
    if is_damage(error):
        return damaged(path, str(error))
    if path.is_dir():
        return Unavailable(f"{path} is a directory. Move it away and restore a backup.")
    remedy = "Check that the data directory exists and can be written."
    return Unavailable(f"{path} cannot be used: {error}. {_REMEDIES.get(_code(error), remedy)}")


_REMEDIES: dict[int | None, str] = {
    sqlite3.SQLITE_FULL: "Nothing was changed. Make room on the disk and try again.",
    sqlite3.SQLITE_IOERR: "Nothing was changed. Check the disk and its free space.",
    sqlite3.SQLITE_BUSY: "Another process is writing to it; try again.",
}

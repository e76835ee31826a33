"""The store of a data directory: opened, unless its absence would be taken for an empty one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from geodns.daemon.places import STORE
from geodns.errors import Unavailable
from geodns.snapshot.manifest import read_manifest
from geodns.store.base import Commit
from geodns.store.file import is_there
from geodns.store.sqlite import SqliteStore


class TimedStore(SqliteStore):
    """A store that tells how long each commit took."""

    def __init__(self, path: Path, timed: Callable[[float], None]) -> None:
        super().__init__(path)
        self._timed = timed

    def commit_all(self, commits: Sequence[Commit], *, base: int) -> list[int]:
        """As `SqliteStore.commit_all`."""
        begun_s = time.monotonic()
        revisions = super().commit_all(commits, base=base)
        self._timed(time.monotonic() - begun_s)
        return revisions


def open_store(data: Path, timed: Callable[[float], None]) -> SqliteStore:
    """The store, made anew only where nothing has been served yet.

    Errors: Unavailable, also if it is gone: an empty one in its place would seem to say that
            nothing is configured.
    """
    path = data / STORE
    manifest, _ = read_manifest(data)
    if manifest is not None and not is_there(path):
        raise Unavailable(
            f"{path} is gone or empty, but generation {manifest.generation} was made from it. "
            "Put it back, or restore a backup with geodns restore; to begin with nothing, remove "
            "manifest and manifest.prev beside it, too."
        )
    return TimedStore(path, timed)

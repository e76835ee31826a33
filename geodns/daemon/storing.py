"""The store of a data directory: opened, unless its absence would be taken for an empty one."""

from __future__ import annotations

from pathlib import Path

from geodns.daemon.places import STORE
from geodns.errors import Unavailable
from geodns.snapshot.manifest import read_manifest
from geodns.store.file import is_there
from geodns.store.sqlite import SqliteStore


def open_store(data: Path) -> SqliteStore:
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
    return SqliteStore(path)

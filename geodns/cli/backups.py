"""``backup``, ``restore`` and ``doctor``: the store as a whole, without the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from geodns.cli.options import DataDirOption
from geodns.cli.output import write_lines

BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The copy of the store.")]


def backup(file: BackupArgument, data_dir: DataDirOption = None) -> None:
    """Copy configuration, history, audit and tokens to a file; the server may run."""
    from geodns.store.backup import backup as copy

    revision, _ = copy(_store(data_dir), file)
    write_lines([f"revision {revision} is in {file}"])


def restore(file: BackupArgument, data_dir: DataDirOption = None) -> None:
    """Put a backup in place of the store; the server must be stopped."""
    from geodns.daemon.places import hold
    from geodns.store.backup import restore as put_back

    store = _store(data_dir)
    lock = hold(store.parent)
    try:
        revision = put_back(file, store)
    finally:
        os.close(lock)
    write_lines([f"revision {revision} is in {store}; start the server to serve it"])


def doctor(data_dir: DataDirOption = None) -> None:
    """Verify the store: every record, and the chain of the audit; the server may run."""
    import tempfile

    from geodns.store.backup import backup as copy

    with tempfile.TemporaryDirectory() as directory:
        revision, audit = copy(_store(data_dir), Path(directory) / "store.db")
    write_lines([f"store: sound, revision {revision}"])
    if audit is not None:
        write_lines([f"audit: entries {audit.first} to {audit.last} verified, "
                     f"head {audit.head.hex()}"])  # fmt: skip


def _store(data_dir: Path | None) -> Path:
    from geodns.cli.connection import directory_of

    return directory_of(data_dir, os.environ) / "store.db"

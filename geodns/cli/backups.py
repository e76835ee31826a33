"""``backup``, ``restore`` and ``doctor``: the store as a whole, without the API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from geodns.cli.options import DataDirOption
from geodns.cli.output import write_lines
from geodns.cli.progress import polled, working
from geodns.errors import ConfigError, Reason, Unavailable

HASH_OCTETS = 32

BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The copy of the store.")]


def backup(file: BackupArgument, data_dir: DataDirOption = None) -> None:
    """Copy configuration, history, audit and tokens to a file; the server may run."""
    from geodns.store.backup import backup as copy

    store = _store(data_dir)
    with _copying(store, file):
        judged = copy(store, file)
    write_lines([f"revision {judged.revision} is in {file}"])


def restore(file: BackupArgument, data_dir: DataDirOption = None) -> None:
    """Put a backup in place of the store; the server must be stopped."""
    from geodns.daemon.places import hold
    from geodns.store.backup import restore as put_back

    store = _store(data_dir)
    lock = hold(store.parent)
    try:
        with _copying(file, store):
            revision = put_back(file, store)
    finally:
        os.close(lock)
    write_lines([f"revision {revision} is in {store}; start the server to serve it"])


def doctor(
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", show_default=False,
                     help="A hash that doctor told before: the audit must still hold it."),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Verify the store: every record, and the chain of the audit; the server may run."""
    import tempfile

    from geodns.store.backup import backup as copy

    pinned = None if head is None else _hash(head)
    with tempfile.TemporaryDirectory() as directory:
        store, draft = _store(data_dir), Path(directory) / "store.db"
        with _copying(store, draft):
            judged = copy(store, draft, head=pinned)
    write_lines([f"store: sound, revision {judged.revision}"])
    if audit := judged.audit:
        write_lines([f"audit: entries {audit.first} to {audit.last} verified, "
                     f"head {audit.head.hex()}"])  # fmt: skip
    if judged.damaged_tokens:
        hint = "End them and make them anew; until then they count for nothing."
        raise Unavailable([
            Reason("", "damaged", f"The token {each} is damaged.", hint=hint)
            for each in judged.damaged_tokens
        ])  # fmt: skip


@contextmanager
def _copying(source: Path, target: Path) -> Iterator[None]:
    """Show how much of the copy is there, then that it is verified."""
    draft = target.with_name(f"{target.name}.draft")

    def look() -> None:
        done, total = draft.stat().st_size, source.stat().st_size
        told.step(*("copying", done, total) if done < total else ("verifying",))

    with working("copying") as told, polled(look) if told.is_shown else nullcontext():
        yield


def _hash(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != HASH_OCTETS:
        raise ConfigError([Reason("", "bad_parameter", "--head is 64 hex digits.", text[:200])])
    return digest


def _store(data_dir: Path | None) -> Path:
    from geodns.cli.connection import directory_of

    return directory_of(data_dir, os.environ) / "store.db"

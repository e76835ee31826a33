"""``geo update``: a newer geo database, judged before it takes the old one's place.

The old file is never written into, for somebody may have it mapped: the new one is made beside it,
looked through, and renamed; its predecessor stays as ``.prev``.
"""

from __future__ import annotations

import os
import random
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from geodns.cli.geo import named
from geodns.cli.options import GeoDbOption
from geodns.cli.output import write_lines
from geodns.cli.progress import Working, working
from geodns.errors import ConfigError, Conflict, Reason, Unavailable, UnsafePlan

if TYPE_CHECKING:
    from geodns.geo.database import GeoDatabase

MONTHLY = "https://download.db-ip.com/free/dbip-city-lite-{:%Y-%m}.mmdb.gz"
"""DB-IP City Lite (CC BY 4.0), of which there is a new one each month."""

SIZE_MAX_OCTETS = 2**30
"""Source: no reference; the largest City databases have some 150 MB, unpacked."""

CHUNK_OCTETS = 2**18
FETCH_TIMEOUT_S = 30.0
"""Source: no reference; for each read, however long the whole takes."""

SAMPLES = 2000
MOVED_KM = 500.0
MOVED_MAX_SHARE = 0.05
"""Source: no reference; two vendors differ by as much for one address in four, two editions of one
vendor for one in a hundred."""

LOST_MAX_SHARE = 0.3
"""Of what was found before. Source: no reference; as much as the brakes let a pool lose."""


def update(
    source: Annotated[
        str | None,
        typer.Argument(metavar="FILE|URL", show_default=False, help="A database, .gz too. Default: "
                       "this month's DB-IP City Lite (CC BY 4.0)."),
    ] = None,
    geo_db: GeoDbOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if it is older, or much has moved.")
    ] = False,
) -> None:  # fmt: skip
    """Put a newer database where the server reads it; restart the server to steer by it."""
    target = geo_db or named("GEO_DB")
    if target is None:
        hint = "Give --geo-db FILE, and start the server with the same."
        detail = "The database that comes with geodns is not replaced."
        raise ConfigError([Reason("", "no_target", detail, hint=hint)])
    found = source or MONTHLY.format(datetime.now(UTC))
    draft = target.with_name(f"{target.name}.draft")
    try:
        with _alone(target), working(f"reading {found}") as told:
            with _opened(found) as (stream, total):
                _copy(stream, draft, found, total, told)
            told.step("judging")
            built = _judge(draft, target, force)
            _put(draft, target)
    except OSError as error:
        raise Unavailable(f"{error.filename or target}: {error.strerror or error}.") from None
    finally:
        draft.unlink(missing_ok=True)
    write_lines([f"{target} is of {built}; restart the server to steer by it"])


# --- Getting it ---


@contextmanager
def _opened(source: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """The source's octets, and how many there are if that is known."""
    if "://" not in source:
        path = Path(source)
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    if not source.startswith("https://"):
        raise ConfigError(f"{source} is not fetched: write a file, or a URL with https.")
    import http.client
    import urllib.request

    try:
        with urllib.request.urlopen(source, timeout=FETCH_TIMEOUT_S) as reply:
            length = reply.headers.get("Content-Length", "")
            yield reply, int(length) if length.isdecimal() else None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unavailable(f"{source} cannot be fetched: {error}.") from None


def _copy(stream: IO[bytes], draft: Path, source: str, total: int | None, told: Working) -> None:
    """Write it out, unpacked. Errors: ConfigError if it is too large, or packed wrongly."""
    unpack = zlib.decompressobj(wbits=31) if source.endswith(".gz") else None
    read = written = 0
    with draft.open("wb") as file:
        while octets := stream.read(CHUNK_OCTETS):
            read += len(octets)
            told.step(f"reading {source}", read, total)
            while octets:
                try:
                    part = unpack.decompress(octets, CHUNK_OCTETS) if unpack else octets
                except zlib.error as error:
                    raise ConfigError(f"{source} cannot be unpacked: {error}.") from None
                octets = unpack.unconsumed_tail if unpack else b""
                written += file.write(part)
                if written > SIZE_MAX_OCTETS:
                    raise ConfigError(f"{source} has more than {SIZE_MAX_OCTETS} octets.")
        file.flush()
        os.fsync(file.fileno())
    if (total is not None and read != total) or (unpack and not unpack.eof):
        raise Unavailable(f"{source} broke off after {read} octets.")


# --- Judging it ---


def _judge(draft: Path, target: Path, force: bool) -> date:
    """When it was built. Errors: ConfigError if it is none; UnsafePlan if it is a step back."""
    from geodns.geo.database import open_database, read_database

    read_database(draft).tree()  # all of it, as the server will read it
    with open_database(draft) as new:
        if target.exists() and not force:
            with suppress(ConfigError), open_database(target) as old:  # a damaged one is replaced
                if faults := list(_steps_back(old, new)):
                    raise UnsafePlan(faults)
        return new.info.build_date


def _steps_back(old: GeoDatabase, new: GeoDatabase) -> Iterator[Reason]:
    hint = "If this is meant, repeat it with --force."
    if new.info.build_epoch < old.info.build_epoch:
        detail = f"It is of {new.info.build_date}, the one in place of {old.info.build_date}."
        yield Reason("", "older", detail, hint=hint)
    before, lost, moved = _compared(old, new)
    if before and lost / before > LOST_MAX_SHARE:
        detail = f"It lacks {lost / before:.0%} of what the one in place knows."
        yield Reason("", "shrunken", detail, hint=hint)
    if before and moved / before > MOVED_MAX_SHARE:
        detail = f"{moved / before:.0%} of addresses move by more than {MOVED_KM:g} km."
        yield Reason("", "moved", detail, hint=hint)


def _compared(old: GeoDatabase, new: GeoDatabase) -> tuple[int, int, int]:
    """Of random addresses: how many were known, are no more, are far from where they were."""
    from geodns.geo.distance import great_circle_km

    draw = random.Random(1)
    known = lost = moved = 0
    for _ in range(SAMPLES):
        address = str(IPv4Address(draw.getrandbits(32)))
        was, now = old.lookup(address), new.lookup(address)
        known += was is not None
        lost += was is not None and now is None
        if was is not None and now is not None:
            moved += great_circle_km(was.latitude, was.longitude, now.latitude, now.longitude) > (
                MOVED_KM
            )
    return known, lost, moved


# --- Putting it in place ---


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Errors: Conflict while another update is under way."""
    import fcntl

    with target.with_name(f"{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"Another update of {target} is under way.") from None
        yield


def _put(draft: Path, target: Path) -> None:
    if target.exists():
        kept = target.with_name(f"{target.name}.prev")
        kept_draft = kept.with_name(f"{kept.name}.draft")
        shutil.copyfile(target, kept_draft)
        kept_draft.replace(kept)
        shutil.copymode(target, draft)
    draft.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)

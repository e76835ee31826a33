"""``drain`` and ``undrain``: through the API when it answers, else by a file."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodns.cli import completion
from geodns.cli.options import DataDirOption
from geodns.cli.output import warn, write_lines
from geodns.cli.resources import path_of
from geodns.errors import ConfigError, NotFound, Reason, Unavailable

if TYPE_CHECKING:
    from geodns.snapshot.drains import Drain

PATIENCE_S = 3.0
"""How long the API may take before the file is written. Source: no reference; ten times the
longest write of a healthy API."""

DURATION_MAX_S = 366 * 86_400

WhomArgument = Annotated[
    str,
    typer.Argument(metavar="node=ID|site=NAME", help="A node, or all with this label site.",
                   autocompletion=completion.selectors),
]  # fmt: skip


def drain(
    whom: WhomArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")],
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="How long, like 90s, 30m, 1h, 2d. "
                     "Default: until undrain.", show_default=False),
    ] = None,
    begins: Annotated[
        str, typer.Option("--in", metavar="TIME", help="When to begin; short TTLs come before.")
    ] = "0s",
    force: Annotated[
        bool, typer.Option("--force", help="Even if a pool without fallback is left empty.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Send users elsewhere, gently; the node's real health stays visible."""
    from geodns.model.override import instant

    field, value = _whom(whom)
    # Whole seconds, and never in the future by rounding: "now" is now.
    from_ms = (int(time.time()) + seconds(begins)) * 1000
    times = {"from": instant(from_ms)}
    if lasts is not None:
        times["until"] = instant(from_ms + seconds(lasts) * 1000)
    entry = _drain({field: value, "reason": reason, **times})
    body = {"match": _match(field, value), "state": "down", "reason": reason, **times}
    params = {"force": "true", "reason": reason} if force else {}
    try:
        with _api(data_dir) as client:
            made = client.request("PUT", path_of("overrides", entry.id), body, params).body
    except Unavailable as error:
        _by_file(data_dir, entry, error, force)
        return
    _settle(data_dir, entry.id)
    warn(made.get("warnings", []))
    write_lines([_told(entry)])


def undrain(whom: WhomArgument, data_dir: DataDirOption = None) -> None:
    """End a drain; the weight comes back by and by."""
    field, value = _whom(whom)
    entry = _drain({field: value, "reason": "undrain", "lifted": True})
    found = _settle(data_dir, entry.id)
    try:
        with _api(data_dir) as client:
            client.request("DELETE", path_of("overrides", entry.id))
    except NotFound:
        if not found:
            raise NotFound(f"{whom} is not drained; geodns override list tells what is.") from None
    except Unavailable as error:
        _write(data_dir, entry)
        warn([_view(error, "the drain is lifted by the file drains")])
    write_lines([f"{whom} undrained"])


def seconds(text: str) -> int:
    """A duration of the command line. Errors: ConfigError with the form."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    length = int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]] if found else -1
    if not 0 <= length <= DURATION_MAX_S:
        detail = f'"{text[:40]}" is no duration up to 366d; write it like 90s, 30m, 1h or 2d.'
        raise ConfigError([Reason("", "bad_duration", detail)])
    return length


# --- The file ---


def _by_file(data_dir: Path | None, entry: Drain, error: Unavailable, force: bool) -> None:
    if not force:
        _judge(_directory(data_dir), entry)
    _write(data_dir, entry)
    warn([_view(error, "the health process reads the file drains instead")])
    write_lines([_told(entry)])


def _judge(directory: Path, entry: Drain) -> None:
    """What the API would have said, by the store it leaves behind.

    Errors: UnsafePlan if a pool would be empty, ConfigError if there is no such node.
    """
    from dataclasses import replace

    from geodns.document.overrides import override_brakes, override_warnings
    from geodns.document.references import unknown_references
    from geodns.errors import UnsafePlan
    from geodns.model.override import Override
    from geodns.store.configuration import to_config
    from geodns.store.sqlite import SqliteStore

    path = directory / "store.db"
    if not path.exists():
        raise Unavailable(f"No server keeps its data in {directory}: it has no {path.name}.")
    store = SqliteStore(path)
    try:
        before = to_config(store.read()[1].values())
    finally:
        store.close()
    field, value = ("node", entry.node) if entry.node else ("site", entry.site or "")
    override = Override.model_validate(
        {
            "match": _match(field, value or ""),
            "state": "down",
            "reason": entry.reason,
            "from": entry.from_,
            "until": entry.until,
        },
        strict=False,
    )
    after = replace(before, overrides={**before.overrides, entry.id: override})
    if faults := [each for each in unknown_references(after) if entry.id in each.pointer]:
        raise ConfigError(faults)
    if held := list(override_brakes(before, after)):
        raise UnsafePlan(held)
    told = [each for each in override_warnings(after) if entry.id in each.pointer]
    warn([{"pointer": "", "code": each.code, "detail": each.detail} for each in told])


def _write(data_dir: Path | None, entry: Drain) -> None:
    from geodns.snapshot.drains import change_drains

    def put(before: tuple[Drain, ...]) -> tuple[Drain, ...]:
        return (*(each for each in before if each.id != entry.id), entry)

    change_drains(_directory(data_dir), put)


def _settle(data_dir: Path | None, entry_id: str) -> bool:
    """Take an entry out of the file, for the API speaks for it; whether it was a drain."""
    from geodns.snapshot.drains import FILE_NAME, change_drains, read_drains

    directory = _directory(data_dir)
    if not (directory / FILE_NAME).exists():
        return False
    found = [each for each in read_drains(directory) if each.id == entry_id]
    if found:
        change_drains(directory, lambda all_: tuple(e for e in all_ if e.id != entry_id))
    return any(not each.lifted for each in found)


# --- Helpers ---


def _api(data_dir: Path | None) -> Any:
    from geodns.cli.connection import connect

    return connect(data_dir, answer_timeout_s=PATIENCE_S)


def _directory(data_dir: Path | None) -> Path:
    from geodns.cli.connection import directory_of

    return directory_of(data_dir, os.environ)


def _whom(text: str) -> tuple[str, str]:
    field, separate, value = text.partition("=")
    if not separate or field not in ("node", "site") or not value:
        detail = f'"{text[:80]}" names nobody; write node=ID or site=NAME.'
        raise ConfigError([Reason("", "bad_form", detail)])
    return field, value


def _match(field: str, value: str) -> dict[str, Any]:
    return {"nodes": [value]} if field == "node" else {"labels": {"site": [value]}}


def _drain(fields: dict[str, Any]) -> Drain:
    """An entry of the file. Errors: ConfigError in words."""
    from pydantic import ValidationError

    from geodns.snapshot.drains import Drain

    try:
        return Drain.model_validate(fields)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise ConfigError(
            Reason("/" + "/".join(map(str, each["loc"])), "bad_value", each["msg"] + ".")
            for each in faults
        ) from None


def _view(error: Unavailable, instead: str) -> dict[str, Any]:
    return {"pointer": "", "code": "no_api", "detail": f"{error}: {instead}."}


def _told(entry: Drain) -> str:
    whom = f"node={entry.node}" if entry.node else f"site={entry.site}"
    until = f" until {entry.until}" if entry.until else f"; geodns undrain {whom} ends it"
    return f"{whom} drained from {entry.from_}{until}"

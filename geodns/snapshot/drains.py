"""Drains that need no API: ``<data-dir>/drains``, written by the command line.

The health process reads the file when it changes. An entry stands above the override of the same
id in the generation: one that is ``lifted`` undoes it.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geodns.errors import ConfigError, Reason, Unavailable
from geodns.model.base import ID_PATTERN, Id
from geodns.model.override import Instant, Text, unix_ms
from geodns.snapshot.manifest import write_durably
from geodns.snapshot.overrides import SITE, Book, Rule

FILE_NAME = "drains"
LOCK_NAME = "drains.lock"
FILE_MAX_BYTES = 2**20
DRAINS_MAX = 1000
"""Source: no reference; an operator in need drains sites, not thousands of nodes."""


class Drain(BaseModel):
    """A node or a site that is to be left alone, or no longer (``lifted``)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, serialize_by_alias=True, populate_by_name=True
    )

    node: Id | None = None
    site: str | None = Field(default=None, max_length=63)
    reason: Text
    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    lifted: bool = False

    @property
    def id(self) -> str:
        """The id of the override that it is to the API."""
        return drain_id("node", self.node) if self.node else drain_id(SITE, self.site or "")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: int = Field(ge=1, le=1)
    drains: tuple[Drain, ...] = Field(max_length=DRAINS_MAX)


def drain_id(field: str, value: str) -> str:
    """The id of the override by which a node or a site is drained; one for each."""
    plain = f"drain-{field}-{value}"
    if re.fullmatch(ID_PATTERN, plain):
        return plain
    return f"drain-{field}-{blake2b(value.encode(), digest_size=8).hexdigest()}"


def read_drains(data_dir: Path) -> tuple[Drain, ...]:
    """All entries; none without a file.

    Errors: ConfigError when the file is not what we write, Unavailable when it cannot be read.
    """
    path = data_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_MAX_BYTES + 1)
        return _File.model_validate_json(octets).drains
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        detail = f"{path} is damaged: {where}{': ' if where else ''}{first['msg']}."
        hint = "Remove it and drain again."
        raise ConfigError([Reason("", "bad_file", detail, hint=hint)]) from None


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What differs whenever a file has been replaced; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def change_drains(
    data_dir: Path, change: Callable[[tuple[Drain, ...]], tuple[Drain, ...]]
) -> tuple[Drain, ...]:
    """Replace the entries, whole and durably; one writer at a time.

    Errors: as `read_drains`; ConfigError when they become too many.
    """
    try:
        with _locked(data_dir / LOCK_NAME):
            before = read_drains(data_dir)
            drains = change(before)
            if len(drains) > DRAINS_MAX:
                raise ConfigError(f"More than {DRAINS_MAX} drains; drain whole sites instead.")
            if drains != before:
                items = [drain.model_dump(mode="json", exclude_defaults=True) for drain in drains]
                text = json.dumps({"format": 1, "drains": items}, indent=1)
                write_durably(data_dir / FILE_NAME, text.encode())
    except OSError as error:
        path = data_dir / FILE_NAME
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from None
    return drains


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def rules(book: Book, drains: tuple[Drain, ...]) -> tuple[Rule, ...]:
    """All that holds nodes: the generation's overrides, but for those that the file replaces."""
    named = {drain.id for drain in drains}
    kept = tuple(rule for rule in book.overrides if rule.id not in named)
    return kept + tuple(_rule(book, drain) for drain in drains if not drain.lifted)


def _rule(book: Book, drain: Drain) -> Rule:
    return Rule(
        id=drain.id,
        state="down",
        rank=3 if drain.node else 2,
        reason=drain.reason,
        nodes=(drain.node,) if drain.node else book.sites.get(drain.site or "", ()),
        from_ms=unix_ms(drain.from_) if drain.from_ else None,
        until_ms=unix_ms(drain.until) if drain.until else None,
    )

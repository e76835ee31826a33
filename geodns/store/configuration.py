"""Records ↔ Config: what is stored is each resource's body without its defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from geodns.document.changes import touched
from geodns.document.resources import KINDS, Item, collect, pointer, whole_body
from geodns.errors import ConfigError, Reason
from geodns.model.base import read
from geodns.model.config import Config
from geodns.store.base import Record, Write


def to_config(records: Iterable[Record]) -> Config:
    """The Config that the records hold, each kind ordered by key.

    Errors: ConfigError with every record that cannot be read, as when a newer geodns wrote it.
    """
    reasons: list[Reason] = []
    items: list[Item] = []
    for record in sorted(records, key=lambda record: (record.kind, record.key)):
        try:
            items.append(_item(record))
        except ConfigError as error:
            reasons.extend(error.reasons)
    if reasons:
        raise ConfigError(reasons)
    return collect(items)


def to_writes(before: Config, after: Config) -> list[Write]:
    """What must be written so that a store that holds ``before`` holds ``after``."""
    return list(_writes(before, after))


def _writes(before: Config, after: Config) -> Iterator[Write]:
    for kind, key, old, new in touched(before, after):
        if new is None:
            yield Write(kind, key, None)
        elif old is None or (old != new and whole_body(old) != whole_body(new)):
            # Resources also differ by which defaults were written out, which is not stored.
            yield Write(kind, key, whole_body(new))


def _item(record: Record) -> Item:
    at = "/" + record.kind
    if record.kind not in KINDS:
        raise ConfigError([Reason(at, "unknown_kind", f"{record.kind} is unknown here.")])
    at = pointer(record.kind, record.key)
    return Item(record.kind, record.key, read(KINDS[record.kind], record.body, at))

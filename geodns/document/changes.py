"""What differs between two Configs, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress, islice
from operator import is_not, or_
from typing import Any, Literal, NamedTuple

from geodns.document.resources import KINDS, Key, body, of_kind, pointer
from geodns.model.base import Resource
from geodns.model.config import Config

ChangeKind = Literal["add", "change", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that was added, changed or removed.

    Shape: ``before`` and ``after`` are bodies without defaults; None where it is absent.
           A zone's body holds its own fields; its steers and RRsets are resources of their own.
    """

    pointer: str
    kind: ChangeKind
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Touched(NamedTuple):
    """A resource that is not the same object in two Configs; None where it is absent."""

    kind: str
    key: Key
    before: Resource | None
    after: Resource | None


def touched(before: Config, after: Config) -> Iterator[Touched]:
    """What an edit put in, replaced or took out, kind by kind; all else is the same object.

    Shape: says nothing of content: a resource that was read anew is touched.
    """
    for kind in KINDS:
        old, new = of_kind(before, kind), of_kind(after, kind)
        if old is new:
            continue
        added = 0
        for key in _differing(old, new):
            resource, found = new[key], old.get(key)
            added += found is None
            if found is not resource:
                yield Touched(kind, _tuple(key), found, resource)
        if len(old) + added != len(new):
            for key in old.keys() - new.keys():
                yield Touched(kind, _tuple(key), old[key], None)


def _differing(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Any]:
    """The keys of ``new`` that do not stand where they stood, with what stood there.

    Shape: an edit leaves nearly all of a large collection in its place, which is passed over
           at a tenth of what comparing each by key would take.
    """
    moved = map(is_not, old, new), map(is_not, old.values(), new.values())
    yield from compress(new, map(or_, *moved))
    yield from islice(new, len(old), None)


def changes(before: Config, after: Config) -> tuple[Change, ...]:
    """Every difference, by pointer; none for Configs that mean the same."""
    differing = (
        _change(pointer(each.kind, each.key), each.before, each.after)
        for each in touched(before, after)
        if each.before != each.after
    )
    return tuple(sorted(differing, key=lambda change: change.pointer))


def _tuple(key: Key | str) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _change(at: str, before: Resource | None, after: Resource | None) -> Change:
    kind: ChangeKind = "add" if before is None else "remove" if after is None else "change"
    return Change(at, kind, _body(before), _body(after))


def _body(resource: Resource | None) -> dict[str, Any] | None:
    return None if resource is None else body(resource)

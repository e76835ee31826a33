"""What differs between two Configs, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from geodns.document.resources import body, pointer, resources
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


def changes(before: Config, after: Config) -> tuple[Change, ...]:
    """Every difference, by pointer; none for Configs that mean the same."""
    old, new = _by_pointer(before), _by_pointer(after)
    differing = (at for at in old.keys() | new.keys() if old.get(at) != new.get(at))
    return tuple(_change(at, old.get(at), new.get(at)) for at in sorted(differing))


def _by_pointer(config: Config) -> dict[str, Resource]:
    return {pointer(kind, key): resource for kind, key, resource in resources(config)}


def _change(at: str, before: Resource | None, after: Resource | None) -> Change:
    kind: ChangeKind = "add" if before is None else "remove" if after is None else "change"
    return Change(at, kind, _body(before), _body(after))


def _body(resource: Resource | None) -> dict[str, Any] | None:
    return None if resource is None else body(resource)

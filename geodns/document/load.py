"""The document ↔ Config: the bodies of the API, keyed by id, in one piece of plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from geodns.dns.names import excerpt, from_url, to_url
from geodns.dns.rrtypes import type_from_text, type_to_text
from geodns.document.check import check
from geodns.document.collector import making_many
from geodns.document.contents import At, attempt
from geodns.document.reader import DEPTH_MAX
from geodns.document.reader import read_yaml as read_yaml
from geodns.document.references import did_you_mean
from geodns.document.resources import KINDS, Item, Key, body, collect, pointer, resources, section
from geodns.document.tolerant import Judge, Unread, further_faults
from geodns.errors import ConfigError, Reason
from geodns.model.base import ID_PATTERN, join_pointer, read
from geodns.model.config import Config

VERSION = 1
"""The schema of the document, its field ``geodns``."""

BARE = {"rrset": "values", "latency": "rows"}
"""Resources that may be written as just the list that is in this field of them."""

_BY_ID = ("pool", "node", "monitor", "network", "latency", "override", "webhook")
_SECTIONS = ("geodns", "name", "zones", *map(section, _BY_ID))


@making_many
def from_document(
    data: object,
    whole: Callable[[Config], Config] = lambda own: own,
    judge: Judge = check,
    tell: Callable[[int], None] = lambda done: None,
) -> Config:
    """The Config that a document describes; names get their one spelling.

    Shape:  ``whole`` tells what the document's resources will be part of; ``tell`` is told how
            many have been read.
    Errors: ConfigError with every fault of every resource, and then with what ``judge`` finds in
            the whole as far as it could be read. Without the first, to judge is the caller's.
    """
    loader = _Loader()
    items = list(_counted(loader.items(data), tell))
    if loader.faults:
        raise ConfigError([*loader.faults, *loader.further(data, items, whole, judge)])
    return collect(items)


TOLD_EVERY = 1000
"""Source: no reference; some 20 ms."""


def _counted(items: Iterable[Item], tell: Callable[[int], None]) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number % TOLD_EVERY == 0:
            tell(number)
        yield item


def count(data: object) -> int:
    """About how many resources a document has, whatever its shape."""
    sections = data if isinstance(data, dict) else {}
    zones = sections.get("zones")
    found = sum(len(each) for each in map(sections.get, _SECTIONS[2:]) if isinstance(each, dict))
    for zone in zones.values() if isinstance(zones, dict) else ():
        inside = (zone.get("steers"), zone.get("rrsets")) if isinstance(zone, dict) else ()
        found += sum(len(each) for each in inside if isinstance(each, dict))
    return found


@making_many
def to_document(config: Config) -> dict[str, Any]:
    """The document of a Config, made for version control: ordered, defaults left out."""
    document: dict[str, Any] = {"geodns": VERSION}
    for item in sorted(resources(config), key=_order):
        part: dict[str, Any] = document
        *path, last = _path(item)
        for step in path:
            part = part.setdefault(step, {})
        part[last] = _written(item)
    return document


# --- Writing ---


def _order(item: Item) -> tuple[int, bool, Key]:
    """Zones before what they hold, the apex before other owners."""
    apex = len(item.key) > 1 and item.key[1] == "@"
    return list(KINDS).index(item.kind), not apex, item.key


def _path(item: Item) -> list[str]:
    if item.kind in ("steer", "rrset"):
        zone, *rest = item.key
        return ["zones", zone, section(item.kind), *rest]
    return [section(item.kind), *item.key]


def _written(item: Item) -> object:
    fields = body(item.resource)
    bare = BARE.get(item.kind)
    return fields[bare] if bare and len(fields) == 1 else fields


# --- Reading ---


class _Loader:
    """Walks a document of unknown shape; gathers faults, yields what is sound."""

    def __init__(self) -> None:
        self.faults: list[Reason] = []
        self._keys: set[tuple[str, Key]] = set()
        self._unread = Unread()
        self._ids: set[str] = set()
        """Kinds of which an id could not be read."""

    def items(self, data: object) -> Iterator[Item]:
        if _is_deeper(data, DEPTH_MAX):
            self._refuse("", "too_deep", f"The document has more than {DEPTH_MAX} levels.")
            return
        document = self._mapping("", data)
        if document is None:
            return
        self._head(document)
        for zone, fields in self._section("", document, "zones"):
            yield from self._zone(zone, fields)
        for kind in _BY_ID:
            for name, fields in self._section("", document, section(kind)):
                yield from self._by_id(kind, name, fields)

    def further(
        self,
        data: object,
        items: Iterable[Item],
        whole: Callable[[Config], Config],
        judge: Judge,
    ) -> list[Reason]:
        """What is wrong besides the faults, in all that could be read."""
        if not isinstance(data, dict) or any(not fault.pointer for fault in self.faults):
            return []
        misspelt = any(key not in _SECTIONS for key in data)
        broken = {fault.pointer for fault in self.faults if fault.code != "unknown_field"}
        for kind in _BY_ID:
            if (
                (misspelt and section(kind) not in data)
                or f"/{section(kind)}" in broken
                or kind in self._ids
            ):
                self._unread.kinds.add(kind)
        return further_faults(lambda: whole(collect(items)), self.faults, self._unread, judge)

    def _head(self, document: Mapping[str, object]) -> None:
        """The document's own fields."""
        version = document.get("geodns")
        if "geodns" not in document:
            detail = "The document does not say its schema."
            self._refuse("/geodns", "required", detail, hint=f"Begin it with geodns: {VERSION}.")
        elif isinstance(version, bool) or version != VERSION:
            detail = f"Schema {_shown(version)} is unknown; this geodns reads {VERSION}."
            self._refuse("/geodns", "unknown_version", detail, version)
        name = document.get("name", "a")
        if not isinstance(name, str) or not re.fullmatch(ID_PATTERN, name):
            detail = f"Name {_shown(name)} must be an id like prod, of form {ID_PATTERN}."
            self._refuse("/name", "bad_form", detail, name)
        for key in document.keys() - set(_SECTIONS):
            detail = f'No section "{excerpt(key)}"; known are {", ".join(_SECTIONS)}.'
            hint = did_you_mean(key, _SECTIONS)
            self._refuse(join_pointer("", (key,)), "unknown_field", detail, hint=hint)

    def _zone(self, name: str, fields: object) -> Iterator[Item]:
        written = pointer("zone", (name,))
        found = self._mapping(written, fields)
        origin = attempt(written, self.faults, from_url, name)
        if found is None or origin is None:
            return
        zone = to_url(origin)
        own = {key: value for key, value in found.items() if key not in ("steers", "rrsets")}
        yield from self._resource("zone", (zone,), own)
        for owner, steer in self._section(written, found, "steers"):
            for relative in self._owner(f"{written}/steers", owner, origin):
                yield from self._resource("steer", (zone, relative), steer)
        for owner, rrsets in self._section(written, found, "rrsets"):
            for relative in self._owner(f"{written}/rrsets", owner, origin):
                at = partial(join_pointer, written, ("rrsets", owner))
                yield from self._rrsets(at, rrsets, (zone, relative))

    def _rrsets(
        self, written: Callable[[], str], data: object, owner: tuple[str, str]
    ) -> Iterator[Item]:
        for text, fields in (self._mapping(written, data) or {}).items():
            at = partial(_below, written, text)
            rtype = attempt(at, self.faults, type_from_text, text)
            if rtype is not None:
                yield from self._resource("rrset", (*owner, type_to_text(rtype)), fields)

    def _by_id(self, kind: str, name: str, fields: object) -> Iterator[Item]:
        if re.fullmatch(ID_PATTERN, name):
            yield from self._resource(kind, (name,), fields)
        else:
            self._ids.add(kind)
            detail = f'Id "{excerpt(name)}" must have the form {ID_PATTERN}.'
            self._refuse(pointer(kind, (name,)), "bad_form", detail, excerpt(name))

    def _resource(self, kind: str, key: Key, fields: object) -> Iterator[Item]:
        if (kind, key) in self._keys:
            detail = f"Two spellings of one name: {'/'.join(key)} is here twice."
            self._refuse(pointer(kind, key), "duplicate", detail)
        self._keys.add((kind, key))
        if kind in BARE and isinstance(fields, list):
            fields = {BARE[kind]: fields}
        try:
            yield Item(kind, key, read(KINDS[kind], fields))
        except ConfigError as error:
            at = pointer(kind, key)
            self.faults.extend(replace(each, pointer=at + each.pointer) for each in error.reasons)
            rest = self._unread.salvage(kind, key, fields, error.reasons)
            if rest is not None:
                yield Item(kind, key, rest)

    def _owner(self, at: str, text: str, origin: bytes) -> Iterator[str]:
        name = attempt(lambda: join_pointer(at, (text,)), self.faults, from_url, text, origin)
        if name is not None:
            yield to_url(name, origin)

    def _section(
        self, at: str, parent: Mapping[str, object], field: str
    ) -> Iterator[tuple[str, object]]:
        """What is keyed below a field that may be absent or, as YAML makes easy, empty."""
        found = parent.get(field)
        if found is not None:
            yield from (self._mapping(f"{at}/{field}", found) or {}).items()

    def _mapping(self, at: At, data: object) -> Mapping[str, object] | None:
        if isinstance(data, dict) and all(isinstance(key, str) for key in data):
            return data
        at = at if isinstance(at, str) else at()
        where = at or "The document"
        self._refuse(at, "wrong_type", f"{where} must be a mapping, not {_shown(data)}.")
        return None

    def _refuse(
        self, at: str, code: str, detail: str, value: object = None, hint: str = ""
    ) -> None:
        self.faults.append(Reason(at, code, detail, value, hint))


def _is_deeper(data: object, depth: int) -> bool:
    """Whether lists and mappings are nested deeper than this; without recursion."""
    level = [data]
    for _ in range(depth + 1):
        level = [part for whole in level for part in _parts(whole)]
    return bool(level)


def _below(at: Callable[[], str], part: str) -> str:
    return join_pointer(at(), (part,))


def _parts(data: object) -> list[object]:
    if isinstance(data, dict):
        return list(data.values())
    return data if isinstance(data, list) else []


def _shown(data: object) -> str:
    if isinstance(data, dict | list):
        return "a mapping" if isinstance(data, dict) else "a list"
    return "nothing" if data is None else f'"{excerpt(str(data))}"'

"""What the API does, free of HTTP: read, write, apply, plan.

A write is one function from the current Config to a draft of the next. It runs alone, is
judged whole (faults, then brakes), made durable, and only then handed to the publisher.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from geodns.api import edit
from geodns.api.kinds import ZONE, Kind
from geodns.api.ledger import Found, Ledger, Version, document_note
from geodns.api.ports import Geo, Publisher
from geodns.api.preconditions import Terms, not_found
from geodns.api.publishing import Publishing
from geodns.document.brakes import brakes
from geodns.document.changes import Change, changes
from geodns.document.check import check, warnings
from geodns.document.load import from_document, to_document
from geodns.document.resources import Key, pointer
from geodns.document.zonefile.export import zone_to_text
from geodns.document.zonefile.load import located, with_zone, zone_from_text
from geodns.errors import ConfigError, Conflict, Reason, UnsafePlan
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.webhook import Webhook
from geodns.store.base import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """What a write would do: its changes, what forbids it without force, what to think of."""

    changes: tuple[Change, ...]
    brakes: tuple[Reason, ...]
    warnings: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write did. ``plan`` is there if that was all that was asked for; ``revision`` is
    the store's, ``found`` the one resource it was about, both as this write left them."""

    created: bool = False
    changed: bool = False
    warnings: tuple[Reason, ...] = ()
    plan: Plan | None = None
    revision: int = 0
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The Config as a write would leave it. ``subject`` is the one resource it is about."""

    after: Config
    subject: tuple[Kind, Key] | None = None
    created: bool = False
    removal: bool = False
    notes: tuple[Reason, ...] = ()
    store_note: str = ""
    lines: Mapping[str, int] | None = None


class Service:
    """The configuration of one instance. Made before any request, as it reads the store."""

    def __init__(self, store: Store, publisher: Publisher, geo: Geo) -> None:
        self._ledger = Ledger(store)
        self._geo = geo
        self._check = partial(check, asns=geo.knows_asns)
        self._warn = partial(warnings, asns=geo.knows_asns, subdivisions=geo.knows_subdivisions)
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Task[Outcome]] = set()
        self._known_warnings: tuple[Config | None, frozenset[tuple[str, str]]] = (None, frozenset())
        self.publishing = Publishing(publisher)

    @property
    def config(self) -> Config:
        """Everything configured now."""
        return self._ledger.current.config

    @property
    def revision(self) -> int:
        """The store's revision now."""
        return self._ledger.current.revision

    # --- Reading ---

    def find(self, kind: Kind, key: Key) -> Found | None:
        """The resource, if it exists."""
        return self._ledger.current.find(kind, key)

    def get(self, kind: Kind, key: Key) -> Found:
        """The resource. Errors: NotFound."""
        found = self.find(kind, key)
        if found is None:
            raise not_found(kind.title(key))
        return found

    def page(
        self, kind: Kind, home: Key, after_id: str, limit: int
    ) -> tuple[list[Found], str | None]:
        """A collection's resources ordered by id, and the cursor of what follows them.

        Errors: NotFound if the zone they would be in does not exist.
        """
        now = self._ledger.current
        if kind.home and home[0] not in now.config.zones:
            raise not_found(ZONE.title(home))
        return now.page(kind, home, after_id, limit)

    def author(self, found: Found) -> str:
        """Whose token wrote a resource last. Errors: Unavailable."""
        return self._ledger.author(found.revision)

    def export(self) -> dict[str, Any]:
        """The whole configuration as a document."""
        return to_document(self.config)

    # --- Writing ---
    # Errors of all: ConfigError, NotFound, Conflict, Stale, UnsafePlan, Unavailable, and nothing
    # is changed; NotServed and NotPublished when it is.

    async def put(
        self, kind: Kind, key: Key, data: Any, terms: Terms, *, only_new: bool = False
    ) -> Outcome:
        """Create or replace one resource; with ``only_new``, refuse to replace."""

        def draft() -> Draft:
            self._require_home(kind, key)
            found = self.find(kind, key)
            if only_new and found:
                detail = f"The {kind.title(key)} exists already."
                raise Conflict([Reason("/id", "exists", detail, hint="Change it with PUT.")])
            terms.require(kind.title(key), found.revision if found else None)
            resource = edit.read_resource(self.config, kind, key, edit.writable(data), self._check)
            return self._draft_of(kind, key, resource, found, keep_place=True)

        return await self._write(draft, terms)

    async def patch(self, kind: Kind, key: Key, data: Any, terms: Terms) -> Outcome:
        """Merge into what is there (RFC 7396)."""

        def draft() -> Draft:
            found = self.get(kind, key)
            terms.require(kind.title(key), found.revision)
            merged = edit.merged(found.resource, edit.writable(data))
            resource = edit.read_resource(self.config, kind, key, merged, self._check)
            return self._draft_of(kind, key, resource, found, keep_place=False)

        return await self._write(draft, terms)

    async def delete(self, kind: Kind, key: Key, terms: Terms) -> Outcome:
        """Remove one resource, a zone with all that is in it."""

        def draft() -> Draft:
            terms.require(kind.title(key), self.get(kind, key).revision)
            users = edit.in_use(self.config, kind, key)
            if users:
                raise Conflict(users)
            return Draft(edit.without(self.config, kind, key), (kind, key), removal=True)

        return await self._write(draft, terms)

    async def apply(self, data: Any, prune: bool, terms: Terms) -> Outcome:
        """Add and replace what the document holds; with ``prune``, also remove what documents
        of its name made and it no longer holds."""

        def whole(wanted: Config) -> Config:
            made = self._ledger.made_by(data.get("name", "")) if prune else frozenset()
            return edit.applied(self.config, wanted, made)

        wanted = await asyncio.to_thread(from_document, data, whole, self._check)

        def draft() -> Draft:
            terms.require("document", self.revision)
            after, notes = edit.place_all(whole(wanted), self.config, self._geo)
            return Draft(after, notes=tuple(notes), store_note=document_note(data.get("name", "")))

        return await self._write(draft, terms)

    def zonefile(self, zone_id: str, serial: int | None) -> str:
        """A zone as a master file. Errors: NotFound."""
        return zone_to_text(self.config, zone_id, serial)

    async def put_zonefile(self, zone_id: str, text: str, terms: Terms) -> Outcome:
        """Replace a zone's own fields and records by a master file's; its steers stay.

        Errors: ConfigError with every fault and its line, besides those of all writes.
        """

        def draft() -> Draft:
            found = self.find(ZONE, (zone_id,))
            terms.require(ZONE.title((zone_id,)), found.revision if found else None)
            imported = zone_from_text(self.config, zone_id, text)
            after = with_zone(self.config, zone_id, imported)
            notes = tuple(imported.notes)
            return Draft(after, created=found is None, notes=notes, lines=imported.lines)

        outcome = await self._write(draft, terms)
        about = pointer("zone", (zone_id,))
        mine = [
            told for told in outcome.warnings if not told.pointer or told.pointer.startswith(about)
        ]
        return replace(outcome, warnings=tuple(mine))

    def _draft_of(
        self, kind: Kind, key: Key, resource: Resource, found: Found | None, *, keep_place: bool
    ) -> Draft:
        notes: tuple[Reason, ...] = ()
        if isinstance(resource, Node):
            known = found.resource if found and keep_place else None
            known = known if isinstance(known, Node) else None
            resource, note = edit.placed(resource, known, self._geo)
            notes = (note,) if note else ()
        if isinstance(resource, Webhook):
            resource = edit.keeping(resource, found.resource if found else None)
        after = edit.with_resource(self.config, kind, key, resource)
        return Draft(after, (kind, key), created=found is None, notes=notes)

    def _require_home(self, kind: Kind, key: Key) -> None:
        if kind.home and key[0] not in self.config.zones:
            raise not_found(ZONE.title(key[:1]))

    # --- One write after another ---

    async def _write(self, draft: Callable[[], Draft], terms: Terms) -> Outcome:
        # A task of its own: once begun, a write is ended even if the client goes away.
        task = asyncio.create_task(self._alone(draft, terms))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        outcome = await asyncio.shield(task)
        if terms.wait and outcome.plan is None:
            await self.publishing.wait()
        return outcome

    async def _alone(self, draft: Callable[[], Draft], terms: Terms) -> Outcome:
        # In threads: the check of a large document takes long, the disk may too.
        async with self._lock:
            done = await asyncio.to_thread(self._perform, draft, terms)
            if done.changed:
                self.publishing.start(done.version.config, terms.forced)
        return await asyncio.to_thread(self._outcome, done, terms.plan)

    def _perform(self, draft: Callable[[], Draft], terms: Terms) -> _Done:
        before, drafted = self.config, draft()
        faults = self._check(drafted.after)
        if faults:
            # A removal is well formed: it is what would be left that cannot be served.
            kind = Conflict if drafted.removal else ConfigError
            raise kind(_in_words_of(drafted, faults))
        held = tuple(_in_words_of(drafted, brakes(before, drafted.after)))
        changed = False
        if not terms.plan:
            if held and terms.forced is None:
                raise UnsafePlan(held)
            note = drafted.store_note + (f"\nforced: {terms.forced}" if terms.forced else "")
            changed = self._ledger.commit(drafted.after, terms.actor, note)
        return _Done(before, drafted, held, changed, self._ledger.current)

    def _outcome(self, done: _Done, plan: bool) -> Outcome:
        drafted, version = done.drafted, done.version
        told = (*drafted.notes, *_in_words_of(drafted, self._warnings(done.before, drafted)))
        planned = Plan(changes(done.before, drafted.after), done.held, told) if plan else None
        found = version.find(*drafted.subject) if drafted.subject else None
        return Outcome(drafted.created, done.changed, told, planned, version.revision, found)

    def _warnings(self, before: Config, drafted: Draft) -> list[Reason]:
        """All warnings on a whole document; of one resource's those about it and new ones."""
        config, known = self._known_warnings
        if config is not before:
            known = _names(self._warn(before)) if drafted.subject else frozenset()
        found = self._warn(drafted.after)
        self._known_warnings = (drafted.after, _names(found))
        if drafted.subject is None:
            return found
        return [
            reason
            for reason in found
            if (reason.pointer, reason.code) not in known or edit.is_about(reason, *drafted.subject)
        ]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a write came to while it ran alone."""

    before: Config
    drafted: Draft
    held: tuple[Reason, ...]
    changed: bool
    version: Version


def _in_words_of(drafted: Draft, reasons: Iterable[Reason]) -> list[Reason]:
    """The reasons, relative to the request's body where they are about it."""
    if drafted.lines is not None:
        return located(reasons, drafted.lines)
    if drafted.subject is None or drafted.removal:
        return list(reasons)
    return list(edit.relative(reasons, *drafted.subject))


def _names(reasons: Iterable[Reason]) -> frozenset[tuple[str, str]]:
    return frozenset((reason.pointer, reason.code) for reason in reasons)

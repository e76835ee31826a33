"""What the API does, free of HTTP: read, write, apply, plan, restore."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from geodns.api import edit
from geodns.api.jobs import Jobs
from geodns.api.kinds import ZONE, Kind
from geodns.api.ledger import Found, Ledger, Version
from geodns.api.ports import Geo, Publisher
from geodns.api.preconditions import Terms, not_found
from geodns.api.publishing import Publishing
from geodns.api.scope import EVERYTHING, Scope
from geodns.api.writing import Draft, Outcome, Writing
from geodns.document.check import check
from geodns.document.load import count, from_document, to_document
from geodns.document.resources import Key, pointer
from geodns.document.zonefile.export import zone_to_text
from geodns.document.zonefile.load import read_source, with_zone, zone_from_source
from geodns.errors import Conflict, Reason
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.webhook import Webhook
from geodns.store.base import Record, Store
from geodns.store.configuration import to_config


class Service:
    """The configuration of one instance. Made before any request, as it reads the store."""

    def __init__(self, store: Store, publisher: Publisher, geo: Geo) -> None:
        self.store = store
        self.jobs = Jobs()
        self._ledger = Ledger(store)
        self._geo = geo
        self._check = partial(check, asns=geo.knows_asns)
        self.publishing = Publishing(publisher)
        self._write = Writing(self._ledger, self.publishing, geo).write

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
        return self._ledger.current.get(kind, key)

    def page(
        self,
        kind: Kind,
        home: Key,
        after_id: str,
        limit: int,
        scope: Scope = EVERYTHING,
        test: Callable[[Key, Resource], bool] | None = None,
    ) -> tuple[list[Found], str | None]:
        """A collection's resources ordered by id, and the cursor of what follows them.

        Errors: NotFound if the zone they would be in does not exist.
        """
        now = self._ledger.current
        if kind.home and home[0] not in now.config.zones:
            raise not_found(ZONE.title(home))
        return now.page(kind, home, after_id, limit, scope, test)

    def author(self, found: Found) -> str:
        """Whose token wrote a resource last. Errors: Unavailable."""
        return self._ledger.author(found.revision)

    def export(self, scope: Scope = EVERYTHING) -> dict[str, Any]:
        """The whole configuration as a document, or what of it may be seen."""
        return to_document(scope.seen(self.config))

    # --- Writing ---
    # Errors of all: ConfigError, NotFound, Conflict, Stale, UnsafePlan, Unavailable, and nothing
    # is changed; NotServed and NotPublished when it is.

    async def put(
        self, kind: Kind, key: Key, data: Any, terms: Terms, *, only_new: bool = False
    ) -> Outcome:
        """Create or replace one resource; with ``only_new``, refuse to replace."""

        def draft(now: Version) -> Draft:
            _require_home(now, kind, key)
            found = now.find(kind, key)
            if only_new and found:
                detail = f"The {kind.title(key)} exists already."
                raise Conflict([Reason("/id", "exists", detail, hint="Change it with PUT.")])
            terms.require(kind.title(key), found.revision if found else None)
            resource = edit.read_resource(now.config, kind, key, edit.writable(data), self._check)
            return self._draft_of(now, kind, key, resource, keep_place=True)

        return await self._write(draft, terms)

    async def patch(self, kind: Kind, key: Key, data: Any, terms: Terms) -> Outcome:
        """Merge into what is there (RFC 7396)."""

        def draft(now: Version) -> Draft:
            found = now.get(kind, key)
            terms.require(kind.title(key), found.revision)
            merged = edit.merged(found.resource, edit.writable(data))
            resource = edit.read_resource(now.config, kind, key, merged, self._check)
            return self._draft_of(now, kind, key, resource, keep_place=False)

        return await self._write(draft, terms)

    async def delete(self, kind: Kind, key: Key, terms: Terms) -> Outcome:
        """Remove one resource, a zone with all that is in it."""

        def draft(now: Version) -> Draft:
            terms.require(kind.title(key), now.get(kind, key).revision)
            users = edit.in_use(now.config, kind, key)
            if users:
                raise Conflict(users)
            return Draft(edit.without(now.config, kind, key), (kind, key), removal=True)

        return await self._write(draft, terms)

    async def apply(self, data: Any, prune: bool, terms: Terms) -> Outcome:
        """Add and replace what the document holds; with ``prune``, also remove what documents
        of its name made and it no longer holds."""

        def whole(wanted: Config, now: Version) -> Config:
            made = now.made_by(data.get("name", "")) if prune else frozenset()
            return edit.applied(now.config, wanted, made)

        def so_far(wanted: Config) -> Config:
            return whole(wanted, self._ledger.current)

        def tell(done: int) -> None:
            terms.job.step("reading", done, total)

        total = count(data)
        wanted = await asyncio.to_thread(from_document, data, so_far, self._check, tell)

        def draft(now: Version) -> Draft:
            terms.require("document", now.revision)
            after, notes = edit.place_all(whole(wanted, now), now.config, self._geo)
            after = edit.sharing(after, now.config)
            return Draft(after, notes=tuple(notes), document=data.get("name", ""))

        return await self._write(draft, terms)

    async def restore(self, revision: int, terms: Terms) -> Outcome:
        """Make everything what it was after a revision, as one new revision.

        Errors: besides those of all writes, ConfigError for what this geodns cannot read.
        """
        bodies = await asyncio.to_thread(self.store.as_of, revision)
        if bodies is None:
            raise not_found(f"revision {revision}, or it is older than history goes back")
        records = (Record(*at, revision, body) for at, body in bodies.items())
        after = await asyncio.to_thread(to_config, records)

        def draft(now: Version) -> Draft:
            terms.require("configuration", now.revision)
            return Draft(edit.sharing(after, now.config))

        return await self._write(
            draft, replace(terms, reason=terms.reason or f"restore {revision}")
        )

    def zonefile(self, zone_id: str, serial: int | None) -> str:
        """A zone as a master file. Errors: NotFound."""
        return zone_to_text(self.config, zone_id, serial)

    def zone_tag(self, zone_id: str) -> str:
        """What changes with anything that a zone's master file tells. Errors: NotFound."""
        now = self._ledger.current
        now.get(ZONE, (zone_id,))
        return now.zone_tag(zone_id)

    async def put_zonefile(self, zone_id: str, text: str, terms: Terms) -> Outcome:
        """Replace a zone's own fields and records by a master file's; its steers stay.

        Errors: ConfigError with every fault and its line, besides those of all writes.
        """

        terms.job.step("reading")
        source = await asyncio.to_thread(read_source, zone_id, text)

        def draft(now: Version) -> Draft:
            found = now.find(ZONE, (zone_id,))
            terms.require(ZONE.title((zone_id,)), now.zone_tag(zone_id) if found else None)
            imported = zone_from_source(now.config, zone_id, source)
            after = edit.sharing(with_zone(now.config, zone_id, imported), now.config)
            notes = tuple(imported.notes)
            return Draft(after, created=found is None, notes=notes, lines=imported.lines)

        outcome = await self._write(draft, terms)
        about = pointer("zone", (zone_id,))
        mine = [
            told for told in outcome.warnings if not told.pointer or told.pointer.startswith(about)
        ]
        return replace(outcome, warnings=tuple(mine))

    def _draft_of(
        self, now: Version, kind: Kind, key: Key, resource: Resource, *, keep_place: bool
    ) -> Draft:
        found = now.find(kind, key)
        notes: tuple[Reason, ...] = ()
        if isinstance(resource, Node):
            known = found.resource if found and keep_place else None
            known = known if isinstance(known, Node) else None
            resource, note = edit.placed(resource, known, self._geo)
            notes = (note,) if note else ()
        if isinstance(resource, Webhook):
            resource = edit.keeping(resource, found.resource if found else None)
        after = edit.with_resource(now.config, kind, key, resource)
        return Draft(after, (kind, key), created=found is None, notes=notes)


def _require_home(now: Version, kind: Kind, key: Key) -> None:
    if kind.home and key[0] not in now.config.zones:
        raise not_found(ZONE.title(key[:1]))

"""The store's content in memory: the current Config, and which revision wrote each resource.

Writes are made in memory first, one after another, and become durable together: a disk takes as
long for thirty changes as for one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from geodns.api.edit import keys_in
from geodns.api.kinds import Kind, config_key
from geodns.api.preconditions import not_found
from geodns.api.scope import EVERYTHING, Scope
from geodns.document.collector import making_many
from geodns.document.resources import Key
from geodns.errors import Conflict, Reason, Stale
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.store.base import Commit, Store, Write
from geodns.store.configuration import to_config, to_writes

AUTHORS_MAX = 10_000
"""Revisions whose authors are kept. Source: no reference; some 2 MB."""


_Ordered = tuple[list[str], list[Key]]


@dataclass(frozen=True, slots=True)
class Found:
    """One resource with its key and the revision that wrote it."""

    key: Key
    resource: Resource
    revision: int


@dataclass(frozen=True, slots=True)
class Version:
    """Everything configured as of one revision of the store; never changed, only replaced."""

    revision: int
    config: Config
    revisions: Mapping[tuple[str, Key], int]
    makers: Mapping[tuple[str, Key], str]
    """The name of the document that made a resource, for those that one did."""
    _orders: dict[tuple[str, Key], _Ordered] = field(default_factory=dict, compare=False)

    def made_by(self, name: str) -> frozenset[tuple[str, Key]]:
        """The resources that exist because the document of this name was applied."""
        return frozenset(at for at, maker in self.makers.items() if maker == name)

    def find(self, kind: Kind, key: Key) -> Found | None:
        """The resource, if it exists."""
        resource = kind.section_of(self.config).get(config_key(key))
        if resource is None:
            return None
        return Found(key, resource, self.revisions[kind.word, key])

    def get(self, kind: Kind, key: Key) -> Found:
        """The resource. Errors: NotFound."""
        found = self.find(kind, key)
        if found is None:
            raise not_found(kind.title(key))
        return found

    def zone_tag(self, zone_id: str) -> str:
        """A digest of the revisions of a zone and all that is in it."""
        mine = [
            (word, key, revision)
            for (word, key), revision in self.revisions.items()
            if key[0] == zone_id and word in ("zone", "steer", "rrset")
        ]
        return hashlib.sha256(repr(sorted(mine)).encode()).hexdigest()[:32]

    def page(
        self,
        kind: Kind,
        home: Key,
        after_id: str,
        limit: int,
        scope: Scope = EVERYTHING,
        test: Callable[[Key, Resource], bool] | None = None,
    ) -> tuple[list[Found], str | None]:
        """At most ``limit`` resources after ``after_id`` that pass a test, and the cursor if more
        follow: the last id, so that it holds whatever comes and goes."""
        ids, keys = self._ordered(kind, home)
        page: list[Found] = []
        for key in islice(keys, bisect_right(ids, after_id) if after_id else 0, None):
            each = self.find(kind, key) if scope.sees(kind.word, key) else None
            if each is None or (test is not None and not test(each.key, each.resource)):
                continue
            if len(page) == limit:
                return page, kind.id_of(page[-1].key)
            page.append(each)
        return page, None

    def _ordered(self, kind: Kind, home: Key) -> _Ordered:
        """Ids and keys of a collection, ordered once for all its pages."""
        at = kind.word, home
        if at not in self._orders:
            pairs = sorted((kind.id_of(key), key) for key in keys_in(self.config, kind, home))
            self._orders[at] = [id_ for id_, _ in pairs], [key for _, key in pairs]
        return self._orders[at]


class Ledger:
    """Reads the store once, then follows its own writes. Its methods block.

    Shape: ``current`` is durable, ``draft`` is what it will be once all that was added is saved.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._authors: dict[int, str] = {}
        self._added: list[Commit] = []
        self.current = self.draft = self._read()

    def add(self, after: Config, commit: Commit) -> bool:
        """Make ``after`` the draft, which ``commit`` tells who wants; whether that changes
        anything."""
        writes = to_writes(self.draft.config, after)
        if not writes:
            return False
        self._added.append(replace(commit, writes=writes))
        self.draft = _followed(self.draft, after, writes, commit.document)
        return True

    def save(self) -> None:
        """Make the draft durable and current, or forget it.

        Errors: Conflict if someone else wrote to the store; their change is then seen here.
                Unavailable.
        """
        added, self._added = self._added, []
        try:
            if added:
                self._store.commit_all(added, base=self.current.revision)
        except Stale:
            self.current = self._read()
            raise _meanwhile() from None
        else:
            self.current = self.draft
        finally:
            self.draft = self.current

    def author(self, revision: int) -> str:
        """Whose token made a revision; "" if that is not known any more."""
        if revision not in self._authors:
            found = self._store.revision(revision)
            if len(self._authors) >= AUTHORS_MAX:
                self._authors.clear()
            self._authors[revision] = found.actor if found else ""
        return self._authors[revision]

    @making_many
    def _read(self) -> Version:
        revision, records = self._store.read()
        revisions = {at: record.revision for at, record in records.items()}
        makers = {
            at: record.made_by for at, record in records.items() if record.made_by is not None
        }
        return Version(revision, to_config(records.values()), revisions, makers)


def _followed(
    version: Version, after: Config, writes: Sequence[Write], document: str | None
) -> Version:
    """The version after these writes."""
    number = version.revision + 1
    revisions, makers = dict(version.revisions), dict(version.makers)
    for write in writes:
        at = write.kind, write.key
        if write.body is None:
            revisions.pop(at, None)
            makers.pop(at, None)
        else:
            if at not in revisions and document is not None:
                makers[at] = document
            revisions[at] = number
    return Version(number, after, revisions, makers)


def _meanwhile() -> Conflict:
    detail = "Something else wrote to the store at the same time; nothing was changed."
    return Conflict([Reason("", "conflict", detail, hint="Repeat the request.")])

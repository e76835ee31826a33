"""The store's content in memory: the current Config, and which revision wrote each resource."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geodns.api.edit import keys_in
from geodns.api.kinds import Kind, config_key
from geodns.document.resources import Key
from geodns.errors import Conflict, Reason, Stale
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.store.base import Entry, Store
from geodns.store.configuration import to_config, to_writes

PAGE = 500
"""Revisions of history read at once. Source: no reference; bounds memory."""

AUTHORS_MAX = 10_000
"""Revisions whose authors are kept. Source: no reference; some 2 MB."""

DOCUMENT_NOTE = "document "
"""How the note of an applied document begins; its name follows, then the line ends."""


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

    def find(self, kind: Kind, key: Key) -> Found | None:
        """The resource, if it exists."""
        resource = kind.section_of(self.config).get(config_key(key))
        if resource is None:
            return None
        return Found(key, resource, self.revisions[kind.word, key])

    def page(
        self, kind: Kind, home: Key, after_id: str, limit: int
    ) -> tuple[list[Found], str | None]:
        """At most ``limit`` resources after ``after_id``, and the cursor if more follow."""
        keys = {kind.id_of(key): key for key in keys_in(self.config, kind, home)}
        ids = sorted(keys)
        start = bisect_right(ids, after_id) if after_id else 0
        chosen = [self.find(kind, keys[id_]) for id_ in ids[start : start + limit]]
        more = len(ids) > start + limit
        return [found for found in chosen if found], ids[start + limit - 1] if more else None


class Ledger:
    """Reads the store once, then follows its own writes. Its methods block."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._authors: dict[int, str] = {}
        self.current = self._read()

    def commit(self, after: Config, actor: str, note: str) -> bool:
        """Make ``after`` durable; whether that changed anything.

        Errors: Conflict if someone else wrote to the store; their change is then seen here.
        """
        now = self.current
        writes = to_writes(now.config, after)
        if not writes:
            return False
        try:
            revision = self._store.commit(writes, base=now.revision, actor=actor, note=note)
        except Stale:
            self.current = self._read()
            raise _meanwhile() from None
        revisions = dict(now.revisions)
        for write in writes:
            if write.body is None:
                revisions.pop((write.kind, write.key), None)
            else:
                revisions[write.kind, write.key] = revision
        self.current = Version(revision, after, revisions)
        return True

    def made_by(self, name: str) -> frozenset[tuple[str, Key]]:
        """The resources that exist because the document of this name was applied."""
        made: set[tuple[str, Key]] = set()
        for entry in self._entries():
            ours = document_name(entry.note) == name
            for change in entry.changes:
                if change.after is None:
                    made.discard((change.kind, change.key))
                elif change.before is None and ours:
                    made.add((change.kind, change.key))
        return frozenset(made)

    def author(self, revision: int) -> str:
        """Whose token made a revision; "" if that is not known any more."""
        if revision not in self._authors:
            found = self._store.history(revision - 1, 1)
            if len(self._authors) >= AUTHORS_MAX:
                self._authors.clear()
            known = found and found[0].number == revision
            self._authors[revision] = found[0].actor if known else ""
        return self._authors[revision]

    def _entries(self) -> Iterator[Entry]:
        since = 0
        while entries := self._store.history(since, PAGE):
            yield from entries
            since = entries[-1].number

    def _read(self) -> Version:
        revision, records = self._store.read()
        revisions = {at: record.revision for at, record in records.items()}
        return Version(revision, to_config(records.values()), revisions)


def document_note(name: str) -> str:
    """The note of a revision that an applied document made."""
    return DOCUMENT_NOTE + name


def document_name(note: str) -> str | None:
    """The name of the document that made a revision; None if something else did."""
    first = note.partition("\n")[0]
    return first.removeprefix(DOCUMENT_NOTE) if first.startswith(DOCUMENT_NOTE) else None


def _meanwhile() -> Conflict:
    detail = "Something else wrote to the store at the same time; nothing was changed."
    return Conflict([Reason("", "conflict", detail, hint="Repeat the request.")])

"""One write after another, many to one disk flush.

A write is one function from the current version to a draft of the next. Those that wait are
taken together: each is judged (faults, then brakes) on what the one before it left, then all
become durable at once, and only then is anybody told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from geodns.api import edit
from geodns.api.jobs import NOBODYS
from geodns.api.kinds import Kind
from geodns.api.ledger import Found, Ledger, Version
from geodns.api.ports import Geo
from geodns.api.preconditions import Terms
from geodns.api.publishing import Publishing
from geodns.document.brakes import brakes
from geodns.document.changes import Change, changes
from geodns.document.check import check, check_edit, new_warnings, warnings_of
from geodns.document.collector import making_many
from geodns.document.resources import Key
from geodns.document.zonefile.load import located
from geodns.errors import ConfigError, Conflict, Reason, UnsafePlan
from geodns.model.config import Config
from geodns.store.base import Commit

TOGETHER_MAX = 64
"""Most writes that become durable at once. Source: no reference; the first of them waits for
the last, which takes some 1 ms each."""


LIGHT = frozenset({"rrset", "steer", "node"})
"""Kinds that `document.scope` has parts for. Source: of 0.9 ms a write, a thread takes 0.3."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a write would do: its changes, what forbids it without force, what to think of, and
    the revision that it was compared with."""

    base: int
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
    """The Config as a write would leave it. ``subject`` is the one resource it is about,
    ``document`` the name of the document that is applied."""

    after: Config
    subject: tuple[Kind, Key] | None = None
    created: bool = False
    removal: bool = False
    notes: tuple[Reason, ...] = ()
    document: str | None = None
    lines: Mapping[str, int] | None = None


Drafting = Callable[[Version], Draft]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A write that has not begun; ``done`` is set when it is durable or refused."""

    drafting: Drafting
    terms: Terms
    done: asyncio.Future[_Done]


@dataclass(frozen=True, slots=True)
class _Done:
    """What a write came to in its turn."""

    before: Version
    drafted: Draft
    held: tuple[Reason, ...]
    changed: bool
    version: Version
    outcome: Outcome | None = None
    """Worked out already where that is quickly done: a thread for each takes longer."""


class Writing:
    """The queue of writes of one ledger."""

    def __init__(self, ledger: Ledger, publishing: Publishing, geo: Geo) -> None:
        self._ledger = ledger
        self._publishing = publishing
        self._asns = geo.knows_asns
        self._known = {"asns": geo.knows_asns, "subdivisions": geo.knows_subdivisions}
        self._sound: Config | None = None
        self._waiting: list[_Waiting] = []
        self._turns: asyncio.Task[None] | None = None

    async def write(self, drafting: Drafting, terms: Terms) -> Outcome:
        """Make one write in its turn. Once begun it is ended even if the client goes away."""
        done: asyncio.Future[_Done] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(drafting, terms, done))
        if self._turns is None or self._turns.done():
            self._turns = asyncio.create_task(self._take_turns())
        made = await asyncio.shield(done)
        outcome = made.outcome
        if outcome is None:
            terms.job.step("looking for what is seldom meant")
            outcome = await asyncio.to_thread(self._outcome, made, terms.plan)
        if terms.wait and outcome.plan is None:
            terms.job.step("publishing")
            await self._publishing.wait()
        return outcome

    async def _take_turns(self) -> None:
        while self._waiting:
            together = self._waiting[:TOGETHER_MAX]
            del self._waiting[:TOGETHER_MAX]
            results = await self._performed(together)
            forced = [
                each.terms.forced
                for each, result in zip(together, results, strict=True)
                if isinstance(result, _Done) and result.changed and each.terms.forced
            ]
            if any(isinstance(result, _Done) and result.changed for result in results):
                config = self._ledger.current.config
                self._publishing.start(config, "; ".join(forced) or None)
            for each, result in zip(together, results, strict=True):
                _settle(each.done, result)

    async def _performed(self, together: Sequence[_Waiting]) -> list[_Done | Exception]:
        are_large = any(each.terms.job is not NOBODYS for each in together)
        perform = making_many(self._perform_all) if are_large else self._perform_all
        try:
            # In a thread: the check of a large document takes long, the disk may too.
            return await asyncio.to_thread(perform, together)
        except Exception as error:
            # Whatever goes wrong, nobody is left to wait.
            return [error] * len(together)

    # --- In a thread ---

    def _perform_all(self, together: Sequence[_Waiting]) -> list[_Done | Exception]:
        results: list[_Done | Exception] = []
        for each in together:
            try:
                results.append(self._perform(each.drafting, each.terms))
            except Exception as error:
                results.append(error)
        try:
            for each in together:
                each.terms.job.step("storing")
            self._ledger.save()
        except Exception as error:
            # Also who changed nothing may have seen what is now lost.
            return [error if isinstance(result, _Done) else result for result in results]
        for at, (each, result) in enumerate(zip(together, results, strict=True)):
            if isinstance(result, _Done) and _is_light(result.drafted):
                results[at] = replace(result, outcome=self._outcome(result, each.terms.plan))
        return results

    def _perform(self, drafting: Drafting, terms: Terms) -> _Done:
        before = self._ledger.draft
        terms.job.step("checking")
        drafted = drafting(before)
        terms.scope.require(before.config, drafted.after)
        faults = self._faults(before.config, drafted.after)
        if faults:
            # A removal is well formed: it is what would be left that cannot be served.
            kind = Conflict if drafted.removal else ConfigError
            raise kind(_in_words_of(drafted, faults))
        held = tuple(_in_words_of(drafted, brakes(before.config, drafted.after)))
        changed = False
        if not terms.plan:
            if held and terms.forced is None:
                raise UnsafePlan(held)
            who = Commit((), terms.actor, terms.reason, terms.request_id, drafted.document)
            changed = self._ledger.add(drafted.after, who)
            # What changes nothing leaves the Config that was there, which is as sound as it.
            self._sound = drafted.after if changed else before.config
        return _Done(before, drafted, held, changed, self._ledger.draft)

    def _outcome(self, done: _Done, plan: bool) -> Outcome:
        drafted, version, before = done.drafted, done.version, done.before
        told = (*drafted.notes, *_in_words_of(drafted, self._warnings(before.config, drafted)))
        planned = None
        if plan:
            differences = changes(before.config, drafted.after)
            planned = Plan(before.revision, differences, done.held, told)
        found = version.find(*drafted.subject) if drafted.subject else None
        return Outcome(drafted.created, done.changed, told, planned, version.revision, found)

    def _warnings(self, before: Config, drafted: Draft) -> list[Reason]:
        """The warnings about what is written, and those that it gives rise to elsewhere."""
        if drafted.subject is None:
            return warnings_of(before, drafted.after, **self._known)
        is_subject = partial(_is_about, drafted.subject)
        return new_warnings(before, drafted.after, is_subject, **self._known)

    def _faults(self, before: Config, after: Config) -> list[Reason]:
        """What forbids ``after``; cheap where ``before`` was found without faults here."""
        judge = partial(check_edit, before) if self._sound is before else check
        return judge(after, asns=self._asns)


def _is_light(drafted: Draft) -> bool:
    """Whether the edit is judged by the part it concerns: see `document.scope`."""
    return drafted.subject is not None and drafted.subject[0].word in LIGHT


def _is_about(subject: tuple[Kind, Key], reason: Reason) -> bool:
    return edit.is_about(reason, *subject)


def _settle(done: asyncio.Future[_Done], result: _Done | Exception) -> None:
    if done.cancelled():
        return
    if isinstance(result, _Done):
        done.set_result(result)
    else:
        done.set_exception(result)
        done.exception()  # else one whose client has gone would be logged as never looked at


def _in_words_of(drafted: Draft, reasons: Iterable[Reason]) -> list[Reason]:
    """The reasons, relative to the request's body where they are about it."""
    if drafted.lines is not None:
        return located(reasons, drafted.lines)
    if drafted.subject is None or drafted.removal:
        return list(reasons)
    return list(edit.relative(reasons, *drafted.subject))

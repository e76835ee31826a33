"""On what terms a write is done: who asks, what must be so before, what may be overridden."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geodns.api.jobs import NOBODYS, Job
from geodns.api.scope import EVERYTHING, Scope
from geodns.errors import ConfigError, NotFound, Reason, Stale

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_TAGS = re.compile(rf"{_TAG.pattern}([ \t]*,[ \t]*{_TAG.pattern})*")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one write.

    Shape: ``if_match`` and ``if_none_match`` hold entity tags without quotes, or "*"; None if
           they were not sent.
           ``forced`` is the reason for overriding brakes, None if they hold. ``scope`` is
           what may be changed, ``job`` is told how far it is.
    """

    actor: str
    request_id: str = ""
    reason: str = ""
    plan: bool = False
    wait: bool = False
    forced: str | None = None
    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None
    scope: Scope = EVERYTHING
    job: Job = NOBODYS

    def require(self, title: str, revision: int | str | None) -> None:
        """Compare with what is there; ``revision``, or another tag, is None if nothing is.

        Errors: Stale, whichever condition fails.
        Source: RFC 9110 §13.1.1 and §13.1.2.
        """
        there = set() if revision is None else {"*", str(revision)}
        if (self.if_none_match or frozenset()) & there:
            raise Stale([Reason("", "exists", f"The {title} exists already.")])
        if self.if_match is None:
            return
        if revision is None:
            raise Stale([Reason("", "stale", f"There is no {title} any more.")])
        if not self.if_match & {"*", str(revision)}:
            detail = f"The revision of the {title} is {revision}."
            hint = "Read it again, then repeat the change."
            raise Stale([Reason("", "stale", detail, sorted(self.if_match), hint)])


def read_if_match(field: str | None) -> frozenset[str] | None:
    """The entity tags of an If-Match field.

    Errors: ConfigError if it is not one.
    Source: RFC 9110 §13.1.1: the comparison is strong, so weak tags never match.
    """
    if field is None:
        return None
    return frozenset(tag for weak, tag in _read_tags("If-Match", field) if not weak)


def read_if_none_match(field: str | None) -> frozenset[str] | None:
    """The entity tags of an If-None-Match field.

    Errors: ConfigError if it is not one.
    Source: RFC 9110 §13.1.2: the comparison is weak.
    """
    if field is None:
        return None
    return frozenset(tag for _, tag in _read_tags("If-None-Match", field))


def is_unchanged(field: str | None, tag: str) -> bool:
    """Whether an If-None-Match field on a read names this tag: the reader has it already.

    Errors: ConfigError if it is not such a field.
    """
    return not (read_if_none_match(field) or frozenset()).isdisjoint({"*", tag})


def _read_tags(name: str, field: str) -> list[tuple[bool, str]]:
    """Each tag without its quotes, and whether it is weak; "*" is one, too."""
    field = field.strip(" \t")
    if field == "*":
        return [(False, "*")]
    if not _TAGS.fullmatch(field):
        raise _bad(name, field, 'Write it like "7", with the quotes.')
    return [(bool(match[1]), match[2]) for match in _TAG.finditer(field)]


def not_found(title: str) -> NotFound:
    """The error for what is not there."""
    return NotFound([Reason("", "not_found", f"There is no {title}.")])


def _bad(name: str, field: str, hint: str) -> ConfigError:
    return ConfigError(
        [Reason("", "bad_header", f"The header field {name} cannot be read.", field[:200], hint)]
    )

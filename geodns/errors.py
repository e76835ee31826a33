"""What can go wrong, divided by who must act.

GeodnsError
├── ConfigError      .reasons: the author of the document or the command must act   422, exit 2
│   └── NotFound     the thing named does not exist                                 404, exit 2
├── Conflict         the state moved or forbids it: read again, then retry          409, exit 3
│   ├── Stale        the revision in If-Match is not the current one                412, exit 3
│   └── UnsafePlan   the change is too big: repeat with force                       409, exit 3
└── Unavailable      a dependency is away: the last good snapshot serves on         503, exit 4

A failed probe is a value, not an error; a DNS reply is an answer, an rcode or a drop.
Anything else that is raised is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One fault in what was asked, in words for the person who must mend it.

    Shape: ``pointer`` is an RFC 6901 JSON pointer into the document ("" for the whole),
    ``code`` a stable snake_case word for programs, ``value`` what was found there.
    """

    pointer: str
    code: str
    detail: str
    value: object = None
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.pointer}: " if self.pointer else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{where}{self.detail}{hint}"


class GeodnsError(Exception):
    """Base of every error that is meant for a person. Carries all its reasons at once."""

    status = 500
    exit_code = 1
    title = "Error"

    def __init__(self, reasons: Iterable[Reason] | str) -> None:
        if isinstance(reasons, str):
            reasons = (Reason("", self.code(), reasons),)
        self.reasons: tuple[Reason, ...] = tuple(reasons)
        super().__init__("; ".join(str(reason) for reason in self.reasons))

    def __reduce__(self) -> tuple[type[GeodnsError], tuple[tuple[Reason, ...]]]:
        """Cross from one process to another with every reason."""
        return type(self), (self.reasons,)

    @classmethod
    def code(cls) -> str:
        """The default code of this kind's reasons and the tail of its problem type."""
        return "error"


class ConfigError(GeodnsError):
    """The document, body or command line is wrong; nothing was changed."""

    status = 422
    exit_code = 2
    title = "Refused"

    @classmethod
    def code(cls) -> str:
        return "invalid"


class NotFound(ConfigError):
    """The thing named does not exist."""

    status = 404
    title = "Not found"

    @classmethod
    def code(cls) -> str:
        return "not_found"


class Conflict(GeodnsError):
    """The request is well formed, but what is there forbids it."""

    status = 409
    exit_code = 3
    title = "Conflict"

    @classmethod
    def code(cls) -> str:
        return "conflict"


class Stale(Conflict):
    """The revision the caller has read is no longer the current one."""

    status = 412
    title = "Changed meanwhile"

    @classmethod
    def code(cls) -> str:
        return "stale"


class UnsafePlan(Conflict):
    """The change is bigger than the brakes allow without force."""

    title = "Too big a change"

    @classmethod
    def code(cls) -> str:
        return "brake"


class Unavailable(GeodnsError):
    """Something this needs is away or broken; what was served before is served on."""

    status = 503
    exit_code = 4
    title = "Unavailable"

    @classmethod
    def code(cls) -> str:
        return "unavailable"

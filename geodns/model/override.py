"""Override: what an operator says of nodes, above what any probe says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from geodns.model.base import Id, Resource

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)


def _canonical_instant(text: str) -> str:
    """An instant of RFC 3339 in UTC, to the millisecond at most."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("must be an instant in UTC like 2026-11-23T05:00:00Z")
    return instant(unix_ms(text))  # ValueError for the 31st of February


def _listed(found: Any) -> Any:
    """One value as a list of one."""
    return (found,) if isinstance(found, str) else tuple(found) if type(found) is list else found


_INSTANT_PATTERN = (
    r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|\+00:00)$"
)

Instant = Annotated[
    str,
    AfterValidator(_canonical_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _INSTANT_PATTERN}),
]

Text = Annotated[str, Field(min_length=1, max_length=500)]

Value = Annotated[str, Field(max_length=63)]
_List = Annotated[list[Value], Field(min_length=1, max_length=1000)]

Values = Annotated[
    tuple[Value, ...],
    Field(min_length=1, max_length=1000),
    BeforeValidator(_listed, json_schema_input_type=Value | _List),
]


class Match(Resource):
    """Which nodes are meant: those that every given field names; within one, any value counts.

    ``pools`` means the pools' member nodes.
    """

    nodes: tuple[Id, ...] | None = Field(default=None, min_length=1, max_length=65_535)
    labels: dict[Id, Values] | None = Field(default=None, min_length=1, max_length=16)
    pools: tuple[Id, ...] | None = Field(default=None, min_length=1, max_length=1000)

    @property
    def rank(self) -> int:
        """How specific it is: nodes before labels before pools."""
        return 3 if self.nodes else 2 if self.labels else 1


class Override(Resource):
    """Nodes held up or down from one instant to another, whatever their verdicts.

    Of those that hold for a node the most specific wins, and among equals ``down``.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    match: Match
    state: Literal["up", "down"]
    reason: Text
    from_: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None

    @property
    def from_ms(self) -> int | None:
        """When it begins, in Unix milliseconds; None: it has begun."""
        return unix_ms(self.from_) if self.from_ else None

    @property
    def until_ms(self) -> int | None:
        """When it ends, in Unix milliseconds; None: when it is removed."""
        return unix_ms(self.until) if self.until else None


def unix_ms(text: str) -> int:
    """An instant in Unix milliseconds. Errors: ValueError if there is no such instant."""
    found = datetime.fromisoformat(text)
    return round(found.timestamp() * 1000)


def instant(unix_ms: int) -> str:
    """Unix milliseconds as an instant of RFC 3339 in UTC."""
    whole = datetime.fromtimestamp(unix_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    part = unix_ms % 1000
    return f"{whole}.{part:03d}Z" if part else f"{whole}Z"

"""What all resources share: frozen, closed to unknown fields, ids of one form."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from geodns.errors import ConfigError, Reason

ID_PATTERN = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
"""Ids fit a DNS label, so that a node or pool can be named in DNS (RFC 1123 section 2.1)."""

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]

TTL_MAX = 2**31 - 1
"""Largest TTL. Source: RFC 2181 section 8."""


class Resource(BaseModel):
    """One resource: immutable, strictly typed (5 is not "5"), closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


R = TypeVar("R", bound=Resource)


def read(kind: type[R], body: object, pointer: str = "") -> R:
    """The resource a body describes. ``body`` is what a JSON or YAML reader returned.

    Errors: ConfigError with every fault at once, their pointers below ``pointer``.
    """
    try:
        text = _to_json(body)
    except (TypeError, ValueError) as error:
        raise ConfigError([Reason(pointer, "not_json", f"Not plain data: {error}.")]) from None
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(_reasons(error, kind, pointer)) from None


_to_json = json.JSONEncoder(allow_nan=False).encode


def escape_pointer(part: str) -> str:
    """One reference token of a JSON pointer (RFC 6901 section 3)."""
    if "~" not in part and "/" not in part:
        return part
    return part.replace("~", "~0").replace("/", "~1")


def join_pointer(base: str, parts: Iterable[object]) -> str:
    """``base`` extended by reference tokens."""
    return "/".join([base, *(escape_pointer(str(part)) for part in parts)])


def refused(detail: str, hint: str = "") -> PydanticCustomError:
    """What a validator raises: why a value is refused, and what was likely meant."""
    return PydanticCustomError("value_error", "{detail}", {"detail": detail, "hint": hint})


_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_pattern_mismatch": "bad_form",
    "literal_error": "not_a_choice",
    "value_error": "bad_value",
    "too_short": "too_few",
    "too_long": "too_many",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "greater_than": "out_of_range",
    "less_than": "out_of_range",
}
"""pydantic's error types in our stable codes; every other type is a wrong_type."""


_WORDS = {
    "missing": "This field is required",
    "extra_forbidden": "There is no such field",
    "string_pattern_mismatch": "Must match {pattern}",
    "string_too_short": "Must have at least {min_length} characters",
    "string_too_long": "Must have at most {max_length} characters",
    "too_short": "Must have at least {min_length}, not {actual_length}",
    "too_long": "Must have at most {max_length}, not {actual_length}",
    "greater_than_equal": "Must be at least {ge}",
    "less_than_equal": "Must be at most {le}",
    "greater_than": "Must be above {gt}",
    "less_than": "Must be below {lt}",
}
"""pydantic's errors in words for who wrote the field, its bound included."""


def _reasons(error: ValidationError, kind: type[Resource], pointer: str) -> list[Reason]:
    return [
        Reason(
            join_pointer(pointer, _field_path(fault["loc"])),
            _CODES.get(fault["type"], "wrong_type"),
            _detail(fault),
            _repeated(fault),
            _hint(fault, kind),
        )
        for fault in error.errors(include_url=False)
        if not _is_echo(fault)
    ]


def _repeated(fault: ErrorDetails) -> object:
    """The value that is wrong; None if there is none, or if it may be a secret."""
    secret = not _SECRETS.isdisjoint(fault["loc"])
    return None if fault["type"] == "missing" or secret else fault["input"]


_SECRETS = frozenset({"secret", "url"})
"""Fields whose values no error repeats."""


def _detail(fault: ErrorDetails) -> str:
    own = _WORDS.get(fault["type"])
    if own is not None:
        bounds = {name: _plain(bound) for name, bound in fault.get("ctx", {}).items()}
        return own.format_map(bounds) + "."
    # What remains is "Input should be a valid number" and the like, or words of our own.
    plain = fault["msg"].removeprefix("Value error, ").replace("Input should", "Must", 1)
    return plain.removesuffix(".") + "."


def _plain(bound: object) -> object:
    """90 rather than 90.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _hint(fault: ErrorDetails, kind: type[Resource]) -> str:
    """What a validator says was meant, or the field meant by one that the resource has not."""
    told = str(fault.get("ctx", {}).get("hint", ""))
    if told:
        return told
    if fault["type"] != "extra_forbidden" or len(fault["loc"]) != 1:
        return ""
    near = difflib.get_close_matches(str(fault["loc"][0])[:64], kind.model_fields, 1)
    return f"Did you mean {near[0]}?" if near else f"Known are {', '.join(kind.model_fields)}."


def _is_echo(fault: ErrorDetails) -> bool:
    """Whether another fault says it better: a list too short only because its faulty items were
    taken out, an object that is no string where both may stand."""
    found = fault["input"]
    if fault["type"] == "string_type":
        return isinstance(found, dict) and str(fault["loc"][-1]).endswith("str")
    return (
        fault["type"] == "too_short"
        and isinstance(found, list)
        and len(found) >= fault.get("ctx", {}).get("min_length", 0)
    )


def _field_path(loc: tuple[int | str, ...]) -> list[int | str]:
    """The path without pydantic's own marks: union branches and the keys of mappings."""
    return [part for part in loc if part not in _MARKS and not str(part).startswith(_PREFIXES)]


_MARKS = frozenset({"str", "NameServer", "[key]"})
_PREFIXES = ("constrained-", "function-")

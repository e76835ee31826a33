"""JSON from strangers: bounded, and refused where two readers could disagree about it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from geodns.document.collector import making_many
from geodns.errors import ConfigError, Reason

BODY_MAX_BYTES = 2 * 2**20
"""Largest body of one resource. Source: no reference; a rule with 65,536 subnets fits."""

INLINE_MAX_BYTES = 256 * 2**10
"""Largest body that is read where all requests are waited for. Source: measured, 3 ms."""

DOCUMENT_MAX_BYTES = 16 * 2**20
"""Largest document. Source: no reference; 100,000 nodes of 150 bytes fit."""

VALUES_MAX = 2**20
"""Most values in one body, roughly. Source: measured, as objects so many take 60 to 120 MB; 100,000
RRsets have a third of them."""

DEPTH_MAX = 64
"""Deepest nesting. Source: no reference; our deepest resource needs 8."""


@making_many
def parse_large_json(octets: bytes) -> Any:
    """The same of a large text, aside from all requests."""
    return parse_json(octets)


def parse_json(octets: bytes) -> Any:
    """The data a JSON text stands for (RFC 8259).

    Errors: ConfigError for what is no UTF-8 or no JSON, a name given twice, NaN and infinite
            numbers, unpaired surrogates, nesting beyond DEPTH_MAX, more than VALUES_MAX values.
    """
    # Counted in the octets: afterwards sixteen million of them may be a gigabyte of empty lists.
    if sum(map(octets.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise _bad("too_many", f"The body has more than {VALUES_MAX} values.")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad("not_utf8", f"The body is not UTF-8 at octet {error.start}.") from None
    data = _load(text)
    if _depth_exceeds(data, DEPTH_MAX):
        raise _too_deep()
    if "\\u" in text:  # the only way a surrogate gets through valid UTF-8
        _refuse_surrogates(data)
    return data


def to_json(data: Any, levels: int = 4) -> bytes:
    """JSON in UTF-8 of plain data, however large.

    Shape: the uppermost ``levels`` are written item by item, for no other thread runs while the
           library writes what it is given.
    """
    return "".join(_pieces(data, levels)).encode()


def _pieces(data: Any, levels: int) -> Iterator[str]:
    if levels and isinstance(data, dict) and data:
        for number, (name, value) in enumerate(data.items()):
            yield f"{',' if number else '{'}{encode(name)}:"
            yield from _pieces(value, levels - 1)
        yield "}"
    elif levels and isinstance(data, list) and data:
        for number, value in enumerate(data):
            yield "," if number else "["
            yield from _pieces(value, levels - 1)
        yield "]"
    else:
        yield encode(data)


encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _load(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _bad("not_json", f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # int() refuses more than some 4,300 digits
        raise _bad("out_of_range", "A number has more digits than can be read.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    raise ConfigError(
        [
            Reason("", "duplicate_name", f"The name {name[:200]!r} is given twice in one object.",
                   name[:200])
            for name in twice[:100]
        ]
    )  # fmt: skip


def _refuse_constant(name: str) -> NoReturn:
    raise _bad("not_json", f"{name} is not a JSON number.")


def _finite(digits: str) -> float | int:
    """A number with a fraction or exponent; 5.0 is the number 5, as JSON has but one kind."""
    number = float(digits)
    if math.isinf(number):
        raise _bad("out_of_range", f"The number {digits[:40]} is too large.")
    # RFC 8259 §6: up to here whole numbers are the same to all readers.
    return int(number) if number.is_integer() and abs(number) <= 2**53 else number


def _depth_exceeds(data: Any, bound: int) -> bool:
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(bound):
        level = [child for item in level for child in _containers(item)]
    return bool(level)


def _containers(item: dict[str, Any] | list[Any]) -> list[Any]:
    below = item.values() if isinstance(item, dict) else item
    return [child for child in below if isinstance(child, dict | list)]


def _refuse_surrogates(data: Any) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        # RFC 7493 §2.1: such strings are not interoperable.
        raise _bad("not_utf8", "A string holds half of a surrogate pair.") from None


def _too_deep() -> ConfigError:
    return _bad("too_deep", f"The body is nested deeper than {DEPTH_MAX}.")


def _bad(code: str, detail: str) -> ConfigError:
    return ConfigError([Reason("", code, detail)])

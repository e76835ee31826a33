"""``field=value`` → a body for the API.

Values are YAML, with shorthands where the kind of the field is known:
``addresses=192.0.2.1,192.0.2.2`` is a list, ``location=50.1,8.7`` a point, ``expect.body=*ok*``
text. ``field=`` asks for the default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from geodns.errors import ConfigError, Reason

# What the API's fields hold, where it cannot be seen from the value. A dot leads into a mapping,
# ``.*`` stands for any of its keys. A test compares this with the model.
LISTS = frozenset(
    {
        "nameservers", "addresses", "zones", "nodes", "argv", "of", "expect.status", "subnets",
        "events", "match.nodes", "match.pools",
        "serves.subnets", "serves.asns", "serves.geos",
        "refuses.subnets", "refuses.asns", "refuses.geos",
    }
)  # fmt: skip
NUMBERS = frozenset({"serves.asns", "refuses.asns"})
"""Lists of numbers, which stand after ``AS`` or by themselves."""

TEXTS = frozenset(
    {
        "contact", "cname", "at", "probe_address", "order", "latency", "bias_mode", "spread",
        "families", "monitor", "fallback", "all_down", "type", "host", "path", "method", "ca",
        "service", "send", "send_hex", "query", "expect.body", "expect.regex", "expect.body_hex",
        "expect.rcode", "expect.answer", "state", "reason", "from", "until", "url", "secret",
        "format", "role", "expires_at", "labels.*", "select.*", "headers.*",
    }
)  # fmt: skip
POINTS = frozenset({"location"})


def parse_fields(words: Iterable[str]) -> dict[str, Any]:
    """The body that the words describe.

    Errors: ConfigError with every fault.
    """
    body: dict[str, Any] = {}
    faults: list[Reason] = []
    for word in words:
        path, given, text = word.partition("=")
        if not given or not re.fullmatch(r"[A-Za-z_][\w-]*(\.[^\s=]+)?", path):
            hint = "Write field=value, like weight=50 or addresses=192.0.2.1,192.0.2.2."
            faults.append(Reason("", "bad_field", f'"{word}" is not a field.', word, hint))
            continue
        try:
            _put(body, path, parse_value(path, text))
        except ConfigError as error:
            faults += [
                Reason(_pointer(path), reason.code, reason.detail, text, reason.hint)
                for reason in error.reasons
            ]
    if faults:
        raise ConfigError(faults)
    return body


def parse_value(path: str, text: str) -> Any:
    """The value of a field from its text; None for ``null``, ``~`` and nothing.

    Errors: ConfigError.
    """
    if text in ("", "~", "null"):
        return None
    if path in LISTS and not text.startswith("["):
        parts = [part.strip() for part in text.split(",")]
        return [_asn(part) for part in parts] if path in NUMBERS else parts
    if path in POINTS and not text.startswith("{"):
        return _point(text)
    if _is_text(path) and text[0] not in "\"'":
        return text
    return _yaml(text)


def _yaml(text: str) -> Any:
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,8})", text):  # numbers need no library
        return int(text)
    from geodns.document.reader import read_yaml

    return read_yaml(text)


def _asn(text: str) -> Any:
    return _yaml(text.removeprefix("AS"))


def _is_text(path: str) -> bool:
    return path in TEXTS or (f"{path.partition('.')[0]}.*" in TEXTS and "." in path)


def _point(text: str) -> dict[str, float]:
    try:
        lat, lon = (float(part) for part in text.split(","))
        if not math.isfinite(lat + lon):  # JSON has no such numbers
            raise ValueError
    except ValueError:
        detail = f'"{text}" is no place.'
        hint = "Write latitude and longitude in degrees, like location=50.1,8.7."
        raise ConfigError([Reason("", "bad_value", detail, text, hint)]) from None
    return {"lat": lat, "lon": lon}


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    # Mappings are one level deep; names of HTTP fields may hold dots of their own.
    name, dotted, key = path.partition(".")
    inner = body.setdefault(name, {}) if dotted else body
    if not isinstance(inner, dict) or (key or name) in inner:
        raise ConfigError([Reason("", "duplicate", f"{path} is given twice.", value)])
    inner[key or name] = value


def _pointer(path: str) -> str:
    return "/" + "/".join(part.replace("~", "~0") for part in path.split(".", 1))

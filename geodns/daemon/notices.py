"""What webhooks say, and how it is signed. Pure.

Source: Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec): the headers, the
signature, secrets as ``whsec_`` and base64, ``type``, ``timestamp`` and ``data`` in bodies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SECRET_PREFIX = "whsec_"

MISSED = "missed"
"""The kind that every webhook is told of: events have been lost."""

_SIGNS = {"up": ":large_green_circle:", "down": ":red_circle:"}
_SPANS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Notice:
    """One event as receivers are told of it.

    Shape: ``id`` is the same at every attempt, and after a restart, so that a receiver can tell
           what it knows already. ``cursor`` says where in the event stream it stands.
    """

    id: str
    cursor: tuple[int, int]
    kind: str
    at: str
    data: dict[str, Any]


def notice_of(
    cursor: tuple[int, int], kind: str, data: dict[str, Any], nodes: Iterable[str] = ()
) -> Notice:
    """The notice of an event of the stream; ``nodes`` are those it is about."""
    said = json.dumps([kind, data, cursor if kind == MISSED else None], sort_keys=True)
    digest = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    rest = {name: value for name, value in data.items() if name != "at"}
    if kind == "transition":
        rest["nodes"] = sorted(nodes)
    return Notice(f"msg_{digest}", cursor, kind, data.get("at", ""), rest)


def is_news(kind: str, data: dict[str, Any]) -> bool:
    """Whether an event is worth telling: that a server starts and finds its nodes up is not."""
    return kind != "transition" or "down" in (data["before"], data["after"])


def body_of(notice: Notice, form: str) -> bytes:
    """The body to post; ``form`` is json or slack."""
    if form == "slack":
        return json.dumps({"text": text_of(notice)}).encode()
    content = {"type": notice.kind, "timestamp": notice.at, "data": notice.data}
    return json.dumps(content, separators=(",", ":")).encode()


def text_of(notice: Notice) -> str:
    """The notice in a line, in Slack's markup."""
    data = notice.data
    match notice.kind:
        case "transition":
            sign = _SIGNS.get(data["after"], ":white_circle:")
            text = f"{sign} {_subject(data)} is {data['after']}: {data['reason']}{_past(data)}"
        case "alarm":
            text = f":warning: The checker holds all verdicts: {data['reason']}"
        case "relief":
            text = f":white_check_mark: The checker trusts itself again: {data['reason']}"
        case "generation":
            text = f"Generation {data['generation']} is served."
        case _:
            text = f":warning: {data['events']} events have been lost."
    return _escaped(text)


def headers_of(notice: Notice, octets: bytes, secret: str | None, now_s: float) -> dict[str, str]:
    """The headers of one attempt."""
    stamp = str(int(now_s))
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": notice.id,
        "Webhook-Timestamp": stamp,
    }
    if secret is not None:
        headers["Webhook-Signature"] = signature(secret, notice.id, stamp, octets)
    return headers


def signature(secret: str, notice_id: str, stamp: str, octets: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over id, time and body, so that none can be exchanged."""
    signed = b".".join([notice_id.encode(), stamp.encode(), octets])
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def _subject(data: dict[str, Any]) -> str:
    nodes = ", ".join(data["nodes"])
    where = ", ".join(filter(None, [data["address"] if nodes else "", data["monitor"]]))
    return f"{nodes or data['address']}{f' ({where})' if where else ''}"


def _past(data: dict[str, Any]) -> str:
    """What went before, for how long, and how long the deciding probe took."""
    past = f" after {_span(data['lasted_s'])} {data['before']}"
    probe = f", probed in {data['elapsed_ms']:g} ms" if data.get("elapsed_ms") is not None else ""
    return past + probe


def _span(seconds: float) -> str:
    """The two largest units of a time: 3 h 5 min."""
    rest, parts = round(seconds), []
    for unit, size in _SPANS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _escaped(text: str) -> str:
    """Slack's three control characters: what a node says must not mention @channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

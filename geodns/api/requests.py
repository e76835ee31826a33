"""What a request asks for, read from its query, header fields and body."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from geodns.api.bodies import BODY_MAX_BYTES, INLINE_MAX_BYTES, parse_json, parse_large_json
from geodns.api.preconditions import Terms, read_if_match, read_if_none_match
from geodns.api.problems import HttpError
from geodns.api.scope import Scope
from geodns.errors import ConfigError, Reason

BODY_TIMEOUT_S = 30.0
"""How long a body may take. Source: no reference; 16 MB at 4 Mbit/s."""

TERMS = ("wait", "plan", "force", "reason")
REASON_MAX_CHARACTERS = 500
"""Source: no reference; a sentence or two, and it goes into every manifest."""


async def read_body(
    request: Request,
    max_bytes: int = BODY_MAX_BYTES,
    media_types: tuple[str, ...] = ("application/json",),
) -> Any:
    """The request's JSON.

    Errors: HttpError 413, 415, 408; ConfigError for what is not JSON.
    """
    _check_media_type(request, media_types)
    octets = await read_octets(request, max_bytes)
    if len(octets) <= INLINE_MAX_BYTES:
        return parse_json(octets)
    return await run_in_threadpool(parse_large_json, octets)


async def read_text(request: Request, max_bytes: int, media_types: tuple[str, ...]) -> str:
    """The request's text. Errors: HttpError 413, 415, 408; ConfigError for what is no UTF-8."""
    _check_media_type(request, media_types)
    try:
        return (await read_octets(request, max_bytes)).decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8 at octet {error.start}."
        raise ConfigError([Reason("", "not_utf8", detail)]) from None


def read_query(request: Request, allowed: tuple[str, ...]) -> dict[str, str]:
    """The query's parameters; one that is only named is true.

    Errors: ConfigError for each that is unknown here or given twice.
    """
    items = request.query_params.multi_items()
    names = [name for name, _ in items]
    known = ", ".join(allowed) or "none"
    faults = [
        Reason("", "unknown_parameter", f"No parameter {name[:200]!r} here.", name[:200],
               f"Known are: {known}.")
        for name in dict.fromkeys(names)
        if name not in allowed
    ]  # fmt: skip
    faults += [
        Reason("", "duplicate_parameter", f"The parameter {name} is given twice.", name)
        for name in allowed
        if names.count(name) > 1
    ]
    if faults:
        raise ConfigError(faults)
    bare = {unquote_plus(part) for part in request.url.query.split("&") if "=" not in part}
    return {name: "true" if name in bare else text for name, text in items}


def read_terms(request: Request, query: dict[str, str]) -> Terms:
    """The terms of a write. Errors: ConfigError."""
    reason = query.get("reason", "").strip()
    force = flag(query, "force")
    if len(reason) > REASON_MAX_CHARACTERS or not reason.isprintable() or (force and not reason):
        detail = f"A reason has 1 to {REASON_MAX_CHARACTERS} printable characters."
        what = "Force needs one" if force else "Leave it out or say it"
        raise ConfigError([Reason("", "reason_required", detail, hint=f"{what}: &reason=….")])
    return Terms(
        actor=request.state.actor,
        request_id=request.state.request_id,
        reason=reason,
        plan=flag(query, "plan"),
        wait=flag(query, "wait"),
        forced=reason if force else None,
        if_match=read_if_match(request.headers.get("if-match")),
        if_none_match=read_if_none_match(request.headers.get("if-none-match")),
        scope=scope_of(request),
    )


def scope_of(request: Request) -> Scope:
    """What the token of a request is limited to."""
    return Scope.of(request.state.token)


def author(request: Request) -> dict[str, str]:
    """Who asks and by which request, as the audit wants to know."""
    return {"actor": request.state.actor, "request_id": request.state.request_id}


def flag(query: dict[str, str], name: str) -> bool:
    """A parameter that is true or false. Errors: ConfigError."""
    text = query.get(name, "false").lower()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    detail = f"The parameter {name} is true or false."
    raise ConfigError([Reason("", "bad_parameter", detail, text[:200])])


def number(query: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    """A parameter that is a whole number within bounds. Errors: ConfigError."""
    text = query.get(name, str(default))
    # isdecimal alone takes any script's digits
    if text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    detail = f"The parameter {name} is a number from {low} to {high}."
    raise ConfigError([Reason("", "out_of_range", detail, text[:200])])


def required(query: dict[str, str], name: str) -> str:
    """A parameter that must be there. Errors: ConfigError."""
    if query.get(name):
        return query[name]
    raise ConfigError([Reason("", "required", f"The parameter {name} is required.")])


# --- The body's octets ---


def _check_media_type(request: Request, media_types: tuple[str, ...]) -> None:
    field = request.headers.get("content-type", "")
    if field.partition(";")[0].strip().lower() not in media_types:
        raise _unsupported(f"A body here is {' or '.join(media_types)}.", field)
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() != "identity":
        raise _unsupported("A body here is not compressed.", coding)


def _unsupported(detail: str, found: str) -> HttpError:
    hint = f"It was sent as {found[:100]}." if found else "It was sent without Content-Type."
    return HttpError(415, "unsupported_media_type", "Unsupported media type", detail, hint=hint)


async def read_octets(request: Request, max_bytes: int) -> bytes:
    """The request's body as it came. Errors: HttpError 413, 408."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    octets = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                octets += chunk
                if len(octets) > max_bytes:
                    raise _too_large(max_bytes)
    except TimeoutError:
        detail = f"The body did not arrive within {BODY_TIMEOUT_S:g} s."
        raise HttpError(408, "timeout", "Request timeout", detail) from None
    return bytes(octets)


def _too_large(max_bytes: int) -> HttpError:
    detail = f"The body is larger than {max_bytes} octets."
    return HttpError(413, "too_large", "Too large", detail)

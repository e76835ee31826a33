"""Errors as problem details (RFC 9457): one shape for whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from geodns.errors import GeodnsError, Reason, Unavailable

MEDIA_TYPE = "application/problem+json"

REASONS_MAX = 1000
"""Most reasons in one reply. Source: no reference; more is one mistake repeated."""

VALUE_MAX_CHARACTERS = 200
"""Longest value shown back, in JSON. Source: no reference; enough to recognise it."""


TEXT_MAX_CHARACTERS = 600
"""Longest pointer or detail, whose middle may be what a client sent. Source: no reference."""


class HttpError(GeodnsError):
    """What goes wrong in HTTP itself, so that no layer below knows of it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.title = title
        self.headers = dict(headers or {})
        self.problem_code = code
        super().__init__([Reason("", code, detail, hint=hint)])


def problem_response(error: GeodnsError, request_id: str) -> Response:
    """The reply that tells a client of ``error``."""
    body = json.dumps(problem(error, request_id), separators=(",", ":"))
    headers = error.headers if isinstance(error, HttpError) else {}
    return Response(body, error.status, headers, MEDIA_TYPE)


def problem(error: GeodnsError, request_id: str) -> dict[str, Any]:
    """The problem document of ``error``."""
    code = error.problem_code if isinstance(error, HttpError) else error.code()
    return {
        "type": f"/problems/{code}",
        "title": error.title,
        "status": error.status,
        "detail": _summary(error),
        "request_id": request_id,
        "reasons": [reason_view(reason) for reason in error.reasons[:REASONS_MAX]],
    }


def reason_view(reason: Reason) -> dict[str, Any]:
    """One reason as clients see it; what says nothing is left out."""
    view: dict[str, Any] = {"pointer": _bounded(reason.pointer), "code": reason.code}
    if reason.value is not None:
        view["value"] = _shown(reason.value)
    view["detail"] = _bounded(reason.detail)
    if reason.hint:
        view["hint"] = reason.hint
    return view


def _summary(error: GeodnsError) -> str:
    count = len(error.reasons)
    if count == 1 or isinstance(
        error, Unavailable
    ):  # where a change may be saved, or none be meant
        return _bounded(" ".join(reason.detail for reason in error.reasons[:REASONS_MAX]))
    shown = f"; the first {REASONS_MAX} are listed" if count > REASONS_MAX else ""
    return f"{count} reasons{shown}; nothing changed."


def _bounded(text: str) -> str:
    if len(text) <= TEXT_MAX_CHARACTERS:
        return text
    half = TEXT_MAX_CHARACTERS // 2
    return f"{text[:half]}…{text[-half:]}"


def _shown(value: object) -> Any:
    """The value itself if it is short JSON, else the head of its text."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        text = str(value)
    else:
        if len(text) <= VALUE_MAX_CHARACTERS:
            return value
    text = value if isinstance(value, str) else text
    return text[:VALUE_MAX_CHARACTERS] + "…"

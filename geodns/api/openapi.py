"""The description of the API that programs read: OpenAPI 3.1, complete enough to make clients of.

Routes say what only they know: parameters, bodies, summaries. What comes back, what each
operation is called, and examples are added here, from the table of `operations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodns.api import examples
from geodns.api.kinds import Kind
from geodns.api.operations import Operation, operations
from geodns.api.replies import ref
from geodns.api.schemas import key_schema, name_of, schemas

Part = dict[str, Any]
Parameters = Mapping[str, tuple[str | Part, str]]
"""By name: a type or a schema, and what it is for."""

TERMS: Parameters = {
    "plan": ("boolean", "Answer what would be done, and do nothing."),
    "wait": ("boolean", "Answer when all workers serve it."),
    "force": ("boolean", "Override a brake; needs reason."),
    "reason": (
        {"type": "string", "maxLength": 500, "pattern": r"^[^\x00-\x1f\x7f]*$"},
        "Why; kept in the audit, and needed to override a brake.",
    ),
}
PAGING: Parameters = {
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
        "At most so many items.",
    ),
    "cursor": ("string", "The next of the page before."),
}
NUMBERED: Parameters = {
    **PAGING,
    "cursor": ({"type": "string", "pattern": "^[0-9]{1,15}$"}, "The next of the page before."),
}

HEADERS: Mapping[str, tuple[Part, str, str | None]] = {
    "If-Match": (
        {"type": "string"},
        'Write only if this is the current ETag, as in "7" (RFC 9110 §13.1.1).',
        '"7"',
    ),
    "If-None-Match": (
        {"type": "string"},
        "Read only if the ETag is another (RFC 9110 §13.1.2).",
        '"6"',
    ),
    "Idempotency-Key": (
        {"type": "string", "pattern": r'^([!#-~]{1,255}|"[!#-~]{1,255}")$'},
        "The same key again, with the same request, gives the same reply and does nothing anew.",
        None,  # who tries the contract out would repeat what was done before
    ),
    "Last-Event-ID": (
        {"type": "string", "pattern": "^[0-9]{1,15}-[0-9]{1,15}$"},
        "Where the stream broke off.",
        "17-4182",
    ),
}

_PROBLEMS = {
    "401": "The token is missing or not known.",
    "403": "The token's role does not allow it.",
    "404": "It does not exist.",
    "409": "What is there forbids it: in use, there already, or a brake.",
    "412": "It was changed meanwhile, or is there already.",
    "413": "The body is too large.",
    "415": "The body's media type is not one of these.",
    "422": "Refused, with every reason.",
    "429": "Too many at once; Retry-After says when.",
    "503": "Something is away; what was served is served on.",
    "504": "Saved, but not served by all workers in time.",
}


def operation(
    kind: Kind,
    method: str,
    *,
    item: bool,
    body: Part | None = None,
    query: Parameters | None = None,
) -> Part:
    """What FastAPI cannot see of a resource's route: its parameters and body."""
    fields = kind.fields if item else kind.fields[: kind.home]
    return described(
        path=fields,
        query={**(query or {}), **(TERMS if method != "GET" else {} if item else PAGING)},
        header=_CONDITIONS.get(method, ()) if item else (),
        body=body or _body_of(kind, method),
    )


_CONDITIONS = {
    "PUT": ("If-Match", "If-None-Match"),
    "PATCH": ("If-Match",),
    "DELETE": ("If-Match",),
}


def _body_of(kind: Kind, method: str) -> Part | None:
    name = name_of(kind)
    if method == "PATCH":
        # RFC 7396 §3 has a type of its own; plain JSON is what most clients send.
        return body(ref(f"{name}Patch"), "application/merge-patch+json", "application/json")
    schema = {"PUT": f"{name}Body", "POST": f"New{name}"}.get(method)
    return None if schema is None else body(ref(schema))


def described(
    *,
    path: tuple[str, ...] = (),
    query: Parameters | None = None,
    header: tuple[str, ...] = (),
    body: Part | None = None,
    required: tuple[str, ...] = (),
) -> Part:
    """Parameters and the body of an operation; of its query some may be required."""
    parameters = [
        _parameter("path", name, key_schema(name), "", example=examples.PATH.get(name))
        for name in path
    ]
    for name, (schema, about) in (query or {}).items():
        each = _parameter("query", name, schema, about)
        parameters.append({**each, "required": name in required})
    parameters += [
        _header(name, writes=body is not None or "If-Match" in header) for name in header
    ]
    return {"parameters": parameters, **({"requestBody": body} if body else {})}


def body(schema: Part, *media_types: str, example: object = None) -> Part:
    """A required request body."""
    content: Part = {"schema": schema, **({"example": example} if example is not None else {})}
    return {
        "required": True,
        "content": dict.fromkeys(media_types or ("application/json",), content),
    }


def complete(document: Part) -> Part:
    """FastAPI's document with names, replies, schemas and examples."""
    components = document.setdefault("components", {})
    components["schemas"] = schemas()
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token of /tokens."}
    }
    components["responses"] = {f"Problem{code}": _problem(code) for code in _PROBLEMS}
    known = operations()
    for path, methods in document.get("paths", {}).items():
        for method, each in methods.items():
            each["security"] = [{"bearer": []}] if path.startswith("/api") else []
            found = known.get((method.upper(), path))
            if found is not None:
                _complete(each, method.upper(), found)
    return document


# --- Parts ---


def _complete(each: Part, method: str, known: Operation) -> None:
    each["operationId"] = known.id
    parameters = each.setdefault("parameters", [])
    sent = {parameter["name"] for parameter in parameters}
    if method == "POST" and known.keyed:
        parameters.append(_header("Idempotency-Key", writes=True))
    if "ETag" in known.headers and method == "GET" and "If-None-Match" not in sent:
        parameters.append(_header("If-None-Match", writes=False))
    content = each.get("requestBody", {}).get("content", {})
    for media in content.values():
        if known.body is not None:
            media["schema"] = known.body
        if known.example is not None:
            media.setdefault("example", known.example)
    each["responses"] = {
        **{status: _reply(known, status) for status in known.replies},
        **{code: {"$ref": f"#/components/responses/Problem{code}"} for code in known.problems},
        "default": _problem("500"),
    }


def _reply(known: Operation, status: str) -> Part:
    schema = known.replies[status]
    reply: Part = {"description": known.about.get(status, _DONE.get(status, "Done"))}
    if schema is not None:
        reply["content"] = {known.media_type: {"schema": schema}}
    names = [name for name in known.headers if status != "304" or name == "ETag"]
    names += ["Location"] if status == "201" and known.located else []
    if names and status != "204":
        reply["headers"] = {name: _REPLY_HEADERS[name] for name in names}
    if known.links and status in ("200", "201"):
        reply["links"] = known.links
    return reply


_DONE = {"200": "Done", "201": "Made", "204": "Done; there is nothing to say", "304": "Unchanged"}

_REPLY_HEADERS: Mapping[str, Part] = {
    "ETag": {
        "description": "The revision, for If-Match and If-None-Match.",
        "schema": {"type": "string", "pattern": '^"[!#-~]+"$'},
    },
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
}


def _problem(code: str) -> Part:
    headers: Part = {}
    if code == "401":
        headers = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    return {
        "description": _PROBLEMS.get(code, "What went wrong"),
        **({"headers": headers} if headers else {}),
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def _parameter(
    where: str, name: str, schema: str | Part, about: str, example: object = None
) -> Part:
    if isinstance(schema, str):
        schema = {"type": schema}
    shown = examples.QUERY.get(name) if example is None and where == "query" else example
    return {
        "in": where,
        "name": name,
        "schema": schema,
        "required": where == "path",
        **({"description": about} if about else {}),
        **({"example": shown} if shown is not None else {}),
    }


def _header(name: str, *, writes: bool) -> Part:
    schema, about, example = HEADERS[name]
    if name == "If-None-Match" and writes:
        about, example = "With *: write only if there is none (RFC 9110 §13.1.2).", "*"
    return _parameter("header", name, schema, about, example)

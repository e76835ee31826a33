"""The description of the API that programs read, and a page of it that people read.

The page is one self-contained file: an edge node has no way to a content network.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from geodns.api.kinds import ALL, Kind
from geodns.document.schema import document_of
from geodns.model.asked import Heartbeat, NewToken, PushedVerdict

_REF = "#/components/schemas/"

TERMS = {
    "plan": ("boolean", "Answer what would be done, and do nothing."),
    "wait": ("boolean", "Answer when all workers serve it."),
    "force": ("boolean", "Override a brake; needs reason."),
    "reason": ("string", "Why; kept in the audit, and needed to override a brake."),
}
PAGING = {
    "limit": ("integer", "At most so many items."),
    "cursor": ("string", "The next of the page before."),
}


OTHERS = (Heartbeat, NewToken, PushedVerdict)
"""Bodies that are no resources."""


def operation(
    kind: Kind, method: str, *, item: bool, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What FastAPI cannot see of a resource's route: its parameters, body and errors."""
    fields = kind.fields if item else kind.fields[: kind.home]
    writes = method != "GET"
    return described(
        path=fields,
        query=TERMS if writes else ({} if item else PAGING),
        header=("If-Match", "If-None-Match") if writes and item else (),
        body=body or _body_of(kind, method),
    )


def _body_of(kind: Kind, method: str) -> dict[str, Any] | None:
    if method == "PATCH":
        return body({"type": "object"}, "application/merge-patch+json")
    prefix = {"PUT": "", "POST": "New"}.get(method)
    return None if prefix is None else body({"$ref": _REF + prefix + _name(kind)})


def described(
    *,
    path: tuple[str, ...] = (),
    query: dict[str, tuple[str, str]] | None = None,
    header: tuple[str, ...] = (),
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Parameters, the body, and the one form of errors."""
    parameters = [_parameter("path", name, "string", "", required=True) for name in path]
    parameters += [_parameter("query", name, *about) for name, about in (query or {}).items()]
    parameters += [_parameter("header", name, "string", "RFC 9110 §13.1.") for name in header]
    problem = {"application/problem+json": {"schema": {"$ref": _REF + "Problem"}}}
    return {
        "parameters": parameters,
        "responses": {"default": {"description": "What went wrong", "content": problem}},
        **({"requestBody": body} if body else {}),
    }


def body(schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """A required request body."""
    return {"required": True, "content": {media_type: {"schema": schema}}}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with the schemas that our operations refer to."""
    components = document.setdefault("components", {})
    components["schemas"] = schemas()
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, methods in document.get("paths", {}).items():
        for each in methods.values():
            each["security"] = [{"bearer": []}] if path.startswith("/api") else []
    return document


def schemas() -> dict[str, Any]:
    """The schemas of all resources, of the document and of problems."""
    models: list[type[BaseModel]] = [*(kind.model for kind in ALL), *OTHERS]
    _, found = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=_REF + "{model}",
    )
    own: dict[str, Any] = found["$defs"]
    new = {f"New{_name(kind)}": _with_id(own[_name(kind)]) for kind in ALL}
    return {**own, **new, "Document": document_of(own, _REF), "Problem": _PROBLEM}


def page(document: dict[str, Any]) -> tuple[str, str]:
    """The API on one page of HTML, and the Content-Security-Policy that fits it."""
    rows = [
        f"<tr><td><code>{escape(method.upper())}</code><td><code>{escape(path)}</code>"
        f"<td>{escape(each.get('summary', ''))}<td>{_parameter_names(each)}"
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]
    info = document["info"]
    html = _PAGE.format(
        title=escape(f"{info['title']} {info['version']}"),
        about=escape(info.get("description", "")),
        style=_STYLE,
        rows="\n".join(rows),
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return html, policy


# --- Parts ---


def _parameter(
    where: str, name: str, kind: str, about: str, required: bool = False
) -> dict[str, Any]:
    parameter: dict[str, Any] = {"in": where, "name": name, "schema": {"type": kind}}
    if about:
        parameter["description"] = about
    return {**parameter, "required": required}


def _parameter_names(each: dict[str, Any]) -> str:
    names = [found["name"] for found in each.get("parameters", ()) if found["in"] == "query"]
    return ", ".join(f"<code>{escape(name)}</code>" for name in names)


def _with_id(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {"id": {"type": "string"}, **schema["properties"]}
    return {
        **schema,
        "properties": properties,
        "required": ["id", *schema.get("required", ())],
    }


def _name(kind: Kind) -> str:
    return kind.model.__name__


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457; every reason at once.",
    "required": ["type", "title", "status", "detail", "request_id", "reasons"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "value": {},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                },
            },
        },
    },
}

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
       padding: 0 1rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
         border-bottom: 1px solid #8884; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<h1>{title}</h1>
<p>{about}</p>
<p>The whole contract with all fields, for programs: <a href="/openapi.json">/openapi.json</a></p>
<table>
<thead><tr><th>Method<th>Path<th>What it does<th>Parameters</thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""

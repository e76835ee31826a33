"""The schemas of the contract: what is sent, what comes back, and how a patch looks."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from geodns.api import examples
from geodns.api.kinds import ALL, LATENCY, Kind
from geodns.api.replies import (
    COUNT,
    POINT,
    REF,
    REPLIES,
    Schema,
    list_of,
    object_of,
    or_null,
    ref,
)
from geodns.document.schema import NAME_PATTERN, TYPE_PATTERN, definitions_of, document_of
from geodns.model.asked import Heartbeat, NewToken, PushedVerdict, Rotation
from geodns.model.base import ID_PATTERN

OTHERS: tuple[type[BaseModel], ...] = (Heartbeat, NewToken, PushedVerdict, Rotation)
"""Bodies that are no resources."""


def name_of(kind: Kind) -> str:
    """How a kind's own schema is called."""
    return kind.model.__name__


def key_schema(field: str) -> Schema:
    """One part of a resource's key in a URL."""
    if field in ("zone", "owner"):
        # In a URL a slash is \\047 and nothing else.
        pattern = NAME_PATTERN.replace(r"\-/-:", r"\-0-:").replace("[ -/:-~]", "[ -.:-~]")
        return {"type": "string", "pattern": pattern, "maxLength": 1020}
    if field == "number":
        return {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    return {"type": "string", "pattern": TYPE_PATTERN if field == "type" else ID_PATTERN}


def schemas() -> dict[str, Schema]:
    """All schemas by name: for a kind Node its Node (as documents have it), NodeBody (PUT),
    NewNode (POST), NodePatch, NodeView (replies) and NodePage."""
    models: list[type[BaseModel]] = [*(kind.model for kind in ALL), *OTHERS]
    own: dict[str, Schema] = _untitled(definitions_of(*models, ref=REF))
    found: dict[str, Schema] = {**own}
    for kind in ALL:
        found |= _of_kind(kind, own)
    found["Document"] = document_of(own, REF)
    for name, example in examples.OTHERS.items():
        found[name] = {**found[name], "examples": [example]}
    found["TokenPatch"] = _patch(own["NewToken"], own)
    return {**found, **REPLIES}


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic gives: generators would name two models alike by them."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _untitled(part)
        for key, part in schema.items()
        if key != "title" or not isinstance(part, str)
    }


def _of_kind(kind: Kind, own: dict[str, Schema]) -> dict[str, Schema]:
    name = name_of(kind)
    schema, example = own[name], examples.BODIES[kind.word]
    own[name] = schema = {**schema, "examples": [example]}
    page = {f"{name}Page": _page(name)}
    if kind is LATENCY:
        return {**page, f"{name}View": _TABLE}
    id_schema = _id_schema(kind)
    new = {
        **schema,
        "properties": {"id": id_schema, **_IGNORED, **schema["properties"]},
        "required": ["id", *schema.get("required", ())],
        "examples": [{"id": examples.IDS[kind.word], **example}],
    }
    body = {**schema, "properties": {"id": _ANY, **_IGNORED, **schema["properties"]}}
    return {
        **page,
        name: schema,
        f"{name}Body": body,
        f"New{name}": new,
        f"{name}Patch": {
            **_patch(schema, own),
            "examples": [examples.PATCHES[kind.word]],
        },
        f"{name}View": _view(kind, schema, id_schema),
    }


def _id_schema(kind: Kind) -> Schema:
    parts = [key_schema(field)["pattern"][1:-1] for field in kind.fields[kind.home :]]
    return {"type": "string", "pattern": f"^{'/'.join(parts)}$"}


def _page(name: str) -> Schema:
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": ref(f"{name}View")},
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the next page; null on the last.",
            },
        },
    }


# --- Replies ---


def _view(kind: Kind, schema: Schema, id_schema: Schema) -> Schema:
    """What is read: every field, defaults included, and what the server knows besides."""
    fields = schema["properties"]
    own = {
        "id": id_schema,
        "revision": {"type": "integer", "minimum": 1, "description": "What ETag says."},
        "status": _STATUSES.get(kind.word, {"type": "null"}),
        **({"author": {"type": "string"}} if kind.word == "override" else {}),
    }
    more = {
        "warnings": {
            "type": "array",
            "items": ref("Reason"),
            "description": "In replies to writes: what is allowed but seldom meant.",
        },
        **({"secret": _SECRET} if kind.word == "node" else {}),
    }
    read = kind.model.model_validate_json(json.dumps(examples.BODIES[kind.word]))
    example = {
        "id": examples.IDS[kind.word],
        "revision": 7,
        "status": None,
        **({"author": "admin"} if kind.word == "override" else {}),
        **read.model_dump(mode="json"),
    }
    return {
        "type": "object",
        "description": f"A {kind.word} as it is read: all its fields, and what is known of it.",
        "required": [*own, *fields],
        "properties": {**own, **fields, **more},
        "examples": [example],
    }


# --- Merge patches (RFC 7396) ---


def _patch(schema: Schema, own: dict[str, Schema]) -> Schema:
    """A part of a body: any field may be absent, and null takes away what need not be there."""
    required = schema.get("required", ())
    fields = {
        name: _patched(part, own, removable=name not in required)
        for name, part in schema["properties"].items()
    }
    return {
        "type": "object",
        "description": "A JSON merge patch (RFC 7396): null removes a field.",
        "additionalProperties": False,
        "properties": {"id": _ANY, **_IGNORED, **fields},
    }


def _patched(schema: Schema, own: dict[str, Schema], *, removable: bool) -> Schema:
    plain = {key: part for key, part in schema.items() if key not in ("default", "title")}
    if "anyOf" in plain:
        options = [_merged(part, own) for part in plain.pop("anyOf")]
    else:
        options = [_merged(plain, own)]
        plain = {key: plain[key] for key in ("description",) if key in plain}
    if removable and {"type": "null"} not in options:
        options.append({"type": "null"})
    return {**plain, **(options[0] if len(options) == 1 else {"anyOf": options})}


def _merged(schema: Schema, own: dict[str, Schema]) -> Schema:
    """What may stand in a patch for a value: of an object a part, of all else the whole."""
    target = own.get(str(schema.get("$ref", "")).removeprefix(REF))
    if target is not None and target.get("type") == "object":
        required = target.get("required", ())
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: _patched(part, own, removable=name not in required)
                for name, part in target["properties"].items()
            },
        }
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        whole: Schema = {key: schema[key] for key in ("type", "propertyNames") if key in schema}
        return {**whole, "additionalProperties": _patched(values, own, removable=True)}
    return schema


# --- Fields of replies ---

_ANY: Schema = {"description": "Read-only; ignored.", "readOnly": True}
_IGNORED = dict.fromkeys(("revision", "status", "author", "warnings"), _ANY)

_SECRET: Schema = {
    "type": "string",
    "description": "A token's secret, in the one reply to who made it.",
}

_STATUSES: dict[str, Schema] = {
    "node": ref("NodeStatus"),
    "steer": or_null(ref("SteerStatus")),
    "webhook": or_null(ref("WebhookStatus")),
    "network": object_of("Where it is taken to be.", location=POINT),
}

_TABLE = object_of(
    "A latency table in a few words; its own URL has it whole, as text/csv.",
    optional=("warnings",),
    id={"type": "string", "pattern": ID_PATTERN},
    revision=COUNT,
    rows=COUNT,
    nodes=COUNT,
    warnings=list_of(ref("Reason")),
)

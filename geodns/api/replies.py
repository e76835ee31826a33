"""The schemas of what comes back besides resources."""

from __future__ import annotations

from typing import Any

from geodns.api import examples

Schema = dict[str, Any]

REF = "#/components/schemas/"


def ref(name: str) -> Schema:
    """A reference to a schema of ours."""
    return {"$ref": REF + name}


_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
_INSTANT: Schema = {"type": "string", "format": "date-time"}


def or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def object_of(about: str = "", /, optional: tuple[str, ...] = (), **fields: Schema) -> Schema:
    told = {"description": about} if about else {}
    required = [name for name in fields if name not in optional]
    return {"type": "object", **told, "required": required, "properties": fields}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_STATE: Schema = {"type": "string", "enum": ["up", "down", "unknown"]}
POINT = or_null(ref("Location"))

_PLAN = object_of(
    "What a write would do, and what forbids it without force.",
    base={**COUNT, "description": "The revision it was compared with."},
    changes=list_of(ref("Change")),
    brakes=list_of(ref("Reason")),
    warnings=list_of(ref("Reason")),
)

_CHANGE = object_of(
    "One resource that differs; its bodies without defaults.",
    pointer=_TEXT,
    kind={"type": "string", "enum": ["add", "change", "remove"]},
    before={"type": ["object", "null"]},
    after={"type": ["object", "null"]},
)

_OUTCOME = object_of(
    "What a write of many resources did.",
    revision=COUNT,
    changed={"type": "boolean"},
    warnings=list_of(ref("Reason")),
)

_ENTRY_FIELDS: dict[str, Schema] = {
    "number": COUNT,
    "revision": {
        **or_null(COUNT),
        "description": "Null where the configuration stayed as it was.",
    },
    "at": _INSTANT,
    "actor": {**_TEXT, "description": "The id of a token."},
    "reason": _TEXT,
    "request_id": _TEXT,
    "document": or_null(_TEXT),
    "hash": {**_TEXT, "description": "Covers the entry and the hash of the one before."},
    "changed": {**COUNT, "description": "How many resources."},
}


def _entry(**more: Schema) -> Schema:
    about = "Who changed what, when and why."
    return object_of(about, (), **_ENTRY_FIELDS, **more)


_CHANGED = object_of(
    "What was done to one resource.",
    kind=_TEXT,
    id=_TEXT,
    before={"type": ["object", "null"]},
    after={"type": ["object", "null"]},
)


def _paged(items: Schema) -> Schema:
    return object_of(items=list_of(items), next=or_null(_TEXT))


_TARGET = object_of(
    "One address and how one monitor finds it.",
    optional=(
        "lasted_s",
        "flapping",
        "next_check_in_s",
        "uptime",
        "uptime_since",
        "last",
        "transitions",
    ),
    nodes=list_of(_TEXT),
    address=_TEXT,
    monitor=or_null(_TEXT),
    state=_STATE,
    override={"type": ["object", "null"]},
    unsettled={"type": "boolean"},
    since=or_null(_INSTANT),
    checked=or_null(_INSTANT),
    elapsed_ms=or_null(_NUMBER),
    reason=_TEXT,
    lasted_s=_NUMBER,
    flapping={"type": "boolean"},
    next_check_in_s=or_null(_NUMBER),
    uptime={"type": "object", "additionalProperties": or_null(_NUMBER)},
    uptime_since=_INSTANT,
    last={"type": ["object", "null"]},
    transitions=list_of({"type": "object"}),
)

REPLIES: dict[str, Schema] = {
    "Problem": {
        **object_of(
            "RFC 9457; every reason at once.",
            type=_TEXT,
            title=_TEXT,
            status={"type": "integer"},
            detail=_TEXT,
            request_id=_TEXT,
            reasons=list_of(ref("Reason")),
        ),
        "examples": [examples.PROBLEM],
    },
    "Reason": {
        **object_of(
            "One fault: where (RFC 6901), what in a word and in words, and what to do.",
            optional=("value", "hint"),
            pointer=_TEXT,
            code=_TEXT,
            value={"description": "What was found there, shortened."},
            detail=_TEXT,
            hint=_TEXT,
        ),
        "examples": [examples.REASON],
    },
    "Plan": _PLAN,
    "Change": _CHANGE,
    "Outcome": _OUTCOME,
    "Progress": object_of(
        "Long work that is under way: each request, the step it is at, how much of that is done.",
        items=list_of(
            object_of(
                request_id=_TEXT,
                since=_INSTANT,
                what=_TEXT,
                done=COUNT,
                total={**or_null(COUNT), "description": "Null where nobody knows."},
            )
        ),
    ),
    "Revision": _entry(),
    "Entry": _entry(changes=list_of(ref("Changed"))),
    "Changed": _CHANGED,
    "RevisionPage": _paged(ref("Revision")),
    "EntryPage": _paged(ref("Entry")),
    "Verified": object_of(
        "The chain was found whole from entry first to last.",
        first=or_null(COUNT),
        last=or_null(COUNT),
        head=or_null(_TEXT),
    ),
    "Token": object_of(
        "A right to use the API; never its secret.",
        id=_TEXT,
        role={"type": "string", "enum": ["admin", "operator", "agent", "reader"]},
        nodes=list_of(_TEXT),
        created=_INSTANT,
        expires_at=or_null(_INSTANT),
    ),
    "TokenPage": _paged(ref("Token")),
    "NodeStatus": object_of(
        "A node's health: the worst of its targets, each of them, and where it stands.",
        state=_STATE,
        targets=list_of(ref("Target")),
        location=POINT,
    ),
    "Target": _TARGET,
    "SteerStatus": object_of(
        "How a steer is compiled.",
        cache_entries={"type": "object", "additionalProperties": COUNT},
        classes=COUNT,
    ),
    "WebhookStatus": object_of(
        "What became of its notices.",
        waiting=COUNT,
        delivered=COUNT,
        failed=COUNT,
        dropped=COUNT,
        last={"type": ["object", "null"]},
    ),
    "Status": object_of(
        "The server at a glance.",
        generation=COUNT,
        revision=COUNT,
        engine=_TEXT,
        ready={"type": "boolean"},
        tls={"type": ["object", "null"], "description": "What the API shows; null without TLS."},
        health={"type": "object"},
        workers=list_of({"type": "object"}),
        targets=list_of(ref("Target")),
    ),
    "Explanation": object_of(
        "One answer and why; lines say the same for people.",
        name=_TEXT,
        type=_TEXT,
        kind={"type": "string", "enum": ["steered", "static", "nodata", "nxdomain"]},
        ttl=COUNT,
        scope=COUNT,
        generation=COUNT,
        resolver=_TEXT,
        lines=list_of(_TEXT),
        nodes=list_of(_TEXT),
        addresses=list_of(_TEXT),
        subject=_TEXT,
        by=_TEXT,
        place=_TEXT,
        coarse={"type": "boolean"},
        database=_TEXT,
        rule=_TEXT,
        arm=_TEXT,
        pool=_TEXT,
        order=_TEXT,
        spread=_TEXT,
        candidates=list_of({"type": "object"}),
        cache_entries={"type": "object", "additionalProperties": COUNT},
        notes=list_of(_TEXT),
    ),
    "Lookup": object_of(
        "Where an address is; null where that is not known.",
        optional=("asn", "asn_database"),
        address=_TEXT,
        place=or_null(_TEXT),
        location=or_null(ref("Location")),
        database=_TEXT,
        asn=or_null(_TEXT),
        asn_database=or_null(_TEXT),
    ),
}

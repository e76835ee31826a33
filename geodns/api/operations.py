"""Every operation of the API: what it is called, what comes back, and by which statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geodns.api import examples
from geodns.api.kinds import ALL, LATENCY, Kind
from geodns.api.replies import ref
from geodns.api.schemas import name_of

Schema = dict[str, Any]

PREFIX = "/api/v1"

_ALWAYS = ("401", "403", "422", "429", "503")
_WRITES = ("409", "412", "413", "415", "504")


@dataclass(frozen=True, slots=True)
class Operation:
    """Shape: ``replies`` are schemas by status, None for a reply without a body. ``keyed`` says
    whether it takes an Idempotency-Key, ``located`` whether 201 has a Location."""

    id: str
    replies: Mapping[str, Schema | None]
    problems: tuple[str, ...] = _ALWAYS
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"
    keyed: bool = False
    located: bool = False
    example: object = None
    body: Schema | None = None
    links: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


def operations() -> dict[tuple[str, str], Operation]:
    """All of them by method and path."""
    found = {**_OTHERS}
    for kind in ALL:
        found |= _of_tables() if kind is LATENCY else _of_kind(kind)
    return {(method, PREFIX + path): each for (method, path), each in found.items()}


def _of_kind(kind: Kind) -> dict[tuple[str, str], Operation]:
    word, name = kind.word, name_of(kind)
    view, plan = ref(f"{name}View"), ref("Plan")
    either = {"anyOf": [view, plan]}
    own = {"id": examples.IDS[word]}
    body, patch = examples.BODIES[word], examples.PATCHES[word]
    # The zone of a collection must exist.
    listed = ("404",) if kind.home else ()
    item = ("404",)
    tag = ("ETag",)
    links = _links(kind)
    return {
        ("GET", kind.collection_path): Operation(
            f"list_{kind.section}", {"200": ref(f"{name}Page")}, (*_ALWAYS, *listed)
        ),
        ("POST", kind.collection_path): Operation(
            f"create_{word}",
            {"201": view, "200": plan},
            (*_ALWAYS, *_WRITES, *listed),
            keyed=True,
            located=True,
            example={**own, **body},
            about={"200": "With plan: what would be done"},
            links=_links_of_new(kind),
        ),
        ("GET", kind.item_path): Operation(
            f"get_{word}", {"200": view, "304": None}, (*_ALWAYS, *item), tag
        ),
        ("PUT", kind.item_path): Operation(
            f"put_{word}",
            {"200": either, "201": view},
            (*_ALWAYS, *_WRITES, *listed),
            located=True,
            example=body,
            links=links,
        ),
        ("PATCH", kind.item_path): Operation(
            f"patch_{word}", {"200": either}, (*_ALWAYS, *_WRITES, *item), example=patch
        ),
        ("DELETE", kind.item_path): Operation(
            f"delete_{word}",
            {"204": None, "200": plan},
            (*_ALWAYS, "409", "412", "504", *item),
            about={"200": "With plan: what would be done"},
        ),
    }


def _links(kind: Kind) -> dict[str, Any]:
    """From a PUT to all that can follow."""
    parameters = {field: f"$request.path.{field}" for field in kind.fields}
    return {
        each: {"operationId": f"{each}_{kind.word}", "parameters": parameters}
        for each in ("get", "put", "patch", "delete")
    }


def _links_of_new(kind: Kind) -> dict[str, Any]:
    """From a POST; the id of an RRset is two parts of the URL, which links cannot take apart."""
    own = kind.fields[kind.home :]
    if len(own) != 1:
        return {}
    home = {field: f"$request.path.{field}" for field in kind.fields[: kind.home]}
    parameters = {**home, own[0]: "$response.body#/id"}
    return {
        each: {"operationId": f"{each}_{kind.word}", "parameters": parameters}
        for each in ("get", "patch", "delete")
    }


def _of_tables() -> dict[tuple[str, str], Operation]:
    view, text = ref("LatencyView"), {"type": "string"}
    links = _links(LATENCY)
    del links["patch"]
    return {
        ("GET", "/latency"): Operation("list_latency", {"200": ref("LatencyPage")}),
        ("GET", "/latency/{id}"): Operation(
            "get_latency", {"200": text, "304": None}, (*_ALWAYS, "404"), ("ETag",), "text/csv"
        ),
        ("PUT", "/latency/{id}"): Operation(
            "put_latency",
            {"200": {"anyOf": [view, ref("Plan")]}, "201": view},
            (*_ALWAYS, *_WRITES),
            located=True,
            example=examples.LATENCY_TABLE,
            links=links,
        ),
        ("DELETE", "/latency/{id}"): Operation(
            "delete_latency", {"204": None, "200": ref("Plan")}, (*_ALWAYS, "404", "409", "412")
        ),
    }


_WITH_SECRET: Schema = {
    "allOf": [
        ref("Token"),
        {"type": "object", "required": ["secret"], "properties": {"secret": {"type": "string"}}},
    ]
}

_APPLIED = {"anyOf": [ref("Outcome"), ref("Plan")]}

_OTHERS: dict[tuple[str, str], Operation] = {
    ("GET", "/zones/{zone}/zonefile"): Operation(
        "get_zonefile",
        {"200": {"type": "string"}, "304": None},
        (*_ALWAYS, "404"),
        ("ETag",),
        "text/dns",
    ),
    ("PUT", "/zones/{zone}/zonefile"): Operation(
        "put_zonefile",
        {"200": _APPLIED, "201": ref("Outcome")},
        (*_ALWAYS, *_WRITES),
        example=examples.ZONE_FILE,
    ),
    ("GET", "/document"): Operation(
        "export_document", {"200": ref("Document"), "304": None}, headers=("ETag",)
    ),
    ("PUT", "/document"): Operation(
        "apply_document", {"200": _APPLIED}, (*_ALWAYS, *_WRITES), example=examples.DOCUMENT
    ),
    ("POST", "/plan"): Operation(
        "plan_document",
        {"200": ref("Plan")},
        (*_ALWAYS, "409", "413", "415"),
        example=examples.DOCUMENT,
    ),
    ("GET", "/progress"): Operation("get_progress", {"200": ref("Progress")}),
    ("GET", "/revisions"): Operation("list_revisions", {"200": ref("RevisionPage")}),
    ("GET", "/revisions/{number}"): Operation(
        "get_revision", {"200": ref("Entry")}, (*_ALWAYS, "404")
    ),
    ("POST", "/revisions/{number}/restore"): Operation(
        "restore_revision", {"200": _APPLIED}, (*_ALWAYS, *_WRITES, "404"), keyed=True
    ),
    ("GET", "/audit"): Operation("list_audit", {"200": ref("EntryPage")}),
    ("GET", "/audit/verify"): Operation(
        "verify_audit", {"200": ref("Verified")}, (*_ALWAYS, "409")
    ),
    ("GET", "/tokens"): Operation("list_tokens", {"200": ref("TokenPage")}),
    ("POST", "/tokens"): Operation(
        "create_token",
        {"201": _WITH_SECRET},
        (*_ALWAYS, "409", "413", "415"),
        keyed=True,
        example=examples.OTHERS["NewToken"],
    ),
    ("GET", "/tokens/{id}"): Operation("get_token", {"200": ref("Token")}, (*_ALWAYS, "404")),
    ("PATCH", "/tokens/{id}"): Operation(
        "patch_token",
        {"200": ref("Token")},
        (*_ALWAYS, "404", "409", "413", "415"),
        example={"expires_at": "2030-01-01T00:00:00Z"},
        body=ref("TokenPatch"),
    ),
    ("POST", "/tokens/{id}/rotate"): Operation(
        "rotate_token",
        {"200": _WITH_SECRET},
        (*_ALWAYS, "404", "409", "413", "415"),
        keyed=True,
        example={"overlap_s": 3600},
    ),
    ("DELETE", "/tokens/{id}"): Operation("delete_token", {"204": None}, (*_ALWAYS, "404", "409")),
    ("PUT", "/nodes/{id}/heartbeat"): Operation(
        "put_heartbeat",
        {"204": None},
        (*_ALWAYS, "404", "409", "413", "415"),
        example=examples.OTHERS["Heartbeat"],
    ),
    ("PUT", "/monitors/{id}/verdicts/{node}"): Operation(
        "put_verdict",
        {"204": None},
        (*_ALWAYS, "404", "409", "413", "415"),
        example=examples.OTHERS["PushedVerdict"],
    ),
    ("GET", "/events"): Operation(
        "follow_events", {"200": {"type": "string"}}, media_type="text/event-stream"
    ),
    ("GET", "/explain"): Operation("explain", {"200": ref("Explanation")}, (*_ALWAYS, "404")),
    ("GET", "/status"): Operation("get_status", {"200": ref("Status")}),
    ("GET", "/geo/lookup"): Operation("lookup_address", {"200": ref("Lookup")}),
}

"""The document's JSON Schema: what editors complete and check by."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from geodns.document.resources import KINDS, section
from geodns.model.base import ID_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_IN_ZONES = ("zone", "steer", "rrset")


def document_schema() -> dict[str, Any]:
    """The schema of a whole document, of itself: all it refers to is within."""
    models = [(model, "validation") for model in KINDS.values()]
    _, found = models_json_schema(models, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    definitions: dict[str, Any] = found["$defs"]
    document = document_of(definitions, "#/$defs/")
    document["properties"]["env"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "The variables that ${NAME} may stand for in this file.",
    }
    return {"$schema": DIALECT, "title": "geodns document", **document, "$defs": definitions}


def document_of(definitions: dict[str, Any], ref: str) -> dict[str, Any]:
    """The document's own part; the resources' schemas are found below ``ref``."""

    def of(name: str) -> dict[str, str]:
        return {"$ref": ref + name}

    texts = {"type": "array", "items": {"type": "string"}}
    rows = {"type": "array", "items": of("LatencyRow")}
    own = definitions["Zone"]
    zone = {
        **own,
        "properties": {
            **own["properties"],
            "steers": _mapping(of("Steer")),
            "rrsets": _mapping(_mapping({"anyOf": [of("RRset"), texts]})),
        },
    }
    sections = {
        section(kind): _mapping(of(model.__name__), ids=True)
        for kind, model in KINDS.items()
        if kind not in (*_IN_ZONES, "latency")
    }
    return {
        "type": "object",
        "required": ["geodns"],
        "additionalProperties": False,
        "properties": {
            "geodns": {"const": 1, "description": "The schema of the document."},
            "name": {"type": "string", "pattern": ID_PATTERN},
            "zones": _mapping(zone),
            **sections,
            "latency": _mapping({"anyOf": [of("Latency"), rows]}, ids=True),
        },
    }


def _mapping(values: dict[str, Any], *, ids: bool = False) -> dict[str, Any]:
    """Things by id or name; an empty section may be null, as YAML makes easy."""
    names = {"propertyNames": {"pattern": ID_PATTERN}} if ids else {}
    return {"type": ["object", "null"], "additionalProperties": values, **names}

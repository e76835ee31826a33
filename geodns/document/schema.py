"""The document's JSON Schema: what editors complete and check by."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from geodns.dns.rrtypes import TYPES
from geodns.document.conditions import conditions
from geodns.document.resources import KINDS, section
from geodns.model.base import ID_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_LABEL = r"([!#-'*-\-/-:<-\[\]-~]|\\([01][0-9]{2}|2[0-4][0-9]|25[0-5])|\\[ -/:-~]){1,63}"
NAME_PATTERN = rf"^(@|{_LABEL}(\.{_LABEL})*)$"
"""A name in URLs and keys of the document; `geodns.dns.names` knows the bounds besides."""

TYPE_PATTERN = rf"^({'|'.join(TYPES)}|TYPE[0-9]{{1,5}})$"
"""A type of records; lower case is read, too."""

_IN_ZONES = ("zone", "steer", "rrset")


def document_schema() -> dict[str, Any]:
    """The schema of a whole document, of itself: all it refers to is within."""
    definitions = definitions_of(*KINDS.values(), ref="#/$defs/")
    document = document_of(definitions, "#/$defs/")
    document["properties"]["env"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "The variables that ${NAME} may stand for in this file.",
    }
    return {"$schema": DIALECT, "title": "geodns document", **document, "$defs": definitions}


def definitions_of(*models: type[BaseModel], ref: str) -> dict[str, Any]:
    """The schemas of bodies by the names of their models, which refer to each other below
    ``ref``."""
    _, found = models_json_schema(
        [(model, "validation") for model in models], ref_template=ref + "{model}"
    )
    definitions: dict[str, Any] = _plain(found["$defs"])
    for name, more in conditions().items():
        if name in definitions:
            definitions[name] |= more
    return definitions


def document_of(definitions: dict[str, Any], ref: str) -> dict[str, Any]:
    """The document's own part; the resources' schemas are found below ``ref``."""

    def of(name: str) -> dict[str, str]:
        return {"$ref": ref + name}

    texts = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    rows = {"type": "array", "items": of("LatencyRow"), "minItems": 1}
    own = definitions["Zone"]
    types = {"type": "object", "additionalProperties": {"anyOf": [of("RRset"), texts]}}
    zone = {
        **own,
        "properties": {
            **own["properties"],
            "steers": _mapping(of("Steer"), NAME_PATTERN),
            "rrsets": _mapping(types, NAME_PATTERN),
        },
    }
    sections = {
        section(kind): _mapping(of(model.__name__), ID_PATTERN)
        for kind, model in KINDS.items()
        if kind not in (*_IN_ZONES, "latency")
    }
    return {
        "type": "object",
        "required": ["geodns"],
        "additionalProperties": False,
        "properties": {
            "geodns": {"const": 1, "description": "The schema of the document."},
            "name": {
                "type": "string",
                "pattern": ID_PATTERN,
                "description": "The document's own name; prune removes only what documents of "
                "this name made.",
            },
            "zones": _mapping(zone, NAME_PATTERN),
            **sections,
            "latency": _mapping({"anyOf": [of("Latency"), rows]}, ID_PATTERN),
        },
    }


def _mapping(values: dict[str, Any], names: str | None = None) -> dict[str, Any]:
    """Things by id or name; an empty section may be null, as YAML makes easy."""
    keys = {"propertyNames": {"pattern": names}} if names else {}
    return {"type": ["object", "null"], "additionalProperties": values, **keys}


def _plain(schema: Any) -> Any:
    """pydantic's schema, where two things are not so: keys that match no pattern are refused, and
    secrets are read, too, though hidden."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: _plain(part) for key, part in schema.items() if key != "writeOnly"}
    by_pattern = parts.get("patternProperties")
    if not isinstance(by_pattern, dict) or len(by_pattern) != 1:
        return parts
    ((pattern, values),) = by_pattern.items()
    del parts["patternProperties"]
    return {**parts, "additionalProperties": values, "propertyNames": {"pattern": pattern}}

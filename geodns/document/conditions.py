"""What JSON Schema can say of fields that depend on one another, for editors and generators.

Written with ``if`` and ``not`` alone: programs that do not know these see the plain fields. Null
and a default mean that a field is absent, so that what was read can be written back.
"""

from __future__ import annotations

from typing import Any

from geodns.document.monitors import RULES
from geodns.model.expect import Expect
from geodns.model.monitor import Monitor
from geodns.model.node import Node

Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}


def conditions() -> dict[str, Schema]:
    """By the name of a model, what to add to its schema."""
    return {
        "Node": {**_either("cname", "string", "addresses", empty={"maxItems": 0})},
        "Network": _either("at", "string", "location"),
        "Steer": _either("pool", "string", "split"),
        "Rule": {**_either("pool", "string", "split"), "not": _none_of_lists(*_MATCHERS)},
        "Pool": {**_either("nodes", "array", "select"), "dependentSchemas": _ORDER},
        "Matchers": {"not": _none_of_lists(*_MATCHERS)},
        "Match": {"not": _all({"nodes": _NULL, "labels": _NULL, "pools": _NULL})},
        "Monitor": _monitor(),
        "NewToken": _AGENT,
    }


_MATCHERS = ("subnets", "asns", "geos")

_ORDER: Schema = {
    "latency": {
        "if": {"properties": {"latency": {"type": "string"}}},
        "then": {"required": ["order"], "properties": {"order": {"const": "latency"}}},
    },
    "order": {
        "if": {"properties": {"order": {"const": "latency"}}},
        "then": {"required": ["latency"], "properties": {"latency": {"type": "string"}}},
    },
}


_AGENT: Schema = {
    "if": {"properties": {"role": {"const": "agent"}}},
    "then": {
        "required": ["nodes"],
        "properties": {"nodes": {"minItems": 1}, "zones": {"maxItems": 0}},
    },
}


def _either(one: str, kind: str, other: str, empty: Schema = _NULL) -> Schema:
    """Exactly one of two fields."""
    wanted = {"minItems": 1} if empty is not _NULL else {"not": _NULL}
    return {
        "if": {"required": [one], "properties": {one: {"type": kind}}},
        "then": {"properties": {other: empty}},
        "else": {"required": [other], "properties": {other: wanted}},
    }


def _none_of_lists(*fields: str) -> Schema:
    return _all({field: {"maxItems": 0} for field in fields})


def _all(properties: Schema) -> Schema:
    """Holds also where the fields are absent."""
    return {"properties": properties}


_MORE: dict[str, Schema] = {"argv": {"prefixItems": [{"type": "string", "pattern": "^[^/]+$"}]}}


def _monitor() -> Schema:
    """One branch for each type: what it needs, and what means nothing to it."""
    branch: Schema = {}
    for kind, rules in reversed(list(RULES.items())):
        takes = rules.takes | {"type", "expect", *(["host"] if "canary" in rules.takes else [])}
        expected = _only(_defaults(Expect), rules.expects)
        needed = {
            field: {"not": _NULL, "minItems": 1} | _MORE.get(field, {}) for field in rules.needs
        }
        if kind == "not":
            needed["of"]["maxItems"] = 1
        then = {
            "required": list(rules.needs),
            "properties": {
                **_only(_defaults(Monitor), takes),
                **needed,
                "expect": {"properties": expected},
            },
        }
        branch = {
            "if": {"properties": {"type": {"const": kind}}},
            "then": then,
            **({"else": branch} if branch else {}),
        }
    return branch


def _only(defaults: Schema, allowed: frozenset[str] | set[str]) -> Schema:
    """Fields that are not allowed may still stand there with their default."""
    return {
        field: {"const": default} for field, default in defaults.items() if field not in allowed
    }


def _defaults(model: type[Node | Monitor | Expect]) -> Schema:
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    blank = model.model_construct().model_dump(mode="json")
    return {name: value for name, value in blank.items() if name not in required}

"""The JSON Schema knows what the reader knows: sections, fields, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from geodns.document.load import _SECTIONS
from geodns.document.resources import KINDS
from geodns.document.schema import document_schema


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            yield from parts(part)


def test_all_that_the_schema_refers_to_is_within() -> None:
    schema = document_schema()
    refs = {part["$ref"] for part in parts(schema) if "$ref" in part}
    assert refs
    assert {ref.removeprefix("#/$defs/") for ref in refs} <= schema["$defs"].keys()


def test_the_schema_has_every_section_and_every_field_and_no_other() -> None:
    schema = document_schema()
    assert set(schema["properties"]) == {*_SECTIONS, "env"}
    zone = schema["properties"]["zones"]["additionalProperties"]
    assert set(zone["properties"]) == {*KINDS["zone"].model_fields, "steers", "rrsets"}
    assert zone["additionalProperties"] is False
    for model in KINDS.values():
        fields = {field.alias or name for name, field in model.model_fields.items()}
        assert set(schema["$defs"][model.__name__]["properties"]) == fields
        assert schema["$defs"][model.__name__]["additionalProperties"] is False

"""Expect: what a healthy reply looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from geodns.model.base import Resource

BODY_MAX_BYTES = 65_536
"""How much of a reply is searched for ``body`` and ``regex``. Source: Route 53 reads 5 kB,
which its users find too little; no reference for 64 kB, chosen as a page's usual head."""

TEXT_MAX_CHARS = 1024
"""Longest text, pattern or octets (twice as many digits). Source: no reference."""

_STATUS = re.compile(r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")
_HEX = re.compile(r"^([0-9A-Fa-f]{2})+$")
_RCODE = re.compile(r"^[A-Z][A-Z0-9]{2,15}$")


def _status_range(text: str) -> str:
    if not _STATUS.fullmatch(text):
        raise ValueError(f"{text!r} is not a status like 200 or a range like 200-299")
    low, _, high = text.partition("-")
    if high and int(high) < int(low):
        raise ValueError(f"{text!r} runs backwards")
    return text


@dataclass(frozen=True)
class Form:
    """Texts of one form, in what is read and in the JSON Schema; ``meaning`` ends "'x' is
    not …"."""

    pattern: re.Pattern[str]
    meaning: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern.pattern}

    def _check(self, text: str) -> str:
        # fullmatch: "$" alone would let a final line end pass
        if not self.pattern.fullmatch(text):
            raise ValueError(f"{text!r} is not {self.meaning}")
        return text


StatusRange = Annotated[
    str,
    AfterValidator(_status_range),
    WithJsonSchema({"type": "string", "pattern": _STATUS.pattern}),
]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_MAX_CHARS)]
Hex = Annotated[str, Field(max_length=2 * TEXT_MAX_CHARS), Form(_HEX, "octets like ffffffff54")]
Rcode = Annotated[str, Form(_RCODE, "a response code like NOERROR or NXDOMAIN")]


class Expect(Resource):
    """What a healthy reply looks like; what is not given is not asked for.

    Shape: ``body`` and ``body_hex`` stand somewhere in the reply, ``regex`` (RE2 syntax) matches
           somewhere in it; ``answer`` is one of the answer's records.
    """

    status: tuple[StatusRange, ...] = Field(default=("200-299",), min_length=1, max_length=16)
    body: Text | None = None
    regex: Text | None = None
    body_hex: Hex | None = None
    rcode: Rcode = "NOERROR"
    answer: Text | None = None
    max_latency_ms: float | None = Field(default=None, gt=0, le=60_000)

    def status_matches(self, status: int) -> bool:
        """Whether an HTTP status code lies in one of the wanted ranges."""
        bounds = (text.partition("-") for text in self.status)
        return any(int(low) <= status <= int(high or low) for low, _, high in bounds)

    @property
    def reads_body(self) -> bool:
        """Whether anything is asked of the reply's content."""
        return bool(self.body or self.regex or self.body_hex)

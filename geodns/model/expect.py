"""Expect: what a healthy reply looks like."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

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
    if not _STATUS.match(text):
        raise ValueError(f"{text!r} is not a status like 200 or a range like 200-299")
    low, _, high = text.partition("-")
    if high and int(high) < int(low):
        raise ValueError(f"{text!r} runs backwards")
    return text


def matching(pattern: re.Pattern[str], meaning: str) -> AfterValidator:
    """A validator for texts of one form; ``meaning`` ends "'x' is not …"."""

    def check(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(f"{text!r} is not {meaning}")
        return text

    return AfterValidator(check)


StatusRange = Annotated[str, AfterValidator(_status_range)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_MAX_CHARS)]
Hex = Annotated[str, Field(max_length=2 * TEXT_MAX_CHARS), matching(_HEX, "octets like ffffffff54")]
Rcode = Annotated[str, matching(_RCODE, "a response code like NOERROR or NXDOMAIN")]


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

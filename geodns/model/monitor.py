"""Monitor: how a node's health is probed, and what counts as healthy."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from geodns.model.base import Resource

MonitorType = Literal["http", "https", "tcp"]

BODY_MAX_BYTES = 65_536
"""How much of a reply is searched for ``expect.body``. Source: Route 53 reads 5 kB,
which its users find too little; no reference for 64 kB, chosen as a page's usual head."""

_STATUS = re.compile(r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"^[\t\x20-\x7e]*$")  # RFC 9110 section 5.5, ASCII part
_PATH = re.compile(r"^/[\x21-\x7e]*$")
_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")

FRAMING_FIELDS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Fields the prober sets itself; in ``headers`` they would contradict it."""


def _status_range(text: str) -> str:
    if not _STATUS.match(text):
        raise ValueError(f"{text!r} is not a status like 200 or a range like 200-299")
    low, _, high = text.partition("-")
    if high and int(high) < int(low):
        raise ValueError(f"{text!r} runs backwards")
    return text


def _matching(pattern: re.Pattern[str], meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.match(text):
            raise ValueError(f"{text!r} is not {meaning}")
        return text

    return AfterValidator(check)


def _not_framing(name: str) -> str:
    if name.lower() in FRAMING_FIELDS:
        raise ValueError(f"{name!r} is set by the probe itself; use host for the Host field")
    return name


StatusRange = Annotated[str, AfterValidator(_status_range)]
FieldName = Annotated[str, _matching(_TOKEN, "an HTTP field name"), AfterValidator(_not_framing)]
FieldValue = Annotated[str, _matching(_FIELD_VALUE, "printable ASCII"), Field(max_length=4096)]


class Expect(Resource):
    """What a healthy reply looks like."""

    status: tuple[StatusRange, ...] = Field(default=("200-299",), min_length=1, max_length=16)
    body: Annotated[str, Field(min_length=1, max_length=1024)] | None = None

    def status_matches(self, status: int) -> bool:
        """Whether an HTTP status code lies in one of the wanted ranges."""
        bounds = (text.partition("-") for text in self.status)
        return any(int(low) <= status <= int(high or low) for low, _, high in bounds)


class Monitor(Resource):
    """A probe repeated at an interval. Units: seconds unless the name says otherwise."""

    type: MonitorType
    port: int | None = Field(default=None, ge=1, le=65_535)
    host: Annotated[str, _matching(_HOST, "a host name")] | None = None
    path: Annotated[str, _matching(_PATH, "an absolute path"), Field(max_length=2048)] = "/"
    method: Literal["GET", "HEAD"] = "GET"
    headers: dict[FieldName, FieldValue] = Field(default={}, max_length=32)
    verify: bool = True
    expect: Expect = Expect()
    interval_s: float = Field(default=5, ge=0.2, le=3600)
    timeout_s: float = Field(default=2, ge=0.05, le=60)
    rise: int = Field(default=2, ge=1, le=100)
    recheck: int = Field(default=4, ge=0, le=20)
    recheck_after_s: float = Field(default=0.2, ge=0.01, le=10)
    hold_s: float = Field(default=0, ge=0, le=86_400)

    def port_or_default(self) -> int:
        """The TCP port probed. For tcp the port is required, which `document` checks."""
        return self.port or {"http": 80, "https": 443}.get(self.type, 0)

"""Monitor: how a node's health is probed, and what counts as healthy."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from geodns.model.base import Id, Resource
from geodns.model.expect import TEXT_MAX_CHARS, Expect, Form, Hex, Text

MonitorType = Literal[
    "http",
    "https",
    "tcp",
    "tls",
    "udp",
    "dns",
    "icmp",
    "grpc",
    "script",
    "push",
    "all",
    "any",
    "count",
    "not",
]

COMBINING = frozenset({"all", "any", "count", "not"})
"""Types that judge by the verdicts of other monitors (``of``) on the same address."""

UNPROBED = COMBINING | {"push"}
"""Types that send nothing themselves."""

DEFAULT_PORT = {"http": 80, "https": 443, "tls": 443, "dns": 53}
"""Source: IANA's registry of ports; for the other types ``port`` is required."""

_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"^[\t\x20-\x7e]*$")  # RFC 9110 section 5.5, ASCII part
_PATH = re.compile(r"^/[\x21-\x7e]*$")
_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
_QUERY = re.compile(r"^[\x21-\x7e]{1,1000}( [A-Z][A-Z0-9-]{0,15})?$")
_SERVICE = re.compile(r"^[\x21-\x7e]*$")
_PEM = "-----BEGIN CERTIFICATE-----"
_PEM_MAX_CHARS = 65_536
"""Source: no reference; some 30 certificates, and a request body is bounded anyway."""

FRAMING_FIELDS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Fields the prober sets itself; in ``headers`` they would contradict it."""


def _not_framing(name: str) -> str:
    if name.lower() in FRAMING_FIELDS:
        raise ValueError(f"{name!r} is set by the probe itself; use host for the Host field")
    return name


def _certificates(text: str) -> str:
    import ssl  # Here, for those who only answer questions need not load it.

    if _PEM not in text:
        raise ValueError(f"is not PEM text with {_PEM}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, UnicodeError) as error:
        raise ValueError(f"holds no certificate that can be read: {error}") from None
    return text


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("an argument cannot hold the octet 0")
    return text


FieldName = Annotated[str, Form(_TOKEN, "an HTTP field name"), AfterValidator(_not_framing)]
FieldValue = Annotated[str, Form(_FIELD_VALUE, "printable ASCII"), Field(max_length=4096)]
Argument = Annotated[str, AfterValidator(_argument), Field(max_length=TEXT_MAX_CHARS)]


class Monitor(Resource):
    """A probe repeated at an interval. Units: seconds unless the name says otherwise.

    Shape: which fields a type takes is checked by `geodns.document.monitors`.
    """

    type: MonitorType = Field(description="What is probed, or how others are combined.")
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="80, 443 or 53 where the type has a usual one."
    )
    host: Annotated[str, Form(_HOST, "a host name")] | None = Field(
        default=None, description="The service's name: Host, SNI, and whom the certificate is for."
    )
    path: Annotated[str, Form(_PATH, "an absolute path"), Field(max_length=2048)] = "/"
    method: Literal["GET", "HEAD"] = "GET"
    headers: dict[FieldName, FieldValue] = Field(default={}, max_length=32)
    tls: bool = Field(default=False, description="Whether gRPC goes by TLS.")
    verify: bool = Field(default=True, description="Whether the certificate must be good.")
    ca: Annotated[str, Field(max_length=_PEM_MAX_CHARS), AfterValidator(_certificates)] | None = (
        Field(default=None, description="Authorities to trust instead of the system's, as PEM.")
    )
    service: Annotated[str, Form(_SERVICE, "printable ASCII"), Field(max_length=255)] = Field(
        default="", description="What a gRPC server is asked about; empty for all of it."
    )
    send: Text | None = Field(default=None, description="What to send first, as text.")
    send_hex: Hex | None = Field(default=None, description="What to send first, as hex digits.")
    query: Annotated[str, Form(_QUERY, 'a name and a type like "www.example.com A"')] | None = (
        Field(default=None, description='A name and a type, "www.example.com A".')
    )
    argv: tuple[Argument, ...] = Field(
        default=(),
        max_length=64,
        description="A file name in the setting scripts_dir, and the program's arguments.",
    )
    of: tuple[Id, ...] = Field(
        default=(), max_length=16, description="The monitors whose verdicts are combined."
    )
    count: int | None = Field(default=None, ge=1, le=16, description="How many must be up.")
    canary: bool = Field(
        default=False,
        description="Something that does not fail with the nodes: if it fails too, it is us.",
    )
    expect: Expect = Field(default=Expect(), description="What counts as healthy.")
    interval_s: float = Field(default=5, ge=0.2, le=3600, description="Between two checks.")
    timeout_s: float = Field(default=2, ge=0.05, le=60, description="For a whole check.")
    rise: int = Field(
        default=2, ge=1, le=100, description="So many passes in a row bring a target back."
    )
    recheck: int = Field(
        default=4, ge=0, le=20, description="So many re-checks must fail too before it is down."
    )
    recheck_after_s: float = Field(
        default=0.2, ge=0.01, le=10, description="Between the re-checks."
    )
    hold_s: float = Field(
        default=0, ge=0, le=86_400, description="A target stays down for so long at least."
    )
    damping: bool = Field(
        default=True,
        description="Whether a target that falls twice within ten minutes is held down until it "
        "has been steady, for 5 to 9 minutes after its last fall.",
    )
    lease_s: float | None = Field(
        default=None, ge=1, le=86_400, description="How long a pushed verdict holds at most."
    )

    def port_or_default(self) -> int:
        """The port probed; 0 where the type has none, which `document` checks."""
        return self.port or DEFAULT_PORT.get(self.type, 0)

    @property
    def payload(self) -> bytes:
        """The octets to send."""
        return bytes.fromhex(self.send_hex) if self.send_hex else (self.send or "").encode()

    @property
    def combines(self) -> bool:
        """Whether it judges by the verdicts of others."""
        return self.type in COMBINING

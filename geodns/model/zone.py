"""Zone, Steer and RRset: what a name answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, WithJsonSchema

from geodns.model.base import TTL_MAX, Id, Resource
from geodns.model.node import Address
from geodns.model.rule import RULES_MAX, Rule, Split

_LABEL = r"([!#-'*-\-/-:<-?A-\[\]-~]|\\([01][0-9]{2}|2[0-4][0-9]|25[0-5])|\\[ -/:-~]){1,63}"

NameText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "pattern": rf"^({_LABEL}(\.{_LABEL})*\.?|\.)$",
        }
    ),
]
"""A domain name in master-file text; up to four characters an octet, so 1024 bounds 255."""

Ttl = Annotated[int, Field(ge=0, le=TTL_MAX)]


class NameServer(Resource):
    """A name server of a zone; ``addresses`` are its glue when it lies inside the zone."""

    name: NameText
    addresses: tuple[Address, ...] = Field(default=(), max_length=16)


class Zone(Resource):
    """A zone we are authoritative for. Units: TTLs in seconds."""

    nameservers: tuple[NameText | NameServer, ...] = Field(min_length=1, max_length=32)
    contact: Annotated[str, StringConstraints(max_length=320)] | None = None
    ttl: Ttl = 300
    negative_ttl: Ttl = 30
    ecs: bool = True
    whoami: bool = False

    def name_servers(self) -> tuple[NameServer, ...]:
        """The name servers in one form."""
        return tuple(
            NameServer(name=entry) if isinstance(entry, str) else entry
            for entry in self.nameservers
        )


class Steer(Resource):
    """A name whose A and AAAA answers are chosen for each user. Units: seconds.

    ``pool``, or ``split`` between several, is for everybody whom no rule sends elsewhere.
    ``ttl_min`` replaces ``ttl`` while the deciding nodes' health is unsettled.
    """

    pool: Id | None = None
    split: Split | None = Field(default=None, min_length=1, max_length=64)
    rules: tuple[Rule, ...] = Field(default=(), max_length=RULES_MAX)
    ttl: Ttl = 30
    ttl_min: Ttl = 5
    ecs: bool = True


class RRset(Resource):
    """Static records of one owner and type; values are master-file text."""

    values: tuple[Annotated[str, Field(max_length=65_535)], ...] = Field(
        min_length=1, max_length=1000
    )
    ttl: Ttl | None = None

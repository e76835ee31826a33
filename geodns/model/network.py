"""Network: subnets whose place we know better than the geo database."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field

from geodns.model.base import Resource
from geodns.model.node import At, Location
from geodns.model.rule import SUBNETS_MAX
from geodns.model.subnet import Prefix, Subnet, prefix_of


class Network(Resource):
    """Subnets that are in one place, clients and resolvers alike."""

    subnets: Annotated[tuple[Subnet, ...], Field(min_length=1, max_length=SUBNETS_MAX)]
    at: At | None = None
    location: Location | None = None

    @cached_property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The subnets as integers, in their order."""
        return tuple(map(prefix_of, self.subnets))

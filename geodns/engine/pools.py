"""The pools section as the tables that `geodns.steering.choose` decides on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from geodns.errors import ConfigError
from geodns.snapshot.layout import POOL_PARAMS
from geodns.snapshot.section import Section
from geodns.steering.tables import Member, PoolTable, Target


@dataclass(frozen=True, slots=True)
class PoolNames:
    """What people call things; never needed to answer a query."""

    pools: list[str]
    orders: list[str]
    monitors: list[str | None]
    nodes: list[str]
    points: list[tuple[float, float]]


class PoolTables:
    """All pools of a generation, by key. A pool's table is made when it is first asked for."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self._keys = list(section.column("key"))
        self._number_of = {key: number for number, key in enumerate(self._keys)}
        self._made: dict[int, PoolTable] = {}
        self._columns = {name: section.column(name) for name in _COLUMNS}

    def names(self) -> PoolNames:
        """The names; read at each call, for people do not ask often."""
        content: dict[str, Any] = json.loads(self.section.octets("names"))
        return PoolNames(**{name: content[name] for name in PoolNames.__slots__})

    def place_count(self, key: int) -> int:
        """How many places a pool has. Errors: ConfigError when there is no such pool."""
        number = self._number(key)
        place_at = self._columns["place_at"]
        return int(place_at[number + 1] - place_at[number])

    def pool(self, key: int) -> PoolTable:
        """The table of a pool. Errors: ConfigError when there is no such pool."""
        table = self._made.get(key)
        if table is None:
            table = self._made[key] = self._make(self._number(key))
        return table

    def _number(self, key: int) -> int:
        try:
            return self._number_of[key]
        except KeyError:
            raise ConfigError("A view names a pool that the pools section does not have.") from None

    def _make(self, number: int) -> PoolTable:
        place_at, x, y, z = (self._columns[name] for name in ("place_at", "x", "y", "z"))
        width = len(POOL_PARAMS)
        param = self._columns["param"][width * number : width * (number + 1)]
        _, spread, answers, min_answers, min_up, near, open_, sticky = param
        first, end = place_at[number], place_at[number + 1]
        return PoolTable(
            places=tuple(self._members(place) for place in range(first, end)),
            points=tuple(zip(x[first:end], y[first:end], z[first:end], strict=True)),
            spread=spread,
            answers=answers,
            min_answers=min_answers,
            min_up=min_up,
            near=bool(near),
            open=bool(open_),
            sticky_bits={4: min(sticky & 255, 32), 6: min(sticky >> 8 & 255, 64)},
            number=number,
        )

    def _members(self, place: int) -> tuple[Member, ...]:
        member_at = self._columns["member_at"]
        return tuple(map(self._member, range(member_at[place], member_at[place + 1])))

    def _member(self, at: int) -> Member:
        columns = self._columns
        return Member(
            columns["node"][at],
            columns["weight"][at],
            self._targets4(at),
            self._targets6(at),
            self._target_names(at),
            columns["node_key"][at],
            bool(columns["shed"][at]),
        )

    def _targets4(self, member: int) -> tuple[Target, ...]:
        columns = self._columns
        return tuple(
            Target(
                columns["v4_address"][at].to_bytes(4, "big"),
                columns["v4_slot"][at],
                columns["v4_tag"][at],
            )
            for at in range(columns["v4_at"][member], columns["v4_at"][member + 1])
        )

    def _target_names(self, member: int) -> tuple[Target, ...]:
        columns = self._columns
        end, octets = columns["cname_end"], columns["cname_octets"]
        return tuple(
            Target(
                bytes(octets[end[at] : end[at + 1]]),
                columns["cname_slot"][at],
                columns["cname_tag"][at],
            )
            for at in range(columns["cname_at"][member], columns["cname_at"][member + 1])
        )

    def _targets6(self, member: int) -> tuple[Target, ...]:
        columns = self._columns
        return tuple(
            Target(
                (columns["v6_high"][at] << 64 | columns["v6_low"][at]).to_bytes(16, "big"),
                columns["v6_slot"][at],
                columns["v6_tag"][at],
            )
            for at in range(columns["v6_at"][member], columns["v6_at"][member + 1])
        )


_COLUMNS = [
    "param",
    "place_at",
    "x",
    "y",
    "z",
    "member_at",
    "node",
    "node_key",
    "weight",
    "shed",
    "v4_at",
    "v4_address",
    "v4_slot",
    "v4_tag",
    "v6_at",
    "v6_high",
    "v6_low",
    "v6_slot",
    "v6_tag",
    "cname_at",
    "cname_end",
    "cname_octets",
    "cname_slot",
    "cname_tag",
]

"""What a steer knows of everybody: classes, and how far each reaches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from support.interpreter.draws import USER_BITS
from support.interpreter.geography import UNKNOWN, WIDTH, Geography, Point, prefix_of
from support.interpreter.matching import Body, Person, destinations, members, rule_of
from support.interpreter.ranking import PoolPlaces, Ranking


@dataclass(frozen=True)
class Cell:
    """What a view knows of everybody in a class; ``rule`` None: special, steered by resolver."""

    rule: int | None
    rankings: tuple[tuple[Ranking, ...], ...] = ()


class View:
    """One steer of a document."""

    def __init__(
        self,
        document: Body,
        steer: Body,
        places: Mapping[str, PoolPlaces],
        geography: Geography,
        default: Point | None,
    ) -> None:
        self.document = document
        self.steer = steer
        self.places = places
        self.geography = geography
        self.default = default
        self.arms = destinations(document, steer)
        self.edges = {family: sorted(set(self._edges(family))) for family in WIDTH}
        self._known: dict[tuple[int, int], Cell] = {}

    def cell(self, family: int, value: int) -> Cell:
        """What is known of an address. Between two edges nothing changes."""
        at = (family, bisect_right(self.edges[family], value))
        if at not in self._known:
            spot, asn = self.geography.spot(family, value), self.geography.asn(family, value)
            self._known[at] = self.cell_of(Person(family, value, spot, asn))
        return self._known[at]

    def cell_of(self, who: Person) -> Cell:
        """What is known of somebody."""
        rule = rule_of(self.steer.get("rules", ()), who)
        if rule is None:
            return Cell(None)
        chains = [chain for _, _, chain in self.arms[rule]]
        return Cell(
            rule,
            tuple(
                tuple(self.places[pool].ranking(who, self.default) for pool in chain)
                for chain in chains
            ),
        )

    @cached_property
    def unknown(self) -> Cell:
        """Who has no place, no subnet and no AS number."""
        return self.cell_of(Person(0, 0, UNKNOWN, 0))

    @cached_property
    def place_matters(self) -> bool:
        """Whether there is more than one class."""
        cells = (self.cell(family, edge) for family in WIDTH for edge in self.edges[family])
        return any(cell.rule is not None and cell != self.unknown for cell in cells)

    def scope(self, family: int, value: int) -> int:
        """The length of the widest prefix in which all are of one class."""
        edges, mine = self.edges[family], self.cell(family, value)
        low = high = bisect_right(edges, value)
        while low > 1 and self.cell(family, edges[low - 2]) == mine:
            low -= 1
        while high < len(edges) and self.cell(family, edges[high]) == mine:
            high += 1
        first = edges[low - 1]
        end = edges[high] if high < len(edges) else 1 << WIDTH[family]
        for length in range(WIDTH[family] + 1):
            drop = WIDTH[family] - length
            start = value >> drop << drop
            if first <= start and start + (1 << drop) <= end:
                return length
        raise AssertionError("an address is a prefix of its own")

    def bits(self, rule: int, version: int) -> int:
        """Leading bits that draws depend on beyond the class, whatever the health."""
        arms = self.arms[rule]
        found = [0]
        if sum(weight > 0 for _, weight, _ in arms) > 1:
            found.append(USER_BITS[version])
        for pool_id in {pool for _, _, chain in arms for pool in chain}:
            pool = self.document["pools"][pool_id]
            if pool.get("spread", "weighted") == "sticky":
                found.append(sticky_bits(pool, version))
            nodes = (self.document["nodes"][i] for i in members(self.document, pool_id))
            if any(node.get("shed") is not None for node in nodes):
                found.append(USER_BITS[version])
        return max(found)

    def _edges(self, family: int) -> Iterator[int]:
        """Everywhere anything can change."""
        yield 0
        texts = [*self.geography.subnets(), *self._subnets()]
        for own, low, length in map(prefix_of, texts):
            if own == family:
                end = low + (1 << max(0, WIDTH[family] - length))
                yield from (each for each in (low, end) if each < 1 << WIDTH[family])

    def _subnets(self) -> Iterator[str]:
        for matchers in self.steer.get("rules", ()):
            yield from matchers.get("subnets", ())
        for node in self.document["nodes"].values():
            for field in ("serves", "refuses"):
                yield from (node.get(field) or {}).get("subnets", ())
        for table in self.document.get("latency", {}).values():
            yield from (row[0] for row in table["rows"] if "/" in row[0])


def sticky_bits(pool: Body, version: int) -> int:
    """How much of an address a pool knows a user by."""
    return int(pool.get("sticky_bits", {}).get(f"v{version}", USER_BITS[version]))

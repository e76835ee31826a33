"""What rules that name the same users do to one another: duplicates, and matchers left with none.

The most specific matcher of an address wins, whatever the order. So subnets form trees: one
keeps for itself what the longer ones directly below it leave. Integers and one sort do for
65,536 subnets what pairs could not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from geodns.model.geocode import EEA, EU27, UNIONS
from geodns.model.network import Network
from geodns.model.rule import Matchers
from geodns.model.subnet import WIDTHS, Prefix

FAULTS_MAX = 100
"""How many overlaps of one kind are told. Source: no reference; a list of 5,000 subnets that is
there twice is one mistake."""


class Where(NamedTuple):
    """A matcher's place: the number of its group, its list there, its number in the list."""

    group: int
    field: str
    number: int


@dataclass(frozen=True, slots=True)
class Overlaps:
    """What stands twice, with the place where it stood first, and what can match nobody."""

    duplicates: tuple[tuple[Where, Where], ...]
    dead: frozenset[Where]


def overlaps(groups: Sequence[Matchers | Network]) -> Overlaps:
    """How the matchers of one steer's rules, or of all networks, overlap."""
    first: dict[tuple[str, object], Where] = {}
    duplicates = []
    subnets: list[tuple[Prefix, Where]] = []
    for number, group in enumerate(groups):
        for where, value, prefix in _matchers(number, group):
            known = first.setdefault((where.field, value), where)
            if known is not where:
                duplicates.append((where, known))
            elif prefix is not None:
                subnets.append((prefix, where))
    dead, whole = _without_own(subnets)
    dead.update(_dead_unions(first))
    if whole:
        dead.update(where for where in first.values() if where.field != "subnets")
    return Overlaps(tuple(duplicates), frozenset(dead))


def _matchers(
    number: int, group: Matchers | Network
) -> Iterator[tuple[Where, object, Prefix | None]]:
    for at, (subnet, prefix) in enumerate(zip(group.subnets, group.prefixes, strict=True)):
        yield Where(number, "subnets", at), subnet, prefix
    if not isinstance(group, Matchers):
        return
    for at, asn in enumerate(group.asns):
        yield Where(number, "asns", at), asn, None
    for at, geo in enumerate(group.geos):
        yield Where(number, "geos", at), geo, None


def _without_own(subnets: Iterable[tuple[Prefix, Where]]) -> tuple[set[Where], bool]:
    """The subnets whose every address lies in longer ones, and whether all of them together
    leave no address at all."""
    left: dict[Where, int] = {}
    outside = {family: 1 << width for family, width in WIDTHS.items()}
    above: list[tuple[int, int, Where]] = []  # family, end and place of those around the next
    for prefix, where in sorted(subnets):
        while above and (above[-1][0] != prefix.family or above[-1][1] <= prefix.low):
            above.pop()
        size = prefix.size
        left[where] = size
        if above:
            left[above[-1][2]] -= size
        else:
            outside[prefix.family] -= size
        above.append((prefix.family, prefix.low + size, where))
    return {where for where, size in left.items() if not size}, not any(outside.values())


def _dead_unions(first: dict[tuple[str, object], Where]) -> Iterator[Where]:
    """Unions of which every country is in a matcher of its own. A continent has addresses that
    the database knows no country of, and who has no place at all is in none."""
    countries = {str(code)[3:] for field, code in first if field == "geos" and len(str(code)) == 5}
    if ("geos", "EU27") in first and countries >= EU27:
        yield first["geos", "EU27"]
    if ("geos", "EU27") in first:
        countries |= EU27
    if ("geos", "EEA") in first and countries >= EEA:
        yield first["geos", "EEA"]


def covers(wide: Matchers, narrow: Matchers) -> bool:
    """Whether all of ``narrow`` is matched by ``wide``, as far as the matchers themselves tell;
    what matches nobody is not."""
    if narrow.empty:
        return False
    subnets = _all_lie_in(wide.prefixes, narrow.prefixes)
    geos = all(any(_contains(each, geo) for each in wide.geos) for geo in narrow.geos)
    return subnets and geos and set(narrow.asns) <= set(wide.asns)


def _all_lie_in(wide: Iterable[Prefix], narrow: Iterable[Prefix]) -> bool:
    """Whether each narrow prefix lies in one of the wide ones."""
    known = set(wide)
    lengths = sorted({each.length for each in known})
    return all(
        any(_cut(each, length) in known for length in lengths if length <= each.length)
        for each in narrow
    )


def _cut(prefix: Prefix, length: int) -> Prefix:
    """The prefix of this length around another."""
    host = WIDTHS[prefix.family] - length
    return Prefix(prefix.family, prefix.low >> host << host, length)


def _contains(wide: str, narrow: str) -> bool:
    """Whether a geo code is another one, or has it within."""
    if wide == narrow or narrow.startswith(f"{wide}-"):
        return True
    if wide in UNIONS:
        return narrow[3:5] in UNIONS[wide] or (wide, narrow) == ("EEA", "EU27")
    return wide == "EU" and narrow in UNIONS

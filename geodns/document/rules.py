"""The rules for rules: what a steer sends where, and whom a node serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from geodns.document.overlaps import FAULTS_MAX, Overlaps, Where, covers, overlaps
from geodns.document.remember import once
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.geocode import parts_of
from geodns.model.rule import Matchers, Rule
from geodns.model.zone import Steer


def steer_faults(config: Config, *, asns: bool) -> Iterator[Reason]:
    """Steers that send nobody anywhere, or somebody to two places.

    Shape: ``asns`` says whether there is a database of autonomous systems.
    """
    for key, steer in config.steers.items():
        at = pointer("steer", key)
        yield from _choice_faults(at, f"Steer {key[1]}", steer)
        for number, rule in enumerate(steer.rules):
            here, what = f"{at}/rules/{number}", f"Rule {number}"
            yield from _choice_faults(here, what, rule)
            yield from matcher_faults(here, what, rule, asns=asns)
        yield from (replace(each, pointer=at + each.pointer) for each in _judged(steer).faults)


def steer_warnings(config: Config) -> Iterator[Reason]:
    """Matchers that can match nobody, in rules that can."""
    for key, steer in config.steers.items():
        at = pointer("steer", key)
        yield from (replace(each, pointer=at + each.pointer) for each in _judged(steer).warnings)


def subdivision_warnings(config: Config) -> Iterator[Reason]:
    """Subdivisions that a rule or a node names, where no database tells of any."""
    for key, steer in config.steers.items():
        for number, rule in enumerate(steer.rules):
            yield from _subdivided(f"{pointer('steer', key)}/rules/{number}", rule)
    for node_id, node in config.nodes.items():
        for field, matchers in (("serves", node.serves), ("refuses", node.refuses)):
            if matchers is not None:
                yield from _subdivided(f"{pointer('node', (node_id,))}/{field}", matchers)


def _subdivided(at: str, matchers: Matchers) -> Iterator[Reason]:
    code = next((code for code in matchers.geos if parts_of(code)[2]), None)
    if code is not None:
        detail = f"{code} matches nobody: the geo database knows no subdivisions."
        hint = "Start the server with --geo-db FILE, such as GeoLite2-City."
        yield Reason(f"{at}/geos", "no_subdivisions", detail, code, hint)


def server_faults(config: Config, *, asns: bool) -> Iterator[Reason]:
    """Nodes that say twice, or in contradiction, whom they serve."""
    for node_id, node in config.nodes.items():
        at = pointer("node", (node_id,))
        for field in ("serves", "refuses"):
            matchers: Matchers | None = getattr(node, field)
            if matchers is not None:
                here = f"{at}/{field}"
                yield from matcher_faults(here, f"{field} of {node_id}", matchers, asns=asns)
                yield from _duplicates(here, overlaps([matchers]), (matchers,))
        if node.serves and node.refuses and covers(node.refuses, node.serves):
            detail = f"Node {node_id} refuses everybody whom it serves."
            yield Reason(f"{at}/refuses", "contradiction", detail)


def matcher_faults(at: str, what: str, matchers: Matchers, *, asns: bool) -> Iterator[Reason]:
    """Matchers that cannot match."""
    if matchers.empty:
        detail = f"{what} matches nobody."
        yield Reason(at, "required", detail, hint="Give subnets, asns or geos.")
    if matchers.asns and not asns:
        yield no_asn_db(f"{at}/asns", matchers.asns[0])


def no_asn_db(at: str, value: object) -> Reason:
    """Why autonomous systems cannot be asked for."""
    detail = "asn_db is not set: nobody's autonomous system is known."
    hint = "Start the server with --asn-db FILE, a GeoLite2-ASN or DB-IP ASN database."
    return Reason(at, "no_asn_db", detail, value, hint)


# --- Pool or split ---


def _choice_faults(at: str, what: str, chooser: Steer | Rule) -> Iterator[Reason]:
    if chooser.pool is None and chooser.split is None:
        yield Reason(f"{at}/pool", "required", f"{what} needs pool or split.")
    if chooser.pool is not None and chooser.split is not None:
        detail = f"{what} has both pool and split; only one can say who answers."
        yield Reason(f"{at}/split", "contradiction", detail, chooser.split)
    if chooser.split is not None and not any(chooser.split.values()):
        detail = f"{what} splits among pools that are all of weight 0."
        yield Reason(f"{at}/split", "contradiction", detail, chooser.split)


# --- Overlaps ---


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What is wrong within one steer's rules; pointers into the steer."""

    faults: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()


@once
def _judged(steer: Steer) -> _Judgement:
    rules = steer.rules
    found = overlaps(rules)
    faults = list(_duplicates("/rules", found, rules))
    dead: dict[int, list[Where]] = {}
    for where in sorted(found.dead):
        dead.setdefault(where.group, []).append(where)
    warnings = []
    twice = {where for where, _ in found.duplicates}
    for number, places in dead.items():
        rule = rules[number]
        repeated = sum(where.group == number for where in twice)
        if len(places) + repeated == len(rule.subnets) + len(rule.asns) + len(rule.geos):
            detail = f"Rule {number} reaches nobody: all it matches is matched more specifically."
            faults.append(
                Reason(f"/rules/{number}", "unreachable", detail, _value(places[0], rules))
            )
        else:
            warnings += [_covered(where, rules) for where in places[:FAULTS_MAX]]
    return _Judgement(tuple(faults), tuple(warnings))


def _duplicates(at: str, found: Overlaps, groups: tuple[Matchers, ...]) -> Iterator[Reason]:
    for where, first in islice(found.duplicates, FAULTS_MAX):
        value = _value(where, groups)
        place = "here" if first.group == where.group else f"in rule {first.group}"
        detail = f"{value} is {place} already."
        yield Reason(f"{at}{_pointer(where, groups)}", "duplicate", detail, value)
    more = len(found.duplicates) - FAULTS_MAX
    if more > 0:
        yield Reason(at, "duplicate", f"{more} more matchers stand twice.")


def _covered(where: Where, groups: tuple[Matchers, ...]) -> Reason:
    value = _value(where, groups)
    detail = f"{value} matches nobody: all of it is matched more specifically."
    return Reason(f"/rules{_pointer(where, groups)}", "unreachable", detail, value)


def _value(where: Where, groups: tuple[Matchers, ...]) -> object:
    values: tuple[object, ...] = getattr(groups[where.group], where.field)
    return values[where.number]


def _pointer(where: Where, groups: tuple[Matchers, ...]) -> str:
    # Matchers of a node stand alone; rules are a list.
    group = f"/{where.group}" if isinstance(groups[where.group], Rule) else ""
    return f"{group}/{where.field}/{where.number}"

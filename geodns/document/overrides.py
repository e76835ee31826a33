"""Overrides: whom they hold, what is wrong with them, and what they leave of the pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from geodns.document.fleet import memberships
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.override import Override

STEERS_SHOWN = 5
"""Names of steers in one warning. Source: no reference; more is a list, not a sentence."""

Members = dict[str, frozenset[str]]


def override_faults(config: Config) -> Iterator[Reason]:
    """Overrides that hold nobody by their own words, or end before they begin."""
    for override_id, override in config.overrides.items():
        at = pointer("override", (override_id,))
        match = override.match
        if match.nodes is None and match.labels is None and match.pools is None:
            detail = f"Override {override_id} needs nodes, labels or pools to match."
            yield Reason(f"{at}/match", "required", detail)
        begin, end = override.from_ms, override.until_ms
        if begin is not None and end is not None and begin >= end:
            detail = f"Override {override_id} ends before it begins."
            yield Reason(f"{at}/until", "out_of_range", detail, override.until)


def override_warnings(config: Config) -> Iterator[Reason]:
    """Overrides that hold nobody, and what others leave of the pools."""
    members = memberships(config)
    for override_id, override in config.overrides.items():
        at = pointer("override", (override_id,))
        matched = matched_nodes(config, override, members)
        if not matched:
            detail = f"Override {override_id} matches no node."
            yield Reason(f"{at}/match", "matches_none", detail)
        if override.state == "down":
            yield from _shrinking(at, config, override, members, matched)


def override_brakes(before: Config, after: Config) -> Iterator[Reason]:
    """New overrides that would leave a pool and its fallbacks without any node."""
    fresh = {
        override_id: override
        for override_id, override in after.overrides.items()
        if override.state == "down" and before.overrides.get(override_id) != override
    }
    members = memberships(after) if fresh else {}
    for override_id, override in fresh.items():
        matched, held = matched_nodes(after, override, members), held_down(after, override, members)
        for pool_id in sorted(members):
            chain = {node for each in after.chain(pool_id) for node in members[each]}
            if chain & matched and chain <= held:
                yield _emptied(override_id, pool_id, len(members[pool_id]))


def matched_nodes(config: Config, override: Override, members: Members) -> frozenset[str]:
    """The nodes that an override is about."""
    match = override.match
    found = frozenset(config.nodes if match.nodes is None else match.nodes) & config.nodes.keys()
    if match.pools is not None:
        found &= frozenset().union(*(members.get(pool_id, frozenset()) for pool_id in match.pools))
    for label, values in (match.labels or {}).items():
        found = frozenset(i for i in found if config.nodes[i].labels.get(label) in values)
    return found


def held_down(config: Config, during: Override, members: Members) -> frozenset[str]:
    """The nodes that are held down while an override holds, by it and by others."""
    best: dict[str, tuple[int, bool]] = {}
    for override in config.overrides.values():
        if not _overlap(override, during):
            continue
        claim = (override.match.rank, override.state == "down")
        for node_id in matched_nodes(config, override, members):
            best[node_id] = max(best.get(node_id, claim), claim)
    return frozenset(node_id for node_id, (_, down) in best.items() if down)


def _overlap(one: Override, other: Override) -> bool:
    return _before_end(one.from_ms, other.until_ms) and _before_end(other.from_ms, one.until_ms)


def _before_end(begin_ms: int | None, end_ms: int | None) -> bool:
    return begin_ms is None or end_ms is None or begin_ms < end_ms


def _shrinking(
    at: str, config: Config, override: Override, members: Members, matched: frozenset[str]
) -> Iterator[Reason]:
    held = held_down(config, override, members) if matched else frozenset()
    for pool_id in sorted(members):
        lost = members[pool_id] & held
        if not members[pool_id] & matched or not lost:
            continue
        left, size = len(members[pool_id]) - len(lost), len(members[pool_id])
        detail = f"Pool {pool_id} keeps {left} of its {size} nodes{_steered(config, pool_id)}."
        yield Reason(at, "shrinks", detail, left)


def _steered(config: Config, pool_id: str) -> str:
    """Whom it concerns: the names that the pool steers, also as a fallback."""
    names = (
        f"{owner} of {zone}" if owner != "@" else zone
        for (zone, owner), steer in config.steers.items()
        if pool_id in config.steer_pools(steer)
    )
    shown = _listed(names)
    return f"; it steers {shown}" if shown else ""


def _listed(names: Iterable[str]) -> str:
    first = list(islice(names, STEERS_SHOWN + 1))
    return ", ".join([*first[:STEERS_SHOWN], *(["more"] if len(first) > STEERS_SHOWN else [])])


def _emptied(override_id: str, pool_id: str, size: int) -> Reason:
    at = pointer("override", (override_id,))
    detail = f"Pool {pool_id} would have none of its {size} nodes left, and no fallback that has."
    return Reason(at, "brake", detail, size, "If this is meant, repeat it with force and a reason.")

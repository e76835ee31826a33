"""Changes so big that they are more likely a slip than a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from geodns.document.changes import Touched, touched
from geodns.document.fleet import memberships, memberships_of
from geodns.document.overrides import override_brakes
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.node import Node

FEW = 8
"""So many edits are looked at one by one. Source: no reference; most writes are one."""

_MEMBERS = ("node", "pool")

REMOVED_SHARE_MAX = 0.3
"""Largest share of a pool's nodes that one change removes without force.

Source: no reference; octoDNS ships the same share for the records of a zone.
"""

REMOVED_ALWAYS = 1
"""How many nodes one change may remove of any pool unless it was the last one, and rules of any
steer.

Source: no reference; taking out one node is daily work, whatever the pool's size.
"""


def brakes(before: Config, after: Config) -> list[Reason]:
    """A reason of code "brake" for each pool, zone or steer that would lose too much."""
    return [
        *_pools(before, after),
        *_zones(before, after),
        *_rules(before, after),
        *override_brakes(before, after),
    ]


def _pools(before: Config, after: Config) -> Iterator[Reason]:
    """Pools that go altogether are left out: nothing can refer to them any more."""
    old, new = _memberships(before, after)
    for pool_id in sorted(old.keys() & new.keys()):
        removed, size = len(old[pool_id] - new[pool_id]), len(old[pool_id])
        at = pointer("pool", (pool_id,))
        if size and not new[pool_id]:
            yield _brake(at, f"Pool {pool_id} would lose its last {size} nodes.", removed)
        elif removed > REMOVED_ALWAYS and removed > REMOVED_SHARE_MAX * size:
            share = f"{removed} of its {size} nodes, more than {REMOVED_SHARE_MAX:.0%}"
            yield _brake(at, f"Pool {pool_id} would lose {share}.", removed)


def _memberships(
    before: Config, after: Config
) -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """Of all pools, or if few resources were edited, of those alone whose nodes may differ."""
    found = list(islice(touched(before, after), FEW + 1))
    if len(found) > FEW:
        return memberships(before), memberships(after)
    edits = [each for each in found if each.kind in _MEMBERS]
    both = [pool_id for pool_id in before.pools if pool_id in after.pools]
    pools = {pool_id for pool_id in both if any(_concerns(before, pool_id, e) for e in edits)}
    return memberships_of(before, pools), memberships_of(after, pools)


def _concerns(before: Config, pool_id: str, edit: Touched) -> bool:
    """Whether a pool may lose a node by an edit: its own, or that of a node that it had."""
    if edit.kind == "pool":
        return edit.key == (pool_id,)
    pool, node = before.pools[pool_id], edit.before
    if pool.nodes is not None or not isinstance(node, Node):
        return pool.nodes is not None and edit.after is None
    return bool(pool.select) and (pool.select or {}).items() <= node.labels.items()


def _zones(before: Config, after: Config) -> Iterator[Reason]:
    """Zones whose steers and RRsets would all go, the zone itself or not."""
    if before.steers.keys() <= after.steers.keys() and before.rrsets.keys() <= after.rrsets.keys():
        return
    old, new = _sizes(before), _sizes(after)
    for zone in sorted(old.keys() - new.keys()):
        what = f"all its {old[zone]} steers and RRsets"
        yield _brake(pointer("zone", (zone,)), f"Zone {zone} would lose {what}.", old[zone])


def _rules(before: Config, after: Config) -> Iterator[Reason]:
    """Steers that stay but would lose all their rules, if these are more than one."""
    if before.steers is after.steers:
        return
    for key, steer in before.steers.items():
        removed = len(steer.rules)
        if removed > REMOVED_ALWAYS and key in after.steers and not after.steers[key].rules:
            detail = f"Steer {key[1]} of zone {key[0]} would lose all its {removed} rules."
            yield _brake(pointer("steer", key), detail, removed)


def _sizes(config: Config) -> Counter[str]:
    return Counter(key[0] for key in [*config.steers, *config.rrsets])


def _brake(at: str, detail: str, value: int) -> Reason:
    hint = "If this is meant, repeat it with force and a reason."
    return Reason(at, "brake", detail, value, hint)

"""The part of a Config that one edit can concern, so that judging it costs what it touches.

A part holds all that the rules of `check` look at together with what was touched; of large
pools it holds as many members as tell of them all. Where that is not known to be little, there
is no part, and the whole is judged: edits of zones, pools, monitors, networks and tables, of
delegations and what lies below them, of name servers' addresses, and of several things at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from geodns.dns.names import from_url
from geodns.document.changes import Touched, touched
from geodns.document.references import choices, named_in
from geodns.document.remember import once
from geodns.document.zones import server_name
from geodns.errors import ConfigError
from geodns.model.config import Config
from geodns.model.monitor import Monitor
from geodns.model.node import Node
from geodns.model.pool import Pool
from geodns.model.zone import Steer, Zone

_ELSEWHERE = {"nameservers": ("ns.invalid.",), "contact": "hostmaster.invalid."}
"""Stands for a zone's own fields, which no edit within the zone touches (RFC 6761 §6.4)."""

_CUTS = ("NS", "DNAME")


class Parts(NamedTuple):
    """The same part of the Config before and after an edit."""

    before: Config
    after: Config


def parts(before: Config, after: Config) -> Parts | None:
    """What the edit concerns; None if that may be everything. ``before`` must be faultless."""
    edits = list(_first(touched(before, after), 2))
    if len(edits) != 1:
        return Parts(Config(), Config()) if not edits else None
    (edit,) = edits
    if edit.kind == "node":
        return _of_node(before, after, edit)
    if edit.kind in ("steer", "rrset"):
        return _of_owner(before, after, edit)
    return None


def _first(edits: Iterator[Touched], count: int) -> Iterator[Touched]:
    for _, edit in zip(range(count), edits, strict=False):
        yield edit


# --- A steer or RRset ---


def _of_owner(before: Config, after: Config, edit: Touched) -> Parts | None:
    zone, owner = edit.key[:2]
    if zone not in after.zones or _is_special(before, after, zone, owner):
        return None
    if _chosen(edit.before) - _chosen(edit.after):
        return None  # whether somebody else still uses a pool, only all steers tell
    pools = dict.fromkeys(
        pool_id
        for config in (before, after)
        if (steer := config.steers.get((zone, owner))) is not None
        for pool_id in config.steer_pools(steer)
    )
    kept = {i for pool_id in pools for i in _telling(after, after.pools[pool_id], 0)}
    plain = {"monitor": None, "latency": None, "order": "nearest"}
    common = Config(
        zones={zone: after.zones[zone].model_copy(update=_ELSEWHERE)},
        pools={i: _trimmed(after.pools[i], kept, plain) for i in pools},
        nodes={node_id: after.nodes[node_id] for node_id in kept},
    )
    keys = [key for key in after.rrsets if key[1] == owner and key[0] == zone]
    if edit.kind == "rrset" and edit.after is None:
        keys.append((zone, owner, edit.key[2]))
    return Parts(*(_with_owner(common, config, (zone, owner), keys) for config in (before, after)))


def _with_owner(
    common: Config, config: Config, at: tuple[str, str], keys: Iterable[tuple[str, str, str]]
) -> Config:
    steer = config.steers.get(at)
    rrsets = {key: config.rrsets[key] for key in keys if key in config.rrsets}
    return replace(common, steers={at: steer} if steer else {}, rrsets=rrsets)


def _is_special(before: Config, after: Config, zone: str, owner: str) -> bool:
    """Whether others depend on this owner, or it on others: cuts, nested zones, name servers."""
    labels = [] if owner == "@" else owner.split(".")
    above = ["@", *(".".join(labels[at:]) for at in range(len(labels)))]
    for name in above:
        if any((zone, name, cut) in c.rrsets for cut in _CUTS for c in (before, after)):
            return True
        if name != "@" and (name if zone == "@" else f"{name}.{zone}") in after.zones:
            return True
    try:
        wire = from_url(owner, from_url(zone))
    except ConfigError:
        return True
    return any(wire in _servers(each) for each in after.zones.values())


@once
def _servers(zone: Zone) -> frozenset[bytes]:
    return frozenset(server_name(server.name) for server in zone.name_servers())


def _chosen(resource: object) -> set[str]:
    if not isinstance(resource, Steer):
        return set()
    return {pool_id for _, pool_id in choices("", resource)}


# --- A node ---


def _of_node(before: Config, after: Config, edit: Touched) -> Parts | None:
    (node_id,) = edit.key
    states = [each for each in (edit.before, edit.after) if isinstance(each, Node)]
    concerned = {
        pool_id: pool
        for pool_id, pool in after.pools.items()
        if node_id in pool.weights or any(_has(pool, node_id, node) for node in states)
    }
    gone = edit.after is None
    if gone and any(_lists(pool, node_id) for pool in concerned.values()):
        return None
    if any(node_id in named_in(table) for table in after.latencies.values()) and (
        gone or not concerned
    ):
        return None
    if any(_changes_kind(before, after, pool) for pool in concerned.values()):
        return None
    if after.overrides:
        return None  # whom they hold and what they leave, only all nodes tell
    addresses = {address for node in states for address in node.addresses}
    others = {
        i for pool in concerned.values() for i in _telling(before, pool, pool.min_up, node_id)
    }
    others |= {
        i for i, node in after.nodes.items() if i != node_id and addresses & set(node.addresses)
    }
    plain = {"fallback": None, "latency": None, "order": "nearest"}
    monitors = _monitors(after, (pool.monitor for pool in concerned.values()))
    trimmed = {i: _trimmed(pool, {*others, node_id}, plain) for i, pool in concerned.items()}
    common = Config(pools=trimmed, monitors=monitors)
    return Parts(
        *(
            replace(common, nodes={i: c.nodes[i] for i in (*others, node_id) if i in c.nodes})
            for c in (before, after)
        )
    )


def _monitors(config: Config, wanted: Iterable[str | None]) -> dict[str, Monitor]:
    found: dict[str, Monitor] = {}
    rest = [name for name in wanted if name is not None]
    while rest:
        name = rest.pop()
        if name in config.monitors and name not in found:
            found[name] = config.monitors[name]
            rest += config.monitors[name].of
    return found


def _changes_kind(before: Config, after: Config, pool: Pool) -> bool:
    """Whether the pool's nodes were, or are now, names or addresses as they were not."""
    return _kinds(before, pool) != _kinds(after, pool)


def _kinds(config: Config, pool: Pool) -> set[bool]:
    return {node.cname is not None for _, node in _members(config.nodes, pool)}


# --- Members that tell of all ---


def _telling(config: Config, pool: Pool, count: int, without: str = "") -> set[str]:
    """The first ``count`` members, and one for each way in which members differ for `check`."""
    kept: dict[object, str] = {}
    for number, (node_id, node) in enumerate(_members(config.nodes, pool)):
        if node_id != without:
            kept.setdefault(_aspect(node), node_id)
            if number <= count:
                kept[number] = node_id
    return set(kept.values())


@once
def _aspect(node: Node) -> tuple[bool, frozenset[bool]]:
    return node.cname is not None, frozenset(":" in address for address in node.addresses)


def _trimmed(pool: Pool, kept: set[str], plain: Mapping[str, object]) -> Pool:
    """The pool of these nodes only, without what would need others beside it."""
    nodes = None if pool.nodes is None else tuple(i for i in pool.nodes if i in kept)
    weights = {i: weight for i, weight in pool.weights.items() if i in kept}
    return pool.model_copy(update={**plain, "nodes": nodes, "weights": weights})


def _members(nodes: Mapping[str, Node], pool: Pool) -> Iterator[tuple[str, Node]]:
    if pool.nodes is not None:
        yield from ((i, nodes[i]) for i in pool.nodes if i in nodes)
        return
    wanted = (pool.select or {}).items()
    for node_id, node in nodes.items() if wanted else ():
        if wanted <= node.labels.items():
            yield node_id, node


def _has(pool: Pool, node_id: str, node: Node) -> bool:
    if pool.nodes is not None:
        return _lists(pool, node_id)
    return bool(pool.select) and (pool.select or {}).items() <= node.labels.items()


def _lists(pool: Pool, node_id: str) -> bool:
    return node_id in pool.weights or node_id in _listed(pool)


@once
def _listed(pool: Pool) -> frozenset[str]:
    return frozenset(pool.nodes or ())

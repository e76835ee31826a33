"""The rules for nodes and pools that span fields or resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from geodns.document.networks import place_faults
from geodns.document.references import references
from geodns.document.resources import of_kind, pointer
from geodns.errors import Reason
from geodns.model.base import join_pointer
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.model.pool import Pool
from geodns.model.reach import forbidden, literal, unusual


def memberships_of(config: Config, pool_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The same of a few pools, without an index."""
    return {pool_id: frozenset(config.members(pool_id)) for pool_id in pool_ids}


def memberships(config: Config) -> dict[str, frozenset[str]]:
    """The ids of each pool's nodes; an index of labels makes this fast for large fleets."""
    labelled: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for node_id, node in config.nodes.items():
        for label in node.labels.items():
            labelled[label].add(node_id)
    return {
        pool_id: _members(pool, config.nodes, labelled) for pool_id, pool in config.pools.items()
    }


def _members(
    pool: Pool, nodes: Mapping[str, Node], labelled: Mapping[tuple[str, str], set[str]]
) -> frozenset[str]:
    if pool.nodes is not None:
        return frozenset(pool.nodes) & nodes.keys()
    wanted = [labelled.get(label, set()) for label in (pool.select or {}).items()]
    return frozenset(set.intersection(*wanted)) if wanted else frozenset()


# --- Nodes ---


def node_faults(config: Config) -> Iterator[Reason]:
    """Nodes without a place, and addresses that stand twice."""
    owners: dict[str, str] = {}
    for node_id, node in config.nodes.items():
        at = pointer("node", (node_id,))
        yield from _stand_faults(at, node_id, node)
        if node.shed is not None and node.shed.lo >= node.shed.hi:
            detail = f"Must be above shed.lo, {node.shed.lo:g}."
            yield Reason(f"{at}/shed/hi", "out_of_range", detail, node.shed.hi)
        yield from _unreachable(at, node)
        for number, address in enumerate(node.addresses):
            owner = owners.setdefault(address, node_id)
            first = owner == node_id and node.addresses.index(address) == number
            if not first:
                yield _duplicate_address(f"{at}/addresses/{number}", address, node_id, owner)


def _stand_faults(at: str, node_id: str, node: Node) -> Iterator[Reason]:
    yield from place_faults(at, f"Node {node_id}", node)
    if node.at is None and node.location is None:
        detail = f"Node {node_id} has no location, and none is known for its address."
        hint = "Give location {lat, lon}, or at, an IATA code or city."
        yield Reason(f"{at}/location", "required", detail, hint=hint)


def _unreachable(at: str, node: Node) -> Iterator[Reason]:
    """Addresses that no probe may connect to, and names that are addresses in disguise."""
    given = [(f"addresses/{number}", text) for number, text in enumerate(node.addresses)]
    if node.probe_address is not None:
        given.append(("probe_address", node.probe_address))
    for field, text in given:
        why = forbidden(text)
        if why is not None:
            yield Reason(f"{at}/{field}", "forbidden_address", f"{why}.", text)
    if node.cname is not None and (address := literal(node.cname)) is not None:
        detail = f"{node.cname} is the address {address} in disguise; give addresses."
        yield Reason(f"{at}/cname", "bad_name", detail, node.cname)


def _duplicate_address(at: str, address: str, node_id: str, owner: str) -> Reason:
    whose = "twice in one node" if owner == node_id else f"already node {owner}'s"
    return Reason(at, "duplicate_address", f"Address {address} is {whose}.", address)


# --- Pools ---


def pool_faults(config: Config) -> Iterator[Reason]:
    """Pools that contradict themselves."""
    members = memberships(config)
    for pool_id, pool in config.pools.items():
        at = pointer("pool", (pool_id,))
        yield from _choice_of_nodes(at, pool_id, pool)
        yield from _weights(at, pool, members[pool_id], config.nodes)
        yield from _order(at, pool_id, pool)
        if pool.min_answers > pool.answers:
            yield Reason(
                f"{at}/min_answers",
                "out_of_range",
                f"min_answers {pool.min_answers} is above answers {pool.answers}.",
                pool.min_answers,
            )
    yield from _fallback_cycles(config.pools)


def _choice_of_nodes(at: str, pool_id: str, pool: Pool) -> Iterator[Reason]:
    if pool.nodes is None and pool.select is None:
        yield Reason(at, "required", f"Pool {pool_id} needs nodes or select.")
    if pool.nodes is not None and pool.select is not None:
        detail = f"Pool {pool_id} has both nodes and select; only one can say who belongs."
        yield Reason(f"{at}/select", "contradiction", detail, pool.select)
    seen: set[str] = set()
    for number, node_id in enumerate(pool.nodes or ()):
        if node_id in seen:
            detail = f"Node {node_id} stands twice in pool {pool_id}."
            yield Reason(f"{at}/nodes/{number}", "duplicate", detail, node_id)
        seen.add(node_id)


def _order(at: str, pool_id: str, pool: Pool) -> Iterator[Reason]:
    if pool.order == "latency" and pool.latency is None:
        detail = f"Pool {pool_id} is ordered by latency, which is measured in a table."
        yield Reason(f"{at}/latency", "required", detail, hint="Name the table: latency=ID.")
    if pool.order != "latency" and pool.latency is not None:
        detail = f"latency means nothing to order {pool.order}."
        hint = "Set order to latency."
        yield Reason(f"{at}/latency", "meaningless", detail, pool.latency, hint)


def _weights(
    at: str, pool: Pool, members: frozenset[str], nodes: Mapping[str, Node]
) -> Iterator[Reason]:
    for node_id in pool.weights:
        if node_id in nodes and node_id not in members:
            detail = f"Node {node_id} has a weight here but is not in the pool."
            yield Reason(join_pointer(at, ("weights", node_id)), "not_a_member", detail, node_id)


def _fallback_cycles(pools: Mapping[str, Pool]) -> Iterator[Reason]:
    """One reason for each circle of fallbacks."""
    done: set[str] = set()
    for start in pools:
        path: list[str] = []
        following: str | None = start
        while following is not None and following in pools and following not in done:
            done.add(following)
            path.append(following)
            following = pools[following].fallback
        if following is not None and following in path:
            yield _cycle([*path[path.index(following) :], following])


def _cycle(circle: list[str]) -> Reason:
    shown = " → ".join(circle if len(circle) <= 10 else [*circle[:9], "…", circle[-1]])
    detail = f"The fallbacks run in a circle: {shown}."
    return Reason(f"{pointer('pool', (circle[0],))}/fallback", "cycle", detail, circle[1])


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_defaults=True) if dump else value


# --- Warnings ---


def fleet_warnings(config: Config) -> Iterator[Reason]:
    """What is allowed about nodes, pools and monitors but seldom meant."""
    members = memberships(config)
    for pool_id, pool in config.pools.items():
        at = pointer("pool", (pool_id,))
        yield from _pool_health(at, pool_id, pool, len(members[pool_id]))
        if pool.families == "near" and _uneven(config.nodes, members[pool_id]):
            yield Reason(
                f"{at}/families",
                "uneven_families",
                f"Some nodes of pool {pool_id} have only IPv4 or only IPv6 addresses: where those "
                "are nearest, the other type is answered with no data, and some resolvers then "
                "confuse the scopes (RFC 7871 §7.4).",
                pool.families,
                "Give every node both, or set families to each.",
            )
    yield from _unused(config, members)
    watched = {
        node_id
        for pool_id, pool in config.pools.items()
        if pool.monitor is not None
        for node_id in members[pool_id]
    }
    for node_id in sorted(watched):
        yield from _unusual(pointer("node", (node_id,)), config.nodes[node_id])


def _unusual(at: str, node: Node) -> Iterator[Reason]:
    """Where a watched node's probes go, if that is not the open network."""
    probed = (
        [("probe_address", node.probe_address)]
        if node.probe_address
        else [(f"addresses/{number}", text) for number, text in enumerate(node.addresses)]
    )
    for field, text in probed:
        why = unusual(text)
        if why is not None:
            yield Reason(
                f"{at}/{field}", "private_address", f"{text} is probed: it is {why}.", text
            )


def _pool_health(at: str, pool_id: str, pool: Pool, size: int) -> Iterator[Reason]:
    if size == 0 and (pool.nodes or pool.select):
        yield Reason(at, "empty_pool", f"Pool {pool_id} has no nodes.", _plain(pool.select))
    elif pool.min_up > size:
        detail = f"Pool {pool_id} has {size} nodes, so that {pool.min_up} are never up."
        yield Reason(f"{at}/min_up", "unreachable", detail, pool.min_up)
    if pool.monitor is None:
        detail = f"Pool {pool_id} has no monitor: its nodes always count as up."
        yield Reason(f"{at}/monitor", "unmonitored", detail)
    if pool.all_down == "closed":
        detail = (
            f"When all of pool {pool_id} is down, users get no data; some resolvers mix such "
            "answers up with other users' (RFC 7871 §7.4)."
        )
        yield Reason(f"{at}/all_down", "closed", detail, pool.all_down)


def _uneven(nodes: Mapping[str, Node], members: frozenset[str]) -> bool:
    families = {frozenset(":" in text for text in nodes[i].addresses) for i in members}
    return len(families) > 1


def _unused(config: Config, members: Mapping[str, frozenset[str]]) -> Iterator[Reason]:
    used = {(ref.kind, ref.id) for ref in references(config)}
    used.update(("node", node_id) for ids in members.values() for node_id in ids)
    used.update(("monitor", name) for name, each in config.monitors.items() if each.canary)
    where = {"pool": "steer or fallback", "node": "pool", "monitor": "pool", "latency": "pool"}
    for kind, user in where.items():
        for name in of_kind(config, kind):
            if (kind, name) not in used:
                detail = f"No {user} uses {kind} {name}."
                yield Reason(pointer(kind, (name,)), "unused", detail)

"""Nodes that are names, and hints that follow steering: what they allow beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geodns.dns.names import from_text, to_text
from geodns.dns.rrtypes import type_to_text
from geodns.dns.svcb import HINTED_TYPES, take_auto
from geodns.document.contents import Contents, attempt
from geodns.document.fleet import memberships
from geodns.document.references import choices
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.zone import RRset, Steer


def alias_faults(config: Config, zones: Mapping[bytes, Contents]) -> Iterator[Reason]:
    """Nodes, pools and steers that mix names with addresses, or put a CNAME where none may be."""
    yield from _node_faults(config)
    kinds = _kinds(config)
    yield from _pool_faults(config, kinds)
    for contents in zones.values():
        for owner, steer in contents.steers.items():
            yield from _steer_faults(config, kinds, contents, owner, steer)
        for owner, rrsets in contents.rrsets.items():
            yield from _hint_faults(config, kinds, contents, owner, rrsets)


def _kinds(config: Config) -> dict[str, set[bool]]:
    """For each pool whether its members are names (True), addresses, or both."""
    return {
        pool_id: {config.nodes[i].cname is not None for i in members}
        for pool_id, members in memberships(config).items()
    }


def _node_faults(config: Config) -> Iterator[Reason]:
    for node_id, node in config.nodes.items():
        at = pointer("node", (node_id,))
        if node.cname is not None and node.addresses:
            detail = f"Node {node_id} has addresses and a cname; it answers with one of them."
            yield Reason(f"{at}/cname", "contradiction", detail, node.cname)
        elif node.cname is None and not node.addresses:
            detail = f"Node {node_id} has neither addresses nor a cname."
            yield Reason(f"{at}/addresses", "required", detail)
        if node.cname is not None:
            faults: list[Reason] = []
            attempt(f"{at}/cname", faults, from_text, node.cname)
            yield from faults


def _pool_faults(config: Config, kinds: Mapping[str, set[bool]]) -> Iterator[Reason]:
    for pool_id, pool in config.pools.items():
        at = pointer("pool", (pool_id,))
        if len(kinds[pool_id]) > 1:
            detail = f"Pool {pool_id} mixes nodes that are names with nodes that have addresses."
            yield Reason(at, "contradiction", detail)
        elif True in kinds[pool_id] and pool.answers > 1:
            # RFC 2181 section 10.1: an owner has one CNAME.
            detail = f"Pool {pool_id} answers with names, of which there can be only one."
            yield Reason(f"{at}/answers", "out_of_range", detail, pool.answers)


def _steer_faults(
    config: Config,
    kinds: Mapping[str, set[bool]],
    contents: Contents,
    owner: bytes,
    steer: Steer,
) -> Iterator[Reason]:
    found: set[bool] = set()
    shown = to_text(owner)
    for at, pool_id in choices(contents.steer_pointer(owner), steer):
        own: set[bool] = set().union(*(kinds[each] for each in config.chain(pool_id)))
        if len(own) > 1:
            detail = f"{shown}: pool {pool_id} and its fallbacks mix names and addresses."
            yield Reason(at, "contradiction", detail, pool_id)
        elif len(found | own) > 1 and not found >= {True, False}:
            kind = "names" if True in own else "addresses"
            detail = f"{shown}: pool {pool_id} has {kind}, the pools before it the other."
            yield Reason(at, "contradiction", detail, pool_id)
        found |= own
    at = f"{contents.steer_pointer(owner)}/{'pool' if steer.split is None else 'split'}"
    if found == {True} and owner == contents.origin:
        # RFC 1912 section 2.4: the SOA and NS stand there already.
        detail = f"{shown} is the zone itself, which cannot be a CNAME."
        yield Reason(at, "cname_conflict", detail, steer.pool)
    elif found == {True} and contents.rrsets.get(owner):
        others = ", ".join(map(type_to_text, contents.rrsets[owner]))
        detail = f"{shown} is steered to names and has {others}; a CNAME stands alone."
        yield Reason(at, "cname_conflict", detail, steer.pool)


def _has_names(config: Config, kinds: Mapping[str, set[bool]], steer: Steer) -> bool:
    return any(True in kinds[pool_id] for pool_id in config.steer_pools(steer))


def _hint_faults(
    config: Config,
    kinds: Mapping[str, set[bool]],
    contents: Contents,
    owner: bytes,
    rrsets: Mapping[int, RRset],
) -> Iterator[Reason]:
    """An automatic hint needs a steer to addresses at its own name."""
    for rtype in HINTED_TYPES & rrsets.keys():
        for number, text in enumerate(rrsets[rtype].values):
            steer = contents.steers.get(owner)
            if take_auto(text)[1] and (steer is None or _has_names(config, kinds, steer)):
                detail = f"{to_text(owner)} is not steered to addresses, so no hint can follow."
                at = f"{contents.rrset_pointer(owner, rtype)}/values/{number}"
                yield Reason(at, "contradiction", detail, text)

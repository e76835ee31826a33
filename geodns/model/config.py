"""Config: everything an operator has configured, at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geodns.model.monitor import Monitor
from geodns.model.node import Node
from geodns.model.override import Override
from geodns.model.pool import Pool
from geodns.model.zone import RRset, Steer, Zone

SteerKey = tuple[str, str]
RRsetKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Config:
    """All resources by key.

    Shape: zones by name without final dot (the root is "@"); steers by (zone, owner) and
    rrsets by (zone, owner, type), the owner relative to its zone and "@" at the apex.
    All names in URL form, lower case (`geodns.dns.names.to_url`).
    """

    zones: Mapping[str, Zone] = field(default_factory=dict)
    steers: Mapping[SteerKey, Steer] = field(default_factory=dict)
    rrsets: Mapping[RRsetKey, RRset] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def members(self, pool_id: str) -> dict[str, int]:
        """The pool's nodes with their weights, in the pool's own order.

        Errors: none; a node that does not exist is left out (`document` refuses it).
        """
        pool = self.pools[pool_id]
        if pool.nodes is not None:
            ids = [node_id for node_id in pool.nodes if node_id in self.nodes]
        else:
            wanted = (pool.select or {}).items()
            ids = [i for i in sorted(self.nodes) if wanted <= self.nodes[i].labels.items()]
        return {i: pool.weights.get(i, self.nodes[i].weight) for i in ids}

    def chain(self, pool_id: str) -> tuple[str, ...]:
        """The pool and its fallbacks in order; stops at an unknown pool or a cycle."""
        chain: list[str] = []
        following: str | None = pool_id
        while following is not None and following in self.pools and following not in chain:
            chain.append(following)
            following = self.pools[following].fallback
        return tuple(chain)

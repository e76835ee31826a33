"""Config: everything an operator has configured, at one instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from geodns.model.latency import Latency
from geodns.model.monitor import Monitor
from geodns.model.network import Network
from geodns.model.node import Node
from geodns.model.override import Override
from geodns.model.pool import Pool
from geodns.model.rule import Rule
from geodns.model.webhook import Webhook
from geodns.model.zone import RRset, Steer, Zone

SteerKey = tuple[str, str]
RRsetKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Arm:
    """A pool that a split sends a share of its users to; without a split it is the only one.

    Shape: ``chain`` is the pools to be tried in order, ``pool_id`` the first of them.
    """

    pool_id: str
    weight: int
    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a steer sends the users of a rule, or, without ``rule``, all the others."""

    rule: Rule | None
    arms: tuple[Arm, ...]


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
    networks: Mapping[str, Network] = field(default_factory=dict)
    latencies: Mapping[str, Latency] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)

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

    def chain(self, pool_id: str | None) -> tuple[str, ...]:
        """The pool and its fallbacks in order; stops at an unknown pool or a cycle."""
        chain: list[str] = []
        following = pool_id
        while following is not None and following in self.pools and following not in chain:
            chain.append(following)
            following = self.pools[following].fallback
        return tuple(chain)

    def destinations(self, steer: Steer) -> tuple[Destination, ...]:
        """One for each rule, in the steer's order; last the one for everybody else."""
        general = self._arms(steer, ())
        rest = _without_repeats(pool_id for arm in general for pool_id in arm.chain)
        ruled = (
            Destination(rule, self._arms(rule, () if rule.fence else rest)) for rule in steer.rules
        )
        return (*ruled, Destination(None, general))

    def steer_pools(self, steer: Steer) -> tuple[str, ...]:
        """Every pool that may answer for the steer, in the order of first use."""
        arms = (arm for each in self.destinations(steer) for arm in each.arms)
        return _without_repeats(pool_id for arm in arms for pool_id in arm.chain)

    def _arms(self, chooser: Steer | Rule, rest: tuple[str, ...]) -> tuple[Arm, ...]:
        """The arms of a split, or the pool as the only one; each goes on with ``rest``."""
        split = chooser.split
        if split is None:
            split = {} if chooser.pool is None else {chooser.pool: 1}
        return tuple(
            Arm(pool_id, weight, _without_repeats((*self.chain(pool_id), *rest)))
            for pool_id, weight in split.items()
        )


def _without_repeats(pool_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pool_ids))

"""Which resource names which other, and what is wrong with that."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from geodns.document.resources import Key, pointer
from geodns.errors import Reason
from geodns.model.base import join_pointer
from geodns.model.config import Config

HINTS_MAX = 20
"""How many unknown names get a "did you mean".

Source: no reference; a comparison with 1,000 ids takes some 10 ms, and nobody reads more.
"""

_CANDIDATES_MAX = 1000


class Reference(NamedTuple):
    """A place in the document that names another resource."""

    pointer: str
    kind: str
    id: str


def references(config: Config) -> Iterator[Reference]:
    """Every place that names a node, pool or monitor by id, known or not."""
    for key, steer in config.steers.items():
        yield Reference(_field("steer", key, "pool"), "pool", steer.pool)
    for pool_id, pool in config.pools.items():
        at = pointer("pool", (pool_id,))
        for number, node in enumerate(pool.nodes or ()):
            yield Reference(f"{at}/nodes/{number}", "node", node)
        for node in pool.weights:
            yield Reference(join_pointer(at, ("weights", node)), "node", node)
        if pool.monitor is not None:
            yield Reference(f"{at}/monitor", "monitor", pool.monitor)
        if pool.fallback is not None:
            yield Reference(f"{at}/fallback", "pool", pool.fallback)
    for monitor_id, monitor in config.monitors.items():
        at = pointer("monitor", (monitor_id,))
        for number, part in enumerate(monitor.of):
            yield Reference(f"{at}/of/{number}", "monitor", part)
    yield from _held(config)


def _held(config: Config) -> Iterator[Reference]:
    for override_id, override in config.overrides.items():
        at = f"{pointer('override', (override_id,))}/match"
        for number, node in enumerate(override.match.nodes or ()):
            yield Reference(f"{at}/nodes/{number}", "node", node)
        for number, pool in enumerate(override.match.pools or ()):
            yield Reference(f"{at}/pools/{number}", "pool", pool)


def unknown_references(config: Config) -> list[Reason]:
    """A reason for every reference to what does not exist."""
    known = {"node": config.nodes, "pool": config.pools, "monitor": config.monitors}
    unknown = [ref for ref in references(config) if ref.id not in known[ref.kind]]
    return [
        Reason(
            ref.pointer,
            "unknown_reference",
            f"No {ref.kind} {ref.id}.",
            ref.id,
            did_you_mean(ref.id, known[ref.kind]) if number < HINTS_MAX else "",
        )
        for number, ref in enumerate(unknown)
    ]


def orphans(config: Config) -> list[Reason]:
    """A reason for every zone that steers or RRsets are filed under but that does not exist."""
    homes = {key[0] for key in config.steers} | {key[0] for key in config.rrsets}
    return [
        Reason(
            pointer("zone", (zone,)),
            "unknown_reference",
            f"No zone {zone}.",
            zone,
            did_you_mean(zone, config.zones),
        )
        for zone in sorted(homes - config.zones.keys())
    ]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint that names the most similar of the known ids, if one is similar."""
    similar_length = (name for name in known if abs(len(name) - len(wrong)) <= 2)
    near = difflib.get_close_matches(wrong, islice(similar_length, _CANDIDATES_MAX), n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _field(kind: str, key: Key, field: str) -> str:
    return f"{pointer(kind, key)}/{field}"

"""Which resource names which other, and what is wrong with that."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from geodns.document.remember import once
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.base import Resource, join_pointer
from geodns.model.config import Config
from geodns.model.latency import Latency
from geodns.model.pool import Pool
from geodns.model.rule import Rule
from geodns.model.zone import Steer

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
        for at, pool_id in choices(pointer("steer", key), steer):
            yield Reference(at, "pool", pool_id)
    for pool_id, pool in config.pools.items():
        yield from _pool_references(pointer("pool", (pool_id,)), pool)
    for monitor_id, monitor in config.monitors.items():
        at = pointer("monitor", (monitor_id,))
        for number, part in enumerate(monitor.of):
            yield Reference(f"{at}/of/{number}", "monitor", part)
    for table_id, table in config.latencies.items():
        at = pointer("latency", (table_id,))
        for node, number in named_in(table).items():
            yield Reference(f"{at}/rows/{number}/1", "node", node)
    yield from _held(config)


def _pool_references(at: str, pool: Pool) -> Iterator[Reference]:
    for number, node in enumerate(pool.nodes or ()):
        yield Reference(f"{at}/nodes/{number}", "node", node)
    for node in pool.weights:
        yield Reference(join_pointer(at, ("weights", node)), "node", node)
    if pool.monitor is not None:
        yield Reference(f"{at}/monitor", "monitor", pool.monitor)
    if pool.fallback is not None:
        yield Reference(f"{at}/fallback", "pool", pool.fallback)
    if pool.latency is not None:
        yield Reference(f"{at}/latency", "latency", pool.latency)


@once
def named_in(table: Latency) -> dict[str, int]:
    """The nodes of a table, each with the number of its first row."""
    found: dict[str, int] = {}
    for number, row in enumerate(table.rows):
        found.setdefault(row.node, number)
    return found


def choices(at: str, steer: Steer) -> Iterator[tuple[str, str]]:
    """The pools that a steer and its rules send users to, with the pointer of each."""
    choosers: list[tuple[str, Steer | Rule]] = [(at, steer)]
    choosers += [(f"{at}/rules/{number}", rule) for number, rule in enumerate(steer.rules)]
    for own, chooser in choosers:
        if chooser.pool is not None:
            yield f"{own}/pool", chooser.pool
        for pool_id in chooser.split or ():
            yield join_pointer(own, ("split", pool_id)), pool_id


def _held(config: Config) -> Iterator[Reference]:
    for override_id, override in config.overrides.items():
        at = f"{pointer('override', (override_id,))}/match"
        for number, node in enumerate(override.match.nodes or ()):
            yield Reference(f"{at}/nodes/{number}", "node", node)
        for number, pool in enumerate(override.match.pools or ()):
            yield Reference(f"{at}/pools/{number}", "pool", pool)


def unknown_references(config: Config) -> list[Reason]:
    """A reason for every reference to what does not exist."""
    known: dict[str, Mapping[str, Resource]] = {
        "node": config.nodes,
        "pool": config.pools,
        "monitor": config.monitors,
        "latency": config.latencies,
    }
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

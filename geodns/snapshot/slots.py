"""Slots: which word of the status table belongs to which target, generation after generation.

A target keeps its slot as long as it exists. A slot that is given up carries the number of
the generation that gave it up and is taken again only when no worker can still be serving an
older one. The table travels in the targets section, which the health process reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any
from zlib import crc32

from geodns.document.places import location_of
from geodns.errors import ConfigError, Reason
from geodns.model.config import Config
from geodns.model.node import Node
from geodns.snapshot.section import Kind, Section, encode

TargetKey = tuple[str, str | None]
"""A target: (address, monitor id or None)."""


@dataclass(slots=True)
class Target:
    """One address as one monitor sees it, and where its word stands."""

    slot: int
    tag: int
    address: str
    monitor: str | None
    probe_address: str | None = None
    nodes: list[str] = field(default_factory=list)
    slow_start_s: float = 0
    shed: dict[str, float] | None = None
    """The loads from which users are sent away, and at which all are: ``lo`` and ``hi``."""


class Slots:
    """The assignment for the generation being made, starting from the one before it."""

    def __init__(
        self,
        capacity: int,
        generation: int,
        before: dict[str, Any] | None = None,
        acknowledged: int = 0,
    ) -> None:
        """``before`` is the last targets section's JSON; ``acknowledged`` the oldest
        generation that any worker may still serve."""
        before = before or {}
        if before.get("next_slot", 0) > capacity:  # the table has shrunk: it is another one
            before = {}
        self._capacity = capacity
        self._generation = generation
        self._before = {
            (target["address"], target["monitor"]): (target["slot"], target["tag"])
            for target in before.get("targets", [])
        }
        self._next: int = before.get("next_slot", 0)
        retired: list[list[int]] = before.get("retired", [])
        self._free = [slot for slot, since in retired if since <= acknowledged]
        self._retired = [[slot, since] for slot, since in retired if since > acknowledged]
        self._taken: dict[TargetKey, Target] = {}

    def take(
        self,
        address: str,
        monitor: str | None,
        node_id: str,
        node: Node,
        slow_start_s: float = 0,
    ) -> tuple[int, int]:
        """The slot and tag of a node's target; it starts as slowly as the slowest of its pools.

        Errors: ConfigError when the table is full.
        """
        key = (address, monitor)
        target = self._taken.get(key)
        if target is None:
            slot, tag = self._before.pop(key, None) or self._fresh(key)
            target = self._taken[key] = Target(slot, tag, address, monitor, node.probe_address)
        if node_id not in target.nodes:
            target.nodes.append(node_id)
        if target.shed is None and node.shed is not None:
            target.shed = node.shed.model_dump()
        target.slow_start_s = max(target.slow_start_s, slow_start_s)
        return target.slot, target.tag

    def encode(self, config: Config) -> bytes:
        """The targets section: all the health process needs to know."""
        retired = self._retired + [
            [slot, self._generation] for slot, _ in sorted(self._before.values())
        ]
        content = {
            "targets": [_plain(target) for target in self._taken.values()],
            "monitors": {
                key: monitor.model_dump(mode="json") for key, monitor in config.monitors.items()
            },
            "sites": self._sites(config),
            "next_slot": self._next,
            "retired": retired + [[slot, 0] for slot in self._free],
        }
        return encode(Kind.TARGETS, {"json": json.dumps(content).encode()}, optional=True)

    def _sites(self, config: Config) -> dict[str, str]:
        """Where each watched node stands: its label ``site``, else its place."""
        watched = {node_id for target in self._taken.values() for node_id in target.nodes}
        sites = {}
        for node_id in sorted(watched):
            node = config.nodes.get(node_id)
            if node is not None and (site := node.labels.get("site")):
                sites[node_id] = site
            elif node is not None and (point := location_of(node)) is not None:
                sites[node_id] = f"{point.lat:.3f},{point.lon:.3f}"
        return sites

    def _fresh(self, key: TargetKey) -> tuple[int, int]:
        # A tag that differs from the slot's last owner's tells a reader whose word it is.
        # It is not 0, or an empty word would be taken for one that says weight 0.
        tag = crc32(repr((key, self._generation)).encode()) or 1
        if self._next < self._capacity:
            self._next += 1
            return self._next - 1, tag
        if self._free:
            return self._free.pop(), tag
        detail = f"More than {self._capacity} targets (addresses times monitors)."
        hint = "Raise the setting status_slots and restart."
        raise ConfigError([Reason("/nodes", "too_many", detail, self._capacity, hint)])


_FIELDS = [each.name for each in fields(Target)]


def _plain(target: Target) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies deeply and takes ten times as long."""
    return {name: getattr(target, name) for name in _FIELDS}


def decode_targets(section: Section) -> dict[str, Any]:
    """The content of a targets section.

    Errors: ConfigError when it is not JSON of an object.
    """
    try:
        content = json.loads(section.octets("json"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Targets section is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise ConfigError("Targets section is not a JSON object.")
    return content

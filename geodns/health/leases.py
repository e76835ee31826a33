"""Nodes that must be heard of: one whose lease ends without a sign of life is down.

While the control process, through which all signs come, is away, leases stand still; they begin
anew when it is back, and when this process starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """What is known of a node. Units: ``heard_s`` on the watcher's clock."""

    heard_s: float
    lease_s: float
    load: float | None = None


class Leases:
    """The leases of all nodes that have one."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._reachable = True
        self.lapsed: dict[str, str] = {}
        """Nodes that have not been heard of, and since when, in words."""
        self.loads: dict[str, float] = {}
        """The last load of each node that is alive and tells it."""

    def load(self, leases: Mapping[str, float], now_s: float) -> None:
        """Take over a generation's leases; a new one begins now."""
        self._leases = {
            node_id: Lease(known.heard_s, lease_s, known.load)
            if (known := self._leases.get(node_id))
            else Lease(now_s, lease_s)
            for node_id, lease_s in leases.items()
        }
        self.sweep(now_s)

    def beat(self, node_id: str, load: float | None, now_s: float) -> bool:
        """A sign of life; whether that changed anything."""
        known = self._leases.get(node_id)
        if known is None:  # its generation is still to come
            return False
        self._leases[node_id] = Lease(now_s, known.lease_s, load)
        return self.sweep(now_s)

    def reachable(self, reachable: bool, now_s: float) -> None:
        """Whether signs of life can come at all."""
        if reachable and not self._reachable:
            self._leases = {
                node_id: lease if node_id in self.lapsed else Lease(now_s, lease.lease_s)
                for node_id, lease in self._leases.items()
            }
        self._reachable = reachable

    def sweep(self, now_s: float) -> bool:
        """See whose lease has ended; whether that changed anything."""
        before = self.lapsed, self.loads
        lapsed = {
            node_id: self.lapsed.get(node_id, f"no sign of life for {lease.lease_s:g} s")
            for node_id, lease in self._leases.items()
            if now_s - lease.heard_s > lease.lease_s
        }
        self.lapsed = lapsed if self._reachable else {
            node_id: reason for node_id, reason in lapsed.items() if node_id in self.lapsed
        }  # fmt: skip
        self.loads = {
            node_id: lease.load
            for node_id, lease in self._leases.items()
            if lease.load is not None and node_id not in self.lapsed
        }
        return before != (self.lapsed, self.loads)

"""Who is watched under a generation: its targets, the parts of combined monitors, and canaries."""

from __future__ import annotations

from dataclasses import dataclass

from geodns.health.targets import Target, Watchlist
from geodns.health.watch import Key
from geodns.model.monitor import UNPROBED, Monitor


@dataclass(frozen=True, slots=True)
class Wanted:
    """One address to be watched by one monitor; see `Watch`."""

    target: Target
    monitor: Monitor
    site: str
    slotted: bool


def roster(watchlist: Watchlist) -> dict[Key, Wanted]:
    """Everything a generation wants watched. Targets that nobody judges are not in it."""
    wanted: dict[Key, Wanted] = {}
    for target in watchlist.targets:
        _add(wanted, watchlist, target, slotted=True)
    for target in watchlist.targets:
        monitor = watchlist.monitor_of(target)
        if monitor is not None:
            _add_parts(wanted, watchlist, target, monitor)
    watched = {monitor_id for _, monitor_id in wanted}
    for monitor_id, monitor in (watchlist.monitors or {}).items():
        if _stands_alone(monitor) and monitor_id not in watched:
            canary = Target(slot=0, tag=0, address=str(monitor.host), monitor=monitor_id)
            _add(wanted, watchlist, canary, slotted=False)
    return wanted


def _add(wanted: dict[Key, Wanted], watchlist: Watchlist, target: Target, *, slotted: bool) -> bool:
    monitor = watchlist.monitor_of(target)
    key = target.address, str(target.monitor)
    if monitor is None or key in wanted:
        return False
    wanted[key] = Wanted(target, monitor, watchlist.site_of(target), slotted)
    return True


def _add_parts(
    wanted: dict[Key, Wanted], watchlist: Watchlist, target: Target, monitor: Monitor
) -> None:
    """What a combined monitor judges by, at the same address."""
    for part_id in monitor.of:
        part = target.model_copy(update={"slot": 0, "tag": 0, "monitor": part_id})
        part_monitor = watchlist.monitor_of(part)
        if part_monitor is not None and _add(wanted, watchlist, part, slotted=False):
            _add_parts(wanted, watchlist, part, part_monitor)


def _stands_alone(monitor: Monitor) -> bool:
    """A canary that names its own server and needs no node."""
    return monitor.canary and monitor.host is not None and monitor.type not in UNPROBED

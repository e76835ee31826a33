"""Check everything that spans resources, all at once.

One field alone is checked where its resource is read (`geodns.model`); here are the rules that
need the whole: references, addresses that stand twice, names, record data, what may stand
beside what. A Config without faults can be compiled and served.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from geodns.document.aliases import alias_faults
from geodns.document.changes import touched
from geodns.document.contents import read_contents
from geodns.document.delegations import delegation_warnings
from geodns.document.fleet import fleet_warnings, node_faults, pool_faults
from geodns.document.lifetimes import ttl_warnings
from geodns.document.monitors import monitor_faults
from geodns.document.networks import (
    latency_faults,
    latency_warnings,
    network_faults,
    network_warnings,
)
from geodns.document.overrides import override_faults, override_warnings
from geodns.document.records import record_faults, record_warnings
from geodns.document.references import orphans, unknown_references
from geodns.document.resources import pointer
from geodns.document.rules import (
    server_faults,
    steer_faults,
    steer_warnings,
    subdivision_warnings,
)
from geodns.document.scope import parts
from geodns.document.tolerant import owner_of
from geodns.document.webhooks import webhook_faults
from geodns.document.zones import zone_faults, zone_warnings
from geodns.errors import Reason
from geodns.model.config import Config


def check(config: Config, *, asns: bool = True) -> list[Reason]:
    """Every fault that spans fields or resources; empty if the Config can be served.

    Shape: pointers into the document, as in ``/zones/example.com/steers/www/pool``; record data
           is always pointed to below ``values``. ``asns`` says whether the server knows
           autonomous systems; without, nothing may ask for them.
    """
    faults = [*orphans(config), *unknown_references(config)]
    zones = read_contents(config, faults)
    for contents in zones.values():
        faults += zone_faults(contents, zones)
        faults += record_faults(contents)
    faults += alias_faults(config, zones)
    faults += pool_faults(config)
    faults += steer_faults(config, asns=asns)
    faults += node_faults(config)
    faults += server_faults(config, asns=asns)
    faults += network_faults(config)
    faults += latency_faults(config)
    faults += monitor_faults(config)
    faults += override_faults(config)
    faults += webhook_faults(config)
    return faults


def warnings(config: Config, *, asns: bool = True, subdivisions: bool = True) -> list[Reason]:
    """What is allowed but seldom meant. The Config must be free of faults.

    Shape: ``asns`` and ``subdivisions`` say what the server's databases know.
    """
    found: list[Reason] = []
    zones = read_contents(config, found)
    for contents in zones.values():
        found += zone_warnings(contents)
        found += record_warnings(contents, zones)
        found += delegation_warnings(contents, zones)
        found += ttl_warnings(contents)
    found += steer_warnings(config)
    if not subdivisions:
        found += subdivision_warnings(config)
    found += fleet_warnings(config)
    found += network_warnings(config)
    found += latency_warnings(config, asns=asns)
    found += override_warnings(config)
    return found


def warnings_of(
    before: Config, after: Config, *, asns: bool = True, subdivisions: bool = True
) -> list[Reason]:
    """What `warnings` tells of the resources that differ, and what it did not tell before.

    Shape: of Configs that are both free of faults.
    """
    differing = {pointer(each.kind, each.key) for each in touched(before, after)}
    if not differing:
        return []
    found = warnings(after, asns=asns, subdivisions=subdivisions)
    elsewhere = [reason for reason in found if owner_of(reason.pointer) not in differing]
    if not elsewhere:
        return found
    old = {(each.pointer, each.code) for each in warnings(before, asns=asns)}
    known = {(each.pointer, each.code) for each in elsewhere} & old
    return [reason for reason in found if (reason.pointer, reason.code) not in known]


def check_edit(before: Config, after: Config, *, asns: bool = True) -> list[Reason]:
    """What `check` finds in ``after``, given that it finds nothing in ``before``: at the cost of
    what was edited, unless that is wrong."""
    part = parts(before, after)
    if part is not None and not check(part.after, asns=asns):
        return []
    return check(after, asns=asns)


def new_warnings(
    before: Config,
    after: Config,
    is_subject: Callable[[Reason], bool],
    *,
    asns: bool = True,
    subdivisions: bool = True,
) -> list[Reason]:
    """What `warnings` tells of the subject of an edit, and what it did not tell before it.

    Shape: of Configs that are both free of faults.
    """
    old, new = parts(before, after) or (before, after)
    judge = partial(warnings, asns=asns, subdivisions=subdivisions)
    known = {(reason.pointer, reason.code) for reason in judge(old)}
    return [
        reason
        for reason in judge(new)
        if (reason.pointer, reason.code) not in known or is_subject(reason)
    ]

"""The rules for what we know better than the databases: named places, networks, latency tables."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import islice
from operator import is_not

from geodns.document.overlaps import FAULTS_MAX, Overlaps, overlaps
from geodns.document.places import location_at
from geodns.document.remember import once
from geodns.document.resources import body, pointer
from geodns.errors import ConfigError, Reason
from geodns.geo.special import SPECIAL4, SPECIAL6
from geodns.model.config import Config
from geodns.model.latency import Latency
from geodns.model.network import Network
from geodns.model.node import Node
from geodns.model.subnet import Prefix


def place_faults(at: str, what: str, resource: Node | Network) -> Iterator[Reason]:
    """A place that is unknown, ambiguous, or said twice."""
    if resource.at is None:
        return
    if resource.location is not None:
        detail = f"{what} has both at and location; only one can say where it stands."
        yield Reason(f"{at}/location", "contradiction", detail, body(resource.location))
    try:
        location_at(resource.at)
    except ConfigError as error:
        for each in error.reasons:
            yield Reason(f"{at}/at", each.code, each.detail, each.value, each.hint)


# --- Networks ---


def network_faults(config: Config) -> Iterator[Reason]:
    """Networks without a place, and subnets that are in two of them."""
    for network_id, network in config.networks.items():
        at = pointer("network", (network_id,))
        yield from place_faults(at, f"Network {network_id}", network)
        if network.at is None and network.location is None:
            detail = f"Network {network_id} says no place."
            yield Reason(f"{at}/location", "required", detail, hint="Give at or location.")
    networks = tuple(config.networks.values())
    if networks:
        yield from _overlap_faults(tuple(config.networks), networks, _overlaps(networks))


def _overlap_faults(
    ids: tuple[str, ...], networks: tuple[Network, ...], found: Overlaps
) -> Iterator[Reason]:
    for where, first in islice(found.duplicates, FAULTS_MAX):
        at = pointer("network", (ids[where.group],))
        subnet = networks[where.group].subnets[where.number]
        detail = f"{subnet} is in network {ids[first.group]} already."
        yield Reason(f"{at}/subnets/{where.number}", "duplicate", detail, subnet)
    more = len(found.duplicates) - FAULTS_MAX
    if more > 0:
        yield Reason("/networks", "duplicate", f"{more} more subnets stand twice.")
    empty = Counter(where.group for where in found.dead)
    for number, dead in sorted(empty.items()):
        if dead == len(networks[number].subnets):
            at = pointer("network", (ids[number],))
            detail = (
                f"Network {ids[number]} places nobody: others have all of it in longer subnets."
            )
            yield Reason(at, "unreachable", detail)


_latest: tuple[tuple[Network, ...], Overlaps] = (), overlaps(())
"""The networks judged last: most writes leave them as they are."""


def _overlaps(networks: tuple[Network, ...]) -> Overlaps:
    global _latest
    known, found = _latest
    if len(known) != len(networks) or any(map(is_not, known, networks)):
        found = overlaps(networks)
        _latest = networks, found
    return found


def network_warnings(config: Config) -> Iterator[Reason]:
    """Networks that cover addresses nobody on the Internet has."""
    for network_id, network in config.networks.items():
        found = _special(network)
        if found:
            detail = (
                f"{found[0]} is set apart from the Internet (RFC 6890); with this network, users "
                "and resolvers of such addresses count as being there."
            )
            more = f" So do {len(found) - 1} more." if len(found) > 1 else ""
            at = f"{pointer('network', (network_id,))}/subnets"
            yield Reason(at, "special_purpose", detail + more, found[0])


@once
def _special(network: Network) -> list[str]:
    """The network's subnets that overlap special-purpose blocks."""
    pairs = zip(network.subnets, network.prefixes, strict=True)
    return [subnet for subnet, prefix in pairs if _is_special(prefix)]


def _is_special(prefix: Prefix) -> bool:
    starts, ends = _BLOCKS[prefix.family]
    # The last block that begins before the prefix ends: blocks do not overlap.
    at = bisect_right(starts, prefix.low + prefix.size - 1) - 1
    return at >= 0 and ends[at] > prefix.low


def _blocks(texts: tuple[str, ...], shift: int) -> tuple[list[int], list[int]]:
    """First and one-past-last values of blocks, in the bits that tables know."""
    blocks = sorted(
        (int(each.network_address) >> shift, (int(each.broadcast_address) >> shift) + 1)
        for each in map(ip_network, texts)
    )
    return [low for low, _ in blocks], [end for _, end in blocks]


_BLOCKS = {4: _blocks(SPECIAL4, 0), 6: _blocks(SPECIAL6, 64)}


# --- Latency tables ---


def latency_faults(config: Config) -> Iterator[Reason]:
    """Tables that say two things about one way."""
    for table_id, table in config.latencies.items():
        at = pointer("latency", (table_id,))
        yield from (replace(each, pointer=at + each.pointer) for each in _row_faults(table))


@once
def _row_faults(table: Latency) -> list[Reason]:
    first: dict[tuple[str, str], int] = {}
    faults = []
    for number, row in enumerate(table.rows):
        known = first.setdefault((row.from_, row.node), number)
        if known != number:
            detail = f"The way from {row.from_} to {row.node} is in row {known} already."
            faults.append(Reason(f"/rows/{number}", "duplicate", detail, row.from_))
    more = len(faults) - FAULTS_MAX
    told = Reason("/rows", "duplicate", f"{more} more rows stand twice.")
    return [*faults[:FAULTS_MAX], told] if more > 0 else faults


def latency_warnings(config: Config, *, asns: bool) -> Iterator[Reason]:
    """Rows that can tell nothing."""
    for table_id, table in config.latencies.items():
        number = _first_asn(table)
        if number is not None and not asns:
            at = f"{pointer('latency', (table_id,))}/rows/{number}"
            detail = "asn_db is not set: rows from autonomous systems tell nothing."
            yield Reason(at, "no_asn_db", detail, table.rows[number].from_)


@once
def _first_asn(table: Latency) -> int | None:
    sources = (number for number, row in enumerate(table.rows) if row.from_.startswith("AS"))
    return next((number for number in sources if table.rows[number].from_[2:].isdigit()), None)

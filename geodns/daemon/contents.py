"""How much a generation answers: what the next must not lose by mistake.

The API's brakes stop an operator's slip; this stops what no operator asked for, such as a store
that was lost or a manifest that is not what it should be. It is never stricter than they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geodns.dns.names import from_url, is_subdomain, to_text
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_NS
from geodns.engine.zones import ZoneTable
from geodns.errors import ConfigError
from geodns.snapshot.manifest import Entry
from geodns.snapshot.section import Kind, Section

ALWAYS = 2
"""RRsets that every zone has at its apex: SOA and NS."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What one section holds: RRsets of a zone beyond the apex's own, or members by pool.

    Shape: ``sure`` leaves out the addresses of name servers, which come with the zone itself.
    """

    kind: int
    apex: bytes = b""
    rrsets: int = 0
    sure: int = 0
    members: Mapping[int, int] | None = None

    def is_of(self, entry: Entry) -> bool:
        """Whether it may be filed so."""
        return self.kind == entry.kind and (not self.apex or self.apex == from_url(entry.name))


def contents_of(entry: Entry, octets: memoryview) -> Contents:
    """What a section holds.

    Errors: ConfigError when it is filed under another's name, or contradicts itself.
    """
    try:
        return _contents(entry, Section(octets))
    except (IndexError, KeyError, ValueError) as error:
        raise ConfigError(f"Section {entry.name} contradicts itself: {error}.") from None


def _contents(entry: Entry, section: Section) -> Contents:
    if section.kind != entry.kind:
        raise ConfigError(f"Section {entry.name} is of kind {section.kind}, not {entry.kind}.")
    if entry.kind == Kind.POOLS:
        return Contents(entry.kind, members=dict(_members(section)))
    if entry.kind != Kind.ZONE:
        return Contents(entry.kind)
    apex = section.octets("apex")
    if apex != from_url(entry.name):
        raise ConfigError(f"Section {entry.name} holds the zone {to_text(apex)}")
    rrsets = len(section.column("rtype")) - ALWAYS
    return Contents(entry.kind, apex, rrsets, rrsets - _glue(ZoneTable(section)))


def _members(section: Section) -> Iterator[tuple[int, int]]:
    place_at, member_at = section.column("place_at"), section.column("member_at")
    for number, key in enumerate(section.column("key")):
        first, end = place_at[number], place_at[number + 1]
        yield key, member_at[end] - member_at[first]


def _glue(zone: ZoneTable) -> int:
    apex = zone.owner(zone.apex)
    servers = apex.rrsets[TYPE_NS].rdata if apex and TYPE_NS in apex.rrsets else ()
    own = {server.lower() for server in servers if is_subdomain(server, zone.apex)}
    owners = [owner for name in own if (owner := zone.owner(name)) is not None]
    return sum(len(owner.rrsets.keys() & {TYPE_A, TYPE_AAAA}) for owner in owners)


def losses(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> Iterator[str]:
    """What would be lost whole: all that a zone answers, all members of a pool."""
    left = {each.apex: each.rrsets for each in after.values() if each.apex}
    for each in before.values():
        if each.apex and each.sure > 0 and left.get(each.apex, 0) <= 0:
            yield f"zone {to_text(each.apex)} would lose all its {each.sure} RRsets"
    now = {key: size for each in after.values() for key, size in (each.members or {}).items()}
    emptied = [
        key
        for each in before.values()
        for key, size in (each.members or {}).items()
        if size and now.get(key) == 0
    ]
    if emptied:
        yield f"{len(emptied)} pools would lose their last nodes"

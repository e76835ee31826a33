"""TTLs that are allowed and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

from geodns.dns.names import to_text
from geodns.dns.rrtypes import type_to_text
from geodns.document.contents import Contents
from geodns.errors import Reason

LONG_S = 7 * 86_400
"""A week. Source: RFC 8767 section 4 lets resolvers cap TTLs there; it cannot be undone sooner."""

NEGATIVE_LONG_S = 3 * 3600
"""Source: RFC 2308 section 5: one to three hours work well, a day is problematic."""

STEERED_LONG_S = 300
"""Source: no reference; users of a dead node wait for it, and five minutes are an outage."""


def ttl_warnings(contents: Contents) -> Iterator[Reason]:
    """TTLs that outlive what they say, and those that keep users at a dead node."""
    zone = contents.zone
    if zone.ttl > LONG_S:
        yield _long(f"{contents.pointer}/ttl", contents.name, zone.ttl)
    if zone.negative_ttl > NEGATIVE_LONG_S:
        detail = f"Resolvers remember for {zone.negative_ttl} s that a name does not exist."
        yield Reason(f"{contents.pointer}/negative_ttl", "long_ttl", detail, zone.negative_ttl)
    for owner, rrsets in contents.rrsets.items():
        for rtype, rrset in rrsets.items():
            if rrset.ttl is not None and rrset.ttl > LONG_S:
                at = f"{contents.rrset_pointer(owner, rtype)}/ttl"
                yield _long(at, f"{to_text(owner)} {type_to_text(rtype)}", rrset.ttl)
    for owner, steer in contents.steers.items():
        if steer.ttl > STEERED_LONG_S:
            detail = f"Users stay up to {steer.ttl} s with a node of {to_text(owner)} that is down."
            yield Reason(f"{contents.steer_pointer(owner)}/ttl", "long_ttl", detail, steer.ttl)


def _long(at: str, what: str, ttl: int) -> Reason:
    detail = f"{what} lives {ttl} s in caches, over a week; a mistake lasts as long."
    return Reason(at, "long_ttl", detail, ttl)

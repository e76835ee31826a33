"""Delegations that lead nowhere: name servers below their own cut without an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geodns.dns.names import is_subdomain, to_text
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_NS
from geodns.document.contents import Contents
from geodns.document.zones import server_name
from geodns.errors import Reason


def delegation_warnings(contents: Contents, zones: Mapping[bytes, Contents]) -> Iterator[Reason]:
    """Glue that is missing. A cut to a zone of ours needs none: we answer below it ourselves."""
    for cut, servers in cuts(contents).items():
        for number, name in enumerate(servers):
            known = contents.rrsets.get(name, {}).keys() & {TYPE_A, TYPE_AAAA}
            if cut not in zones and is_subdomain(name, cut) and not known:
                # RFC 9471 section 2.1: without glue a resolver cannot follow the referral.
                at = f"{contents.rrset_pointer(cut, TYPE_NS)}/values/{number}"
                detail = f"Name server {to_text(name)} lies below its own cut but has no address."
                hint = "Add an A or AAAA RRset of that name: it is served as glue."
                yield Reason(at, "glue_missing", detail, to_text(name), hint)


def cuts(contents: Contents) -> dict[bytes, list[bytes]]:
    """The name servers, in lower case, of each name that the zone delegates."""
    return {
        owner: [_target(text, contents.origin) for text in rrsets[TYPE_NS].values]
        for owner, rrsets in contents.rrsets.items()
        if TYPE_NS in rrsets
    }


def servers(contents: Contents) -> set[bytes]:
    """The names whose addresses may be needed as glue."""
    own = {server_name(server.name) for server in contents.zone.name_servers()}
    return own.union(*cuts(contents).values())


def _target(text: str, origin: bytes) -> bytes:
    return rdata_from_text(TYPE_NS, text, origin).lower()

"""The rules for what a zone holds: record data, and what may stand beside what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial

from geodns.dns.names import excerpt, is_subdomain, label_offsets, to_text, to_url
from geodns.dns.rdata import COMMON_TYPES, names_in, rdata_from_text
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_NS, TYPES, type_to_text
from geodns.document.contents import Contents, attempt
from geodns.document.delegations import servers
from geodns.errors import Reason
from geodns.model.zone import RRset

RRSET_MAX_OCTETS = 65_535 - 1024
"""Largest RRset in a reply, its owner names compressed.

Source: RFC 1035 section 4.2.2, a message over TCP has 16 bits of length; of these the header,
the longest question, EDNS options and one signature (ECDSA P-256) take at most 700 octets.
"""

_RR_OVERHEAD_OCTETS = 12  # RFC 1035 section 4.1.3: compressed owner, type, class, TTL, length.
_SINGLETONS = {TYPE_CNAME, TYPES["DNAME"]}  # RFC 2181 section 10.1; RFC 6672 section 2.4.
_ADDRESSES = {TYPE_A, TYPE_AAAA}

_REMEMBERED_MAX_CHARACTERS = 300
"""Longest text whose record data is kept, so that all that is kept stays below 60 MB.

Source: no reference; all but DKIM keys and long SVCB parameters are shorter.
"""


def record_faults(contents: Contents) -> list[Reason]:
    """All faults of the zone's steers and RRsets."""
    faults: list[Reason] = []
    for owner, steer in contents.steers.items():
        if "ttl_min" in steer.model_fields_set and steer.ttl_min > steer.ttl:
            at = contents.steer_pointer(owner)
            detail = f"ttl_min {steer.ttl_min} is above ttl {steer.ttl}."
            faults.append(Reason(f"{at}/ttl_min", "out_of_range", detail, steer.ttl_min))
    for owner, rrsets in contents.rrsets.items():
        faults.extend(_company_faults(contents, owner, rrsets))
        for rtype, rrset in rrsets.items():
            faults.extend(_value_faults(contents, owner, rtype, rrset))
    return faults


# --- What may stand beside what ---


def _company_faults(
    contents: Contents, owner: bytes, rrsets: Mapping[int, RRset]
) -> Iterator[Reason]:
    if owner == contents.origin:
        yield from _apex_faults(contents, owner, rrsets)
    elif TYPE_CNAME in rrsets and (len(rrsets) > 1 or owner in contents.steers):
        # RFC 1034 section 3.6.2: if a CNAME is present, no other data should be.
        others = [type_to_text(rtype) for rtype in rrsets if rtype != TYPE_CNAME]
        others += ["a steer"] if owner in contents.steers else []
        detail = f"{to_text(owner)} has a CNAME and {', '.join(others)}; a CNAME stands alone."
        yield Reason(contents.rrset_pointer(owner, TYPE_CNAME), "cname_conflict", detail)
    for rtype in sorted(_ADDRESSES & rrsets.keys()) if owner in contents.steers else ():
        detail = f"{to_text(owner)} is steered, which makes its A and AAAA records."
        yield Reason(contents.rrset_pointer(owner, rtype), "contradiction", detail)


def _apex_faults(contents: Contents, owner: bytes, rrsets: Mapping[int, RRset]) -> Iterator[Reason]:
    shown = to_text(owner)
    refused = {
        # RFC 1912 section 2.4: the SOA and NS stand here already.
        TYPE_CNAME: ("cname_conflict", f"{shown} is the zone itself, which cannot be a CNAME."),
        TYPE_NS: ("type_not_allowed", f"The NS records of {shown} are its nameservers field."),
        # RFC 4035 section 2.4: a DS stands in the parent zone only.
        TYPES["DS"]: ("type_not_allowed", f"The DS records of {shown} belong to its parent."),
    }
    for rtype, (code, detail) in refused.items():
        if rtype in rrsets:
            yield Reason(contents.rrset_pointer(owner, rtype), code, detail)


# --- Values ---


@lru_cache(maxsize=65_536)
def _parse_short(rtype: int, text: str, origin: bytes) -> bytes:
    """Every write checks the whole document again; nearly all of its data is unchanged."""
    return rdata_from_text(rtype, text, origin)


def _parse(rtype: int, text: str, origin: bytes) -> bytes:
    remembered = rtype not in COMMON_TYPES and len(text) <= _REMEMBERED_MAX_CHARACTERS
    return (_parse_short if remembered else rdata_from_text)(rtype, text, origin)


def _value_faults(contents: Contents, owner: bytes, rtype: int, rrset: RRset) -> list[Reason]:
    faults: list[Reason] = []
    data: dict[bytes, int] = {}

    def at(number: int | None = None) -> str:
        values = f"{contents.rrset_pointer(owner, rtype)}/values"
        return values if number is None else f"{values}/{number}"

    for number, text in enumerate(rrset.values):
        here = partial(at, number)
        wire = attempt(here, faults, _parse, rtype, text, contents.origin)
        if wire is not None:
            same = _comparable(rtype, wire) if len(rrset.values) > 1 else wire
            if same in data:
                # RFC 2181 section 5: an RRset cannot hold one record twice.
                detail = f"The same record as value {data[same]}."
                faults.append(Reason(here(), "duplicate", detail, excerpt(text)))
            data.setdefault(same, number)
    if rtype in _SINGLETONS and len(rrset.values) > 1:
        detail = f"{to_text(owner)} can have only one {type_to_text(rtype)}."
        faults.append(Reason(at(1), "too_many", detail, rrset.values[1]))
    size = sum(_RR_OVERHEAD_OCTETS + len(wire) for wire in data)
    if size > RRSET_MAX_OCTETS:
        detail = f"The RRset has {size} octets; at most {RRSET_MAX_OCTETS} fit into a reply."
        faults.append(Reason(at(), "too_large", detail, size))
    return faults


def _comparable(rtype: int, wire: bytes) -> bytes:
    """The data with the case of its names taken out (RFC 4034 section 6.2, 3)."""
    for name in names_in(rtype, wire):
        wire = wire.replace(name, name.lower())
    return wire


# --- Warnings ---


def record_warnings(contents: Contents, zones: Mapping[bytes, Contents]) -> Iterator[Reason]:
    """Records that can never be answered, and names that were likely meant otherwise."""
    cuts = {owner for owner, rrsets in contents.rrsets.items() if TYPE_NS in rrsets}
    renamed = {owner for owner, held in contents.rrsets.items() if TYPES["DNAME"] in held}
    served = servers(contents)
    for owner, kind in _all(contents):
        above = _suffixes(owner, contents.origin)
        below_apex = (suffix for suffix in reversed(above) if suffix != contents.origin)
        cut = next((suffix for suffix in below_apex if suffix in cuts or suffix in zones), None)
        glue = kind in _ADDRESSES and owner in served
        hidden = cut is not None and not glue and (cut != owner or kind not in _AT_CUT)
        if hidden or any(suffix in renamed for suffix in above if suffix != owner):
            detail = (
                f"{to_text(owner)} {_shown(kind)} is never answered: it lies under a cut or DNAME."
            )
            yield Reason(_pointer(contents, owner, kind), "occluded", detail)
        if _is_doubled(owner, contents.origin):
            detail = f"This is {to_text(owner)}; owners are written relative to their zone."
            at = _pointer(contents, owner, kind)
            yield Reason(at, "doubled_name", detail, to_url(owner, contents.origin))


_AT_CUT = {TYPE_NS, TYPES["DS"]}


def _all(contents: Contents) -> Iterator[tuple[bytes, int | None]]:
    """Owner and type of all RRsets and, without type, steers."""
    for owner, rrsets in contents.rrsets.items():
        for rtype in rrsets:
            yield owner, rtype
    for owner in contents.steers:
        yield owner, None


def _pointer(contents: Contents, owner: bytes, rtype: int | None) -> str:
    if rtype is None:
        return contents.steer_pointer(owner)
    return contents.rrset_pointer(owner, rtype)


def _shown(rtype: int | None) -> str:
    return "(a steer)" if rtype is None else type_to_text(rtype)


def _suffixes(owner: bytes, origin: bytes) -> list[bytes]:
    """The owner and every name above it down from its zone's."""
    return [owner[at:] for at in label_offsets(owner) if len(owner) - at >= len(origin)]


def _is_doubled(owner: bytes, origin: bytes) -> bool:
    relative = owner[: len(owner) - len(origin)]
    return len(origin) > 1 and is_subdomain(relative + b"\x00", origin)

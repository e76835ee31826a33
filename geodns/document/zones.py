"""The rules for a zone's own fields: its name servers, their addresses, its contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geodns.dns.names import (
    NAME_MAX_OCTETS,
    ROOT,
    canonical,
    excerpt,
    from_text,
    is_subdomain,
    label_offsets,
    mailbox_to_name,
    to_text,
)
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_NS
from geodns.document.contents import Contents, attempt
from geodns.errors import ConfigError, Reason
from geodns.model.zone import NameServer

HOSTMASTER = b"\x0ahostmaster"
"""The mailbox of a zone that names none. Source: RFC 2142 section 7."""

_ADDRESS_TYPES = (TYPE_A, TYPE_AAAA)


def zone_faults(contents: Contents, zones: Mapping[bytes, Contents]) -> list[Reason]:
    """All faults of the zone's own fields."""
    faults: list[Reason] = []
    faults.extend(_contact_faults(contents))
    seen: set[bytes] = set()
    for number, server in enumerate(contents.zone.name_servers()):
        at = f"{contents.pointer}/nameservers/{number}"
        name = attempt(at, faults, server_name, server.name)
        if name is None:
            continue
        if name in seen:
            detail = f"Name server {server.name} stands twice."
            faults.append(Reason(at, "duplicate", detail, server.name))
        seen.add(name)
        faults.extend(_address_faults(at, server))
        home = _home(name, zones)
        if home is not None:
            faults.extend(_server_faults(at, server, name, home))
    return faults


def _contact_faults(contents: Contents) -> list[Reason]:
    faults: list[Reason] = []
    at, contact, origin = f"{contents.pointer}/contact", contents.zone.contact, contents.origin
    if contact is not None:
        attempt(at, faults, contact_name, contact)
    elif len(HOSTMASTER) + len(origin) > NAME_MAX_OCTETS:
        detail = f"{excerpt(to_text(origin))} is too long for a hostmaster@ of its own."
        hint = "Give contact, a mail address of a shorter name."
        faults.append(Reason(at, "required", detail, hint=hint))
    return faults


def contact_name(contact: str) -> bytes:
    """The SOA's RNAME for a contact: a mail address, or the name that stands for one.

    Errors: ConfigError "bad_mailbox", "bad_name".
    """
    return mailbox_to_name(contact) if "@" in contact else from_text(contact)


def server_name(text: str) -> bytes:
    """A name server's absolute name, lower case; the final dot may be left out.

    Errors: ConfigError "bad_name".
    """
    name = canonical(from_text(text))
    if name == ROOT:
        raise ConfigError([Reason("", "bad_name", "The root cannot be a name server.", text)])
    return name


def _home(name: bytes, zones: Mapping[bytes, Contents]) -> Contents | None:
    """The deepest of our zones that the name lies in."""
    suffixes = (name[offset:] for offset in label_offsets(name))
    return next((zones[suffix] for suffix in suffixes if suffix in zones), None)


def _address_faults(at: str, server: NameServer) -> Iterator[Reason]:
    for number, address in enumerate(server.addresses):
        if server.addresses.index(address) != number:
            detail = f"Address {address} is twice in one name server."
            yield Reason(f"{at}/addresses/{number}", "duplicate_address", detail, address)


def _server_faults(at: str, server: NameServer, name: bytes, home: Contents) -> Iterator[Reason]:
    """Faults of a name server whose addresses are for us to answer."""
    held = home.rrsets.get(name, {})
    if TYPE_CNAME in held:
        # RFC 2181 section 10.3: the value of an NS must not be an alias.
        yield Reason(at, "alias", f"Name server {server.name} is a CNAME.", server.name)
        return
    elsewhere = name in home.steers or any(rtype in held for rtype in _ADDRESS_TYPES)
    if server.addresses and elsewhere:
        detail = f"The addresses of {server.name} are given here and again at its own name."
        yield Reason(f"{at}/addresses", "contradiction", detail, list(server.addresses))
    if not (server.addresses or elsewhere or _is_known(name, home)):
        # RFC 9471 section 2: without its address, the zone cannot be reached at all.
        yield Reason(
            at,
            "glue_missing",
            f"Name server {server.name} lies inside {to_text(home.origin)} but has no address.",
            server.name,
            "Give {name, addresses}, or an A or AAAA RRset of that name.",
        )


def _is_known(name: bytes, home: Contents) -> bool:
    """Whether the zone that a server lies in names it with its addresses as a server of its
    own, or leaves them to another's servers by a cut."""
    own = any(
        entry.addresses and attempt("", [], server_name, entry.name) == name
        for entry in home.zone.name_servers()
    )
    suffixes = (name[at:] for at in label_offsets(name) if len(name) - at > len(home.origin))
    return own or any(TYPE_NS in home.rrsets.get(suffix, ()) for suffix in suffixes)


def zone_warnings(contents: Contents) -> Iterator[Reason]:
    """Addresses of name servers that nobody will ask us for."""
    for number, server in enumerate(contents.zone.name_servers()):
        if server.addresses and not is_subdomain(server_name(server.name), contents.origin):
            at = f"{contents.pointer}/nameservers/{number}/addresses"
            detail = f"{server.name} is outside the zone: its addresses are not served from here."
            yield Reason(at, "unused", detail, list(server.addresses))

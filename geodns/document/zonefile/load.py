"""A master file into resources, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, NamedTuple

from geodns.dns.names import (
    ROOT,
    canonical,
    from_url,
    is_subdomain,
    label_offsets,
    mailbox_to_name,
    to_text,
    to_url,
)
from geodns.dns.rdata import rdata_to_text
from geodns.dns.rrtypes import TYPE_A, TYPE_AAAA, TYPE_NS, type_to_text
from geodns.dns.zonefile import Record, ZoneText, parse
from geodns.document.collector import making_many
from geodns.document.resources import body, pointer
from geodns.document.zonefile.export import EXPIRE_S, REFRESH_S, RETRY_S, zone_rname
from geodns.document.zones import HOSTMASTER, server_name
from geodns.errors import ConfigError, Reason
from geodns.model.base import TTL_MAX, read
from geodns.model.config import Config, RRsetKey
from geodns.model.zone import RRset, Zone

VALUES_MAX = 1000
"""Source: `geodns.model.zone.RRset`, as is the next."""

VALUE_MAX_CHARACTERS = 65_535

CONTACT_MAX_CHARACTERS = 320
"""Source: `geodns.model.zone.Zone`."""


class ImportedZone(NamedTuple):
    """A master file as resources.

    Shape: ``rrsets`` are all of the zone; ``notes`` what was changed or is not kept; ``lines``
           says by pointer into the document where a resource stands in the file.
    """

    zone: Zone
    rrsets: dict[RRsetKey, RRset]
    notes: list[Reason]
    lines: dict[str, int]

    def located(self, reasons: Iterable[Reason]) -> list[Reason]:
        """What `check` or `warnings` said of the resources, with the line of the file."""
        return located(reasons, self.lines)


def zone_from_text(config: Config, zone_id: str, text: str) -> ImportedZone:
    """The zone that a master file describes; what a file cannot say is kept from ``config``.

    Errors: ConfigError with every fault and its line. What spans records is left to `check`,
            whose reasons `ImportedZone.located` puts a line to.
    """
    return zone_from_source(config, zone_id, read_source(zone_id, text))


@making_many
def read_source(zone_id: str, text: str) -> ZoneText:
    """What a master file says, whatever is configured. Errors: as `zone_from_text`."""
    return parse(text, from_url(zone_id))


@making_many
def zone_from_source(config: Config, zone_id: str, source: ZoneText) -> ImportedZone:
    """The zone that it says. Errors: as `zone_from_text`."""
    return _Import(config, zone_id, source).result()


def with_zone(config: Config, zone_id: str, imported: ImportedZone) -> Config:
    """The Config with this zone and its RRsets in place of the old; steers stay."""
    others = {key: rrset for key, rrset in config.rrsets.items() if key[0] != zone_id}
    zones = {**config.zones, zone_id: imported.zone}
    return replace(config, zones=zones, rrsets={**others, **imported.rrsets})


class _Import:
    """One master file on its way into resources."""

    def __init__(self, config: Config, zone_id: str, source: ZoneText) -> None:
        self.config, self.zone_id, self.source = config, zone_id, source
        self.origin, self.soa = source.origin, source.soa
        self.at = pointer("zone", (zone_id,))
        self.ttl = next(ttl for ttl in (source.ttl, source.soa.ttl, 0) if ttl is not None)
        self.notes: list[Reason] = []
        self.faults: list[Reason] = []
        self.lines = {f"{self.at}/{field}": source.soa.line for field in ("contact", "ttl")}
        self.sets: dict[tuple[bytes, int], list[Record]] = {}
        for record in source.records:
            self.sets.setdefault((record.owner, record.rtype), []).append(record)

    def result(self) -> ImportedZone:
        zone = self._zone(self._servers())
        rrsets = {key: rrset for key, rrset in map(self._rrset, self.sets.values()) if rrset}
        if self.faults or zone is None:
            raise ConfigError(self.faults)
        return ImportedZone(zone, rrsets, self.notes, self.lines)

    def _zone(self, servers: list[Any]) -> Zone | None:
        known = self.config.zones.get(self.zone_id)
        contact = self._contact(known)
        if not servers:
            detail = f"{to_text(self.origin)} has no NS records."
            self.faults.append(Reason(self.at, "ns_missing", detail))
        if self.soa.minimum > TTL_MAX:
            self._fault(self.soa.line, "out_of_range", f"The SOA's minimum is above {TTL_MAX}.")
        self._soa_notes()
        if self.faults:
            return None
        said = {"nameservers": servers, "contact": contact, "ttl": self.ttl}
        kept = body(known) if known else {}
        try:
            return read(Zone, {**kept, **said, "negative_ttl": self.soa.minimum}, self.at)
        except ConfigError as error:
            self.faults += located(error.reasons, self.lines)
            return None

    def _servers(self) -> list[Any]:
        """The name servers, the SOA's own first, so that it is kept."""
        records = self._distinct(self.sets.pop((self.origin, TYPE_NS), []))
        primary = canonical(self.soa.mname)
        records.sort(key=lambda record: canonical(record.rdata) != primary)
        if records and canonical(records[0].rdata) != primary:
            detail = f"its primary {to_text(self.soa.mname)} is no name server of the zone; "
            self._not_kept(f"{detail}{to_text(records[0].rdata)} takes its place")
        if records:
            self.lines[f"{self.at}/nameservers"] = records[0].line
            self._lowest_ttl(records, fixed=True)
        known = self._known_addresses()
        return [self._server(record.rdata, known) for record in records]

    def _server(self, name: bytes, known: dict[bytes, tuple[str, ...]]) -> Any:
        text = to_text(name) if name == ROOT else to_text(name)[:-1]
        addresses = known.get(canonical(name), ())
        if is_subdomain(name, self.origin):
            addresses = self._glue(canonical(name), addresses)
        return {"name": text, "addresses": addresses} if addresses else text

    def _known_addresses(self) -> dict[bytes, tuple[str, ...]]:
        """Addresses that stood with the name servers; a file has no place for them."""
        zone = self.config.zones.get(self.zone_id)
        servers = zone.name_servers() if zone else ()
        return {server_name(server.name): server.addresses for server in servers}

    def _glue(self, name: bytes, known: tuple[str, ...]) -> tuple[str, ...]:
        """The addresses that go with a name server and not into RRsets.

        Shape: those that stood there before and are unchanged, and those of a server in a zone
               of ours below. `check` wants a server's addresses in one place.
        """
        keys = [(name, rtype) for rtype in (TYPE_A, TYPE_AAAA)]
        found = self._distinct([record for key in keys for record in self.sets.get(key, ())])
        addresses = tuple(str(ip_address(record.rdata)) for record in found)
        same = {*map(ip_address, known)} == {*map(ip_address, addresses)}
        if same and all(record.ttl is None for record in found):
            addresses = known
        elif not self._only_here(name):
            return ()
        for key in keys:
            self.sets.pop(key, None)
        return addresses

    def _only_here(self, name: bytes) -> bool:
        """Whether the name lies in a zone of ours below that has no addresses of it."""
        suffixes = [to_url(name[at:]) for at in label_offsets(name)]
        home = next((zone for zone in suffixes if zone in self.config.zones), self.zone_id)
        if home == self.zone_id or not is_subdomain(from_url(home), self.origin):
            return False
        owner = to_url(name, from_url(home))
        held = (key in self.config.rrsets for key in ((home, owner, "A"), (home, owner, "AAAA")))
        return (home, owner) not in self.config.steers and not any(held)

    def _contact(self, known: Zone | None) -> str | None:
        rname = self.soa.rname
        if known and canonical(zone_rname(known, self.origin)) == canonical(rname):
            return known.contact
        if canonical(rname) == HOSTMASTER + self.origin:
            return None
        contact = _contact_text(rname)
        if len(contact) > CONTACT_MAX_CHARACTERS:
            detail = f"The SOA's mailbox has {len(contact)} characters as text; "
            self._fault(
                self.soa.line, "too_large", f"{detail}at most {CONTACT_MAX_CHARACTERS} are kept."
            )
        return contact

    def _rrset(self, records: list[Record]) -> tuple[RRsetKey, RRset | None]:
        owner, rtype, _, _, line = records[0]
        key = (self.zone_id, to_url(owner, self.origin), type_to_text(rtype))
        self.lines[pointer("rrset", key)] = line
        ttl = self._lowest_ttl(records)
        records = self._distinct(records)
        if len(records) > VALUES_MAX:
            shown = f"{to_text(owner)} {key[2]}"
            detail = f"{shown} has {len(records)} records; at most {VALUES_MAX}."
            self._fault(line, "too_many", detail)
            return key, None
        values = [rdata_to_text(rtype, record.rdata, self.origin) for record in records]
        for record, value in zip(records, values, strict=True):
            if len(value) > VALUE_MAX_CHARACTERS:
                detail = f"The record has {len(value)} characters as text; "
                detail += f"at most {VALUE_MAX_CHARACTERS}."
                self._fault(record.line, "too_large", detail)
                return key, None
        return key, RRset(values=tuple(values), ttl=ttl)

    def _distinct(self, records: list[Record]) -> list[Record]:
        """RFC 2181 section 5: an RRset has no record twice."""
        found: dict[tuple[int, bytes], Record] = {}
        for record in records:
            if found.setdefault((record.rtype, record.rdata), record) is not record:
                self._note(record, "duplicate", "The same record stands above; left out.")
        return list(found.values())

    def _lowest_ttl(self, records: list[Record], fixed: bool = False) -> int | None:
        """The RRset's one TTL; None is the zone's own. The NS RRset always has that."""
        first = records[0]
        ttls = {self.ttl if record.ttl is None else record.ttl for record in records}
        if fixed and ttls != {self.ttl}:
            detail = f"The zone's NS records take its ttl, {self.ttl}, not {min(ttls)}."
            self._note(first, "ttl_changed", detail)
        elif len(ttls) > 1:
            # RFC 2181 section 5.2: one RRset has one TTL; the lowest is safe.
            detail = f"The RRset has TTLs from {min(ttls)} to {max(ttls)}; {min(ttls)} is taken."
            self._note(first, "ttl_changed", detail)
            return min(ttls)
        return first.ttl

    # --- What is told ---

    def _soa_notes(self) -> None:
        soa = self.soa
        if soa.ttl != self.ttl:
            self._not_kept(f"its TTL {soa.ttl} becomes the zone's ttl, {self.ttl}")
        timers = (soa.refresh, soa.retry, soa.expire)
        if timers != (REFRESH_S, RETRY_S, EXPIRE_S):
            ours = f"{REFRESH_S} {RETRY_S} {EXPIRE_S}"
            self._not_kept(f"refresh, retry and expire become {ours}, not {timers}")
        self._not_kept(f"its serial {soa.serial}; from here on it is the time of the last change")

    def _not_kept(self, what: str) -> None:
        detail = f"Line {self.soa.line}: not kept of the SOA: {what}."
        self.notes.append(Reason(self.at, "soa_changed", detail))

    def _note(self, record: Record, code: str, detail: str) -> None:
        key = (self.zone_id, to_url(record.owner, self.origin), type_to_text(record.rtype))
        self.notes.append(Reason(pointer("rrset", key), code, f"Line {record.line}: {detail}"))

    def _fault(self, line: int, code: str, detail: str) -> None:
        self.faults.append(Reason("", code, f"Line {line}: {detail}"))


def _contact_text(rname: bytes) -> str:
    """A mail address where it makes the same name again, else the name itself."""
    local, rest = rname[1 : 1 + rname[0]], rname[1 + rname[0] :]
    address = f"{local.decode('latin-1')}@{to_text(rest)[:-1]}" if rest else ""
    try:
        if mailbox_to_name(address) == rname:
            return address
    except ConfigError:
        pass
    # In a contact, "@" makes a mail address of it.
    return to_text(rname).replace(r"\@", r"\064")


def located(reasons: Iterable[Reason], lines: Mapping[str, int]) -> list[Reason]:
    """The reasons with the line of what they point to, or into."""
    return [_located(reason, lines) for reason in reasons]


def _located(reason: Reason, lines: Mapping[str, int]) -> Reason:
    at = reason.pointer
    while at and at not in lines:
        at = at.rpartition("/")[0]
    return replace(reason, detail=f"Line {lines[at]}: {reason.detail}") if at else reason

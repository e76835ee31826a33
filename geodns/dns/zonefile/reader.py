"""Reading a master file: what each entry says, given those before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from geodns.dns.names import canonical, excerpt, from_text, is_subdomain, to_text
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPE_SOA, type_to_text
from geodns.dns.zonefile import generate
from geodns.dns.zonefile.entries import Entry, Word, column, entries
from geodns.dns.zonefile.records import Record, Soa, ZoneText
from geodns.dns.zonefile.words import (
    TTL_MAX,
    Fault,
    complaint,
    data_text,
    only,
    read_at,
    rtype_from_text,
    soa_from_text,
    ttl_from_text,
    unquoted,
)
from geodns.errors import ConfigError, Reason

TEXT_MAX_CHARACTERS = 64 * 2**20
"""Source: no reference; a million records of 64 characters."""

RECORDS_MAX = 300_000
"""Source: no reference; a document of the largest size has as many. They take some 10 s and 400 MB
to read, and both grow evenly."""

FAULTS_MAX = 100
"""Source: no reference; who mends a hundred lines can ask again."""

_CLASS: Final = re.compile(r"IN|CH|CHAOS|HS|HESIOD|CS|CSNET|CLASS[0-9]{1,5}", re.I | re.A)
_IN: Final = ("IN", "CLASS1")  # RFC 3597 §5


def parse(text: str, origin: bytes) -> ZoneText:
    """The records of one zone's master file; ``origin`` is the zone.

    Shape:  ``$INCLUDE`` is refused, ``$GENERATE`` bounded; bytes that are not UTF-8 should come
            as surrogate escapes, then only those outside comments are faults.
    Errors: ConfigError with the first `FAULTS_MAX` faults, each "Line 3, column 7: …".
    """
    if len(text) > TEXT_MAX_CHARACTERS:
        detail = f"The file has {len(text):,} characters; at most {TEXT_MAX_CHARACTERS:,}."
        raise ConfigError([Reason("", "too_large", detail)])
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"), canonical(origin))
    reader.read()
    if reader.faults or reader.soa is None:
        raise ConfigError(reader.faults)
    return ZoneText(reader.zone, reader.soa, reader.first_ttl, reader.records)


@dataclass(slots=True)
class _Reader:
    """What the lines read so far have said."""

    text: str
    zone: bytes
    records: list[Record] = field(default_factory=list)
    faults: list[Reason] = field(default_factory=list)
    soa: Soa | None = None
    soa_seen: bool = False
    origin: bytes = b""
    owner: bytes | None = None
    owner_seen: bool = False
    first_ttl: int | None = None
    default_ttl: int | None = None
    stated_ttl: int | None = None
    generated: int = 0
    generated_characters: int = 0

    def read(self) -> None:
        self.origin = self.zone
        for entry in entries(self.text):
            try:
                self._take(entry)
            except Fault as fault:
                self._note(entry, fault)
            if len(self.faults) >= FAULTS_MAX:
                detail = f"Line {entry.line}: {FAULTS_MAX} faults; reading stopped here."
                self.faults.append(Reason("", "too_many", detail))
                return
            if len(self.records) > RECORDS_MAX:
                detail = f"Line {entry.line}: a file has at most {RECORDS_MAX:,} records."
                self.faults.append(Reason("", "too_large", detail))
                return
        if not self.soa_seen:
            detail = f"There is no SOA record of {to_text(self.zone)}."
            self.faults.append(Reason("", "soa_missing", detail))

    def _note(self, entry: Entry, fault: Fault) -> None:
        line = entry.line + self.text.count("\n", entry.at, fault.at)
        where = f"Line {line}, column {column(self.text, fault.at)}"
        self.faults += (
            replace(reason, detail=f"{where}: {reason.detail}") for reason in fault.error.reasons
        )

    def _take(self, entry: Entry) -> None:
        if entry.fault:
            raise Fault(entry.fault_at, complaint("bad_syntax", entry.fault.capitalize()))
        first = entry.words[0]
        if first.text.startswith("$") and not entry.indented:
            self._directive(entry.line, first, entry.words[1:])
            return
        if not entry.indented:
            try:
                self._set_owner(first)
            except Fault as fault:  # What follows the owner can be read all the same.
                self._note(entry, fault)
        elif not self.owner_seen:
            self.owner_seen = True
            raise Fault(first.at, complaint("bad_owner", "No owner stands here or above."))
        self._record(entry, entry.words if entry.indented else entry.words[1:])

    def _set_owner(self, word: Word) -> None:
        self.owner, self.owner_seen = None, True
        if word.quoted:
            raise Fault(word.at, complaint("bad_name", "A name is not quoted.", word.text))
        self.owner = read_at(word, self._in_zone, word.text)

    def _in_zone(self, text: str) -> bytes:
        owner = canonical(from_text(text, self.origin))
        if not is_subdomain(owner, self.zone):
            detail = f"{excerpt(to_text(owner))} is outside the zone {to_text(self.zone)}"
            raise complaint("out_of_zone", f"{detail}.", text)
        return owner

    def _record(self, entry: Entry, words: Sequence[Word]) -> None:
        stated, rtype, data = self._header(entry.words[0], words)
        if rtype == TYPE_SOA:
            self._read_soa(entry.line, entry.words[0], stated, data)
            return
        rdata = read_at(data[0], rdata_from_text, rtype, data_text(rtype, data), self.origin)
        if self.owner is not None:
            self.records.append(Record(self.owner, rtype, self._ttl(stated), rdata, entry.line))

    def _header(self, last: Word, words: Sequence[Word]) -> tuple[int | None, int, Sequence[Word]]:
        """TTL and class in either order, the type, and the words of the data."""
        ttl, has_class = None, False
        for number, word in enumerate(words):
            last = word
            if ttl is None and word.text[0] in "0123456789":
                ttl = self.stated_ttl = read_at(word, ttl_from_text, word.text)
            elif not has_class and _CLASS.fullmatch(word.text):
                has_class = True
                if word.text.upper() not in _IN:
                    detail = f"Class {word.text} is not held here; only IN is."
                    raise Fault(word.at, complaint("bad_class", detail, word.text))
            else:
                rtype = read_at(word, rtype_from_text, word.text)
                if number + 1 == len(words):
                    detail = f"{type_to_text(rtype)} has no data."
                    raise Fault(word.at, complaint("bad_rdata", detail))
                return ttl, rtype, words[number + 1 :]
        raise Fault(last.at, complaint("bad_record", "A record needs a type and data."))

    def _ttl(self, stated: int | None) -> int | None:
        """RFC 2308 §4: ``$TTL`` if there was one, else RFC 1035 §5.1: the last one stated."""
        if stated is not None:
            return stated
        if self.default_ttl is not None:
            return None if self.default_ttl == self.first_ttl else self.default_ttl
        if self.stated_ttl is not None or self.soa is None:
            return self.stated_ttl
        return min(self.soa.minimum, TTL_MAX)  # As BIND 9, and everyone before RFC 2308.

    def _read_soa(self, line: int, at: Word, stated: int | None, data: Sequence[Word]) -> None:
        again, self.soa_seen = self.soa_seen, True
        soa = read_at(data[0], soa_from_text, data_text(TYPE_SOA, data), self.origin)
        if self.owner is not None and self.owner != self.zone:
            detail = f"The SOA is that of {to_text(self.zone)}, not of a name below."
            raise Fault(at.at, complaint("bad_soa", detail))
        if again:
            raise Fault(at.at, complaint("bad_soa", "A zone has one SOA; this is another."))
        ttl = stated if stated is not None else self.default_ttl
        ttl = self.stated_ttl if ttl is None else ttl
        self.soa = soa._replace(ttl=soa.minimum if ttl is None else ttl, line=line)

    # --- Directives ---

    def _directive(self, line: int, word: Word, words: Sequence[Word]) -> None:
        name = word.text.upper()
        if name == "$GENERATE":
            self._generate(line, word, words)
        elif name == "$ORIGIN":
            value = only(word, words)
            self.origin = read_at(value, from_text, value.text, self.origin)
        elif name == "$TTL":
            value = only(word, words)
            self.default_ttl = read_at(value, ttl_from_text, value.text)
            self.first_ttl = self.default_ttl if self.first_ttl is None else self.first_ttl
        elif name == "$INCLUDE":
            detail = "$INCLUDE is refused: no file of this machine is read."
            raise Fault(word.at, complaint("include_refused", detail, hint="Put its lines here."))
        else:
            detail = f"{excerpt(word.text)} is no directive."
            hint = r"Known are $ORIGIN, $TTL and $GENERATE; a name starts with \$."
            raise Fault(word.at, complaint("unknown_directive", detail, word.text, hint))

    def _generate(self, line: int, word: Word, words: Sequence[Word]) -> None:
        if len(words) < 4:
            detail = "Expected $GENERATE start-stop owner [ttl] [IN] type data."
            raise Fault(word.at, complaint("bad_generate", detail))
        counters = read_at(words[0], generate.counters, words[0].text)
        stated, rtype, data = self._header(word, words[2:])
        if rtype == TYPE_SOA:
            raise Fault(data[0].at, complaint("bad_soa", "A zone has one SOA record."))
        if self.generated + len(counters) > generate.GENERATED_MAX:
            detail = f"$GENERATE makes at most {generate.GENERATED_MAX:,} records in a file."
            raise Fault(words[0].at, complaint("too_many", detail, len(counters)))
        self.generated += len(counters)
        template = data_text(rtype, read_at(data[0], unquoted, data))
        for counter in counters:
            owner = read_at(words[1], generate.substitute, words[1].text, counter)
            value = read_at(data[0], generate.substitute, template, counter)
            self.generated_characters += len(owner) + len(value)
            if self.generated_characters > generate.GENERATED_MAX_CHARACTERS:
                detail = f"More than {generate.GENERATED_MAX_CHARACTERS:,} characters are made."
                raise Fault(word.at, complaint("bad_generate", detail))
            rdata = read_at(data[0], rdata_from_text, rtype, value, self.origin)
            name = read_at(words[1], self._in_zone, owner)
            self.records.append(Record(name, rtype, self._ttl(stated), rdata, line))

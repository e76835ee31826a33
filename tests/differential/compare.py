"""Two replies to one question, read by dnspython and held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

Name = dns.name.Name
DNAME = int(dns.rdatatype.DNAME)
Record = tuple[dns.name.Name, int, int, bytes]
"""Owner, type, TTL and data; names compare without case."""
Records = frozenset[Record]
NONE: Records = frozenset()


@dataclass(frozen=True)
class Seen:
    """What a reply says."""

    rcode: int
    aa: bool
    tc: bool
    answer: Records
    authority: Records
    additional: Records
    aliases: dict[Name, Name] = field(default_factory=dict, compare=False)

    def path(self, name: Name) -> Iterator[Name]:
        """The names that the aliases of the answer lead through from a name."""
        met = {name}
        while name in self.aliases and self.aliases[name] not in met:
            name = self.aliases[name]
            met.add(name)
            yield name

    def until(self, target: Name) -> Seen:
        """The reply as it were had its server stopped at an alias for ``target``."""
        kept = set()
        for owner, alias in self.aliases.items():
            kept.add(owner)
            if alias == target:
                break
        answer = frozenset(r for r in self.answer if r[0] in kept or r[1] == DNAME)
        aliases = {owner: alias for owner, alias in self.aliases.items() if owner in kept}
        return Seen(0, self.aa, self.tc, answer, NONE, NONE, aliases)

    def followed_by(self, other: Seen) -> Seen:
        """This answer and, for the rest of it, another to the question at its end."""
        return replace(
            other,
            aa=self.aa,
            answer=self.answer | other.answer,
            aliases=self.aliases | other.aliases,
        )


def read(octets: bytes) -> Seen:
    """What a reply says."""
    message = dns.message.from_wire(octets)
    assert message.flags & dns.flags.QR
    sections = (message.answer, message.authority, message.additional)
    return Seen(
        message.rcode(),
        bool(message.flags & dns.flags.AA),
        bool(message.flags & dns.flags.TC),
        *(_records(section) for section in sections),
        {
            rrset.name: rrset[0].target
            for rrset in message.answer
            if rrset.rdtype == dns.rdatatype.CNAME
        },
    )


def repeats(octets: bytes, seen: Seen) -> bool:
    """Whether a record stands twice in a section (RFC 2181 section 5), OPT aside."""
    stated = [int.from_bytes(octets[at : at + 2], "big") for at in (6, 8, 10)]
    different = [len(seen.answer), len(seen.authority), len(seen.additional)]
    return stated != different and stated != [*different[:2], different[2] + 1]


def _records(section: list[dns.rrset.RRset]) -> Records:
    return frozenset(
        (rrset.name, int(rrset.rdtype), rrset.ttl, data.to_digestable())
        for rrset in section
        for data in rrset
    )


def types_in(records: Records) -> set[int]:
    return {rtype for _, rtype, _, _ in records}


def differences(ours: Seen, theirs: Seen) -> frozenset[str]:
    """The parts in which two replies differ."""
    parts = ("rcode", "aa", "answer", "authority", "additional")
    return frozenset(part for part in parts if getattr(ours, part) != getattr(theirs, part))

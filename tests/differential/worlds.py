"""Random zones from a seed: what is hard about RFC 1034, and often all at one name.

Imports nothing from geodns: texts go to geodns as a document and to others as master files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dns.name

from differential.rdata import draw_rdata

Name = dns.name.Name

LABELS = (b"a", b"b", b"c", b"d", b"www", b"mail", b"_tcp", b"x" * 63)
ODD_LABELS = (b"a.b", b"@", b"$", b'"', b"\\", b";", b"\0", b"\xff\xc0\x0c", b" ", b"(", b"9")
NAMESERVER = b"ns1"
"""The label that only name servers of a zone itself have."""

ZONES = (
    "example.test.",
    "child.example.test.",  # below a cut of its parent
    "a.a.example.test.",  # served, but not delegated by its parent
    "other.test.",
    "2.0.192.in-addr.arpa.",
)
OWNERS_PER_ZONE = 45


@dataclass
class RRset:
    ttl: int
    values: list[str]


@dataclass
class Zone:
    """Shape: ``held`` by owner and mnemonic, without SOA and the apex's NS."""

    apex: Name
    servers: dict[Name, list[str]]
    held: dict[Name, dict[str, RRset]] = field(default_factory=dict)

    def put(self, owner: Name, rtype: str, ttl: int, values: list[str]) -> None:
        self.held.setdefault(owner, {})[rtype] = RRset(ttl, list(dict.fromkeys(values)))

    def renames(self, owner: Name) -> bool:
        """Whether a DNAME above the owner hides it."""
        above = owner
        while above != self.apex:
            above = above.parent()
            if "DNAME" in self.held.get(above, ()):
                return True
        return False

    def exists(self, name: Name) -> bool:
        """Whether the name is an owner or an empty non-terminal here (RFC 4592 section 2.2.2)."""
        return any(owner.is_subdomain(name) for owner in (self.apex, *self.servers, *self.held))

    def body(self) -> dict[str, Any]:
        """The zone in a document of geodns."""
        return {
            "nameservers": [
                {"name": server.to_text(), "addresses": addresses}
                for server, addresses in self.servers.items()
            ],
            "ttl": 3600,
            "negative_ttl": 600,
            "rrsets": {
                document_name(owner, self.apex): {
                    rtype: {"values": rrset.values, "ttl": rrset.ttl}
                    for rtype, rrset in held.items()
                }
                for owner, held in self.held.items()
            },
        }

    def master_file(self, soa: str) -> str:
        """The zone as a master file, without what a DNAME hides: others refuse to load that
        (RFC 6672 section 2.4 forbids it), while we load it and never answer it."""
        return "\n".join(self._lines(soa)) + "\n"

    def _lines(self, soa: str) -> Iterator[str]:
        yield f"{self.apex} 3600 IN SOA {soa}"
        for server, addresses in self.servers.items():
            yield f"{self.apex} 3600 IN NS {absolute(server)}"
            if server.is_subdomain(self.apex) and not self.renames(server):
                yield from (f"{server} 3600 IN A {address}" for address in addresses)
        for owner, held in self.held.items():
            for rtype, rrset in held.items() if not self.renames(owner) else ():
                head = f"{absolute(owner)} {rrset.ttl} IN {rtype}"
                yield from (f"{head} {value}" for value in rrset.values)


@dataclass
class World:
    """All zones of one seed."""

    seed: int
    zones: list[Zone]

    def document(self) -> dict[str, Any]:
        """The zones by their document names."""
        return {document_name(zone.apex, dns.name.root): zone.body() for zone in self.zones}

    def home(self, name: Name) -> Zone | None:
        """The deepest zone that a name lies in."""
        homes = [zone for zone in self.zones if name.is_subdomain(zone.apex)]
        return max(homes, key=lambda zone: len(zone.apex), default=None)

    def lost_zones(self) -> list[Zone]:
        """Zones below another one that does not delegate them."""
        return [zone for zone in self.zones if self._is_lost(zone)]

    def _is_lost(self, zone: Zone) -> bool:
        parent = self._parent_of(zone)
        return parent is not None and "NS" not in parent.held.get(zone.apex, ())

    def _parent_of(self, zone: Zone) -> Zone | None:
        return None if zone.apex == dns.name.root else self.home(zone.apex.parent())


def absolute(name: Name) -> str:
    """A name in a master file; escapes are all ``\\DDD``, for NSD 4.6 misreads ``\\\\.``."""
    return f"{document_name(name, dns.name.root)}." if len(name) > 1 else "."


def document_name(name: Name, origin: Name) -> str:
    """A name as keys of a document spell it: relative, lower case, odd octets as ``\\DDD``."""
    plain = b"abcdefghijklmnopqrstuvwxyz0123456789-_*"
    relative = [label.lower() for label in name.relativize(origin).labels if label]
    texts = ("".join(chr(c) if c in plain else f"\\{c:03}" for c in label) for label in relative)
    return ".".join(texts) or "@"


def make_world(seed: int) -> World:
    """Zones that obey geodns's rules; every third world has the root among them."""
    rng = random.Random(seed)
    apexes = [dns.name.from_text(text) for text in ZONES]
    if seed % 3 == 0:
        apexes.append(dns.name.root)
    world = World(seed, [_Maker(rng, apex, apexes).zone() for apex in apexes])
    for zone in world.zones:
        _drop_mistaken_renames(zone, [other for other in world.zones if other is not zone])
    return world


def _drop_mistaken_renames(zone: Zone, others: list[Zone]) -> None:
    """NSD keeps all zones in one tree and refuses a DNAME above another zone's data."""
    elsewhere = [o for other in others for o in (other.apex, *other.servers, *other.held)]
    for owner, held in list(zone.held.items()):
        if "DNAME" in held and any(o != owner and o.is_subdomain(owner) for o in elsewhere):
            del held["DNAME"]
            if not held:
                del zone.held[owner]


class _Maker:
    """Fills one zone."""

    def __init__(self, rng: random.Random, apex: Name, apexes: list[Name]) -> None:
        self.rng = rng
        self.apexes = apexes
        self.made = Zone(apex, self._servers(apex))
        self.names = [self.name_below(apex) for _ in range(OWNERS_PER_ZONE)]

    def zone(self) -> Zone:
        rng, made = self.rng, self.made
        for owner in self.names:
            self._fill(owner)
        barriers = [o for o, held in made.held.items() if {"NS", "DNAME"} & held.keys()]
        for barrier in rng.sample(barriers, min(5, len(barriers))):  # data nobody may see
            self._fill(self.name_below(barrier))
        for rtype in rng.sample(("MX", "TXT", "CAA", "A", "HTTPS"), 2):
            made.put(made.apex, rtype, self.ttl(), [self.rdata(rtype)])
        self._drop_shadowed_renames()
        if rng.random() < 0.1:  # RFC 6672 section 2.3
            made.put(made.apex, "DNAME", self.ttl(), [absolute(self.target())])
        if made.apex == dns.name.root:
            made.put(dns.name.from_text("invalid."), "NS", self.ttl(), ["ns.far.invalid."])
            made.put(dns.name.from_text("ns.far.invalid."), "A", self.ttl(), [self.rdata("A")])
        child = dns.name.from_text("child.example.test.")
        if made.apex == child.parent():
            made.put(child, "NS", self.ttl(), ["ns1.child.example.test.", "ns.far.invalid."])
            made.put(child, "DS", self.ttl(), [self.rdata("DS")])
        return made

    def _servers(self, apex: Name) -> dict[Name, list[str]]:
        inside = dns.name.Name((NAMESERVER, *apex.labels))
        outside = dns.name.from_text("ns.far.invalid.")
        return {inside: [f"192.0.2.{self.rng.randrange(256)}"], outside: []}

    def _fill(self, owner: Name) -> None:
        """Data for an owner, of a kind drawn by chance."""
        if owner == self.made.apex or owner in self.made.servers or owner in self.made.held:
            return
        wild = owner.labels[0] == b"*"
        kinds = ("plain", "addresses", "alias", "big") + (() if wild else ("cut", "rename"))
        weights = (35, 25, 18, 2, 12, 8)[: len(kinds)]
        getattr(self, f"_{self.rng.choices(kinds, weights)[0]}")(owner)

    def _drop_shadowed_renames(self) -> None:
        """A DNAME below a cut hides nothing from us, yet others refuse data below it."""
        cuts = [owner for owner, held in self.made.held.items() if "NS" in held]
        for owner, held in list(self.made.held.items()):
            if "DNAME" in held and any(owner.is_subdomain(cut) for cut in cuts):
                del self.made.held[owner]

    def _plain(self, owner: Name) -> None:
        types = "A AAAA MX TXT SRV CAA PTR NAPTR TLSA SSHFP SVCB HTTPS DS LOC URI HINFO RP"
        for rtype in self.rng.sample([*types.split(), "TYPE65280"], self.rng.randint(1, 4)):
            count = self.rng.randint(1, 3)
            self.made.put(owner, rtype, self.ttl(), [self.rdata(rtype) for _ in range(count)])

    def _addresses(self, owner: Name) -> None:
        for rtype in self.rng.sample(("A", "AAAA"), self.rng.randint(1, 2)):
            count = self.rng.randint(1, 6)
            self.made.put(owner, rtype, self.ttl(), [self.rdata(rtype) for _ in range(count)])

    def _alias(self, owner: Name) -> None:
        self.made.put(owner, "CNAME", self.ttl(), [absolute(self.target())])

    def _rename(self, owner: Name) -> None:
        self.made.put(owner, "DNAME", self.ttl(), [absolute(self.target())])
        if self.rng.random() < 0.4:
            self.made.put(owner, "TXT", self.ttl(), [self.rdata("TXT")])

    def _big(self, owner: Name) -> None:
        texts = [f'"{n:03}{"y" * self.rng.randrange(200)}"' for n in range(self.rng.randint(3, 90))]
        self.made.put(owner, "TXT", self.ttl(), texts)

    def _cut(self, owner: Name) -> None:
        """A delegation; its servers below it, beside it, in other zones, nowhere."""
        servers = []
        for number in range(self.rng.randint(1, 4)):
            inside = dns.name.Name((b"ns%d" % (number + 2), *owner.labels))
            if len(inside.to_wire()) < 200 and self.rng.random() < 0.5:
                servers.append(inside)
                if self.rng.random() < 0.8:
                    self._addresses(inside)
            else:
                servers.append(self.target())
        named = [absolute(server) for server in servers if server != dns.name.root]
        self.made.put(owner, "NS", self.ttl(), named or ["ns.far.invalid."])
        if self.rng.random() < 0.4:
            self.made.put(owner, "DS", self.ttl(), [self.rdata("DS")])
        if self.rng.random() < 0.2:  # the child's own data, which is not ours to answer
            self.made.put(owner, "A", self.ttl(), [self.rdata("A")])

    def rdata(self, rtype: str) -> str:
        return draw_rdata(self.rng, rtype, lambda: absolute(self.target()))

    def ttl(self) -> int:
        return self.rng.choice((0, 30, 300, 3600, 86_400, 2**31 - 1))

    def target(self) -> Name:
        """Where something points to: mostly to a name of ours, which may or may not exist."""
        draw = self.rng.random()
        if draw < 0.45 and hasattr(self, "names"):
            return self.rng.choice(self.names)
        if draw < 0.9:
            return self.name_below(self.rng.choice(self.apexes))
        long = b"l" * self.rng.randint(40, 63)
        return dns.name.Name((long, long, b"far", b"invalid", b""))

    def name_below(self, above: Name) -> Name:
        """A name one to four labels below; often one with a wildcard."""
        labels = [
            draw_label(self.rng) for _ in range(self.rng.choices((1, 2, 3, 4), (4, 4, 2, 1))[0])
        ]
        if self.rng.random() < 0.18:
            labels[0] = b"*"
        elif self.rng.random() < 0.03:
            labels[-1] = b"*"
        try:
            return dns.name.Name((*labels, *above.labels))
        except dns.name.NameTooLong:
            return dns.name.Name((labels[0][:1], *above.labels[-4:]))


def draw_label(rng: random.Random) -> bytes:
    """A label; few different ones, so that names meet."""
    return rng.choice(LABELS[:-1] if rng.random() < 0.85 else (*ODD_LABELS, LABELS[-1]))

"""One geodns in memory: a Config compiled, loaded and asked, its health in the test's hand."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from geodns.engine.generation import Generation
from geodns.engine.responder import Surroundings
from geodns.geo.asn import AsnTable
from geodns.geo.world import World
from geodns.model.config import Config
from geodns.snapshot.compile import Compiler, no_asns
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry, Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.section import Kind, Section
from geodns.snapshot.slots import decode_targets
from geodns.snapshot.status import Override, StatusTable, Verdict, Word, create_table
from support.engines import Responds, responding

RESOLVER = "8.8.8.8"
NOW_S = 1_800_000_000.0


class Lab:
    """Compiles configurations one after the other into one directory and answers packets.

    Shape: every target starts unknown, which counts as up; ``engine`` is who answers.
    """

    def __init__(
        self,
        directory: Path,
        world: World,
        config: Config,
        clock: Callable[[], float] = lambda: NOW_S,
        *,
        engine: str = "python",
        asns: Callable[[], AsnTable | None] = no_asns,
        **order: object,
    ) -> None:
        self.directory, self.engine = directory, engine
        self.compiler = Compiler(directory, world, clock, asns)
        self.manifest: Manifest | None = None
        create_table(directory / "status", 32_768)
        self.status = StatusTable(directory / "status", writable=True)
        self.serve(config, **order)

    def serve(self, config: Config, **order: object) -> Manifest:
        """Make ``config`` the current generation."""
        number = self.manifest.generation + 1 if self.manifest else 1
        self.manifest = self.compiler.compile(
            Order(config, number, **order),  # type: ignore[arg-type]
            self.manifest,
        )
        self.generation = Generation(self.manifest, self.fetch)
        self.responder = self.responding()
        self.slot_of = {
            (target["address"], target["monitor"]): (target["slot"], target["tag"])
            for target in decode_targets(self.section(Kind.TARGETS, "targets"))["targets"]
        }
        return self.manifest

    def responding(self, around: Surroundings | None = None) -> Responds:
        """Its engine with the current generation, in other surroundings."""
        return responding(self, self.engine, around)

    def fetch(self, entry: Entry) -> bytes:
        return (self.directory / SNAPSHOT_DIR / entry.hash).read_bytes()

    def section(self, kind: Kind, name: str) -> Section:
        assert self.manifest is not None
        entries = self.manifest.sections
        return Section(self.fetch(next(e for e in entries if (e.kind, e.name) == (kind, name))))

    def set(
        self,
        address: str,
        verdict: Verdict = Verdict.UNKNOWN,
        *,
        override: Override = Override.NONE,
        unsettled: bool = False,
        weight_factor: int = 255,
        shed: int = 0,
        monitor: str | None = None,
    ) -> None:
        """Write the status word of a target."""
        slot, tag = self.slot_of[address, monitor]
        self.status.write(slot, Word(tag, verdict, unsettled, override, weight_factor, shed))

    def load(self, address: str, percent: float) -> None:
        """Let a target send so many of its users away."""
        self.set(address, Verdict.UP, shed=round(percent * 655.35))

    def down(self, addresses: Iterable[str], monitor: str | None = None) -> None:
        """Let probes of these addresses have failed."""
        for address in addresses:
            self.set(address, Verdict.DOWN, monitor=monitor)

    def raw(self, packet: bytes, resolver: str = RESOLVER, *, tcp: bool = False) -> bytes | None:
        """The reply's octets, or None."""
        return self.responder.respond(packet, resolver, tcp=tcp)

    def reply(
        self, query: dns.message.Message, resolver: str = RESOLVER, *, tcp: bool = False
    ) -> dns.message.Message:
        """The reply to a message; its ID and question are checked against the query's."""
        octets = self.raw(query.to_wire(), resolver, tcp=tcp)
        assert octets is not None
        reply = dns.message.from_wire(octets)
        assert query.is_response(reply)
        return reply

    def ask(
        self,
        name: str,
        rtype: str = "A",
        subnet: str | None = None,
        *,
        resolver: str = RESOLVER,
        tcp: bool = False,
        edns: int | bool = 0,
        payload: int = 1232,
        rclass: str = "IN",
        query_id: int | None = None,
    ) -> dns.message.Message:
        """Ask, with EDNS unless ``edns`` is False, from ``subnet`` if one is given."""
        query = question(name, rtype, subnet, edns=edns, payload=payload, rclass=rclass)
        if query_id is not None:
            query.id = query_id
        return self.reply(query, resolver, tcp=tcp)

    def addresses(self, name: str, rtype: str = "A", subnet: str | None = None) -> set[str]:
        """The addresses of one answer."""
        return addresses_of(self.ask(name, rtype, subnet))


def question(
    name: str,
    rtype: str = "A",
    subnet: str | None = None,
    *,
    edns: int | bool = 0,
    payload: int = 1232,
    rclass: str = "IN",
) -> dns.message.Message:
    """A query as dnspython makes it."""
    options: list[dns.edns.Option] | None = None
    if subnet is not None:
        network = ipaddress.ip_network(subnet)
        options = [dns.edns.ECSOption(str(network.network_address), network.prefixlen)]
    return dns.message.make_query(
        name,
        rtype,
        rclass,
        use_edns=edns,
        payload=payload if edns is not False else None,
        options=options,
    )


def addresses_of(reply: dns.message.Message) -> set[str]:
    """The A and AAAA data of an answer section."""
    wanted = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return {item.address for rrset in reply.answer if rrset.rdtype in wanted for item in rrset}


def scope_of(reply: dns.message.Message) -> int | None:
    """The scope prefix length of the reply's client subnet; None if it has none."""
    for option in reply.options:
        if isinstance(option, dns.edns.ECSOption):
            return int(option.scopelen)
    return None

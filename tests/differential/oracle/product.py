"""The real thing in memory: databases written and read, a document checked, compiled, served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]
from support.interpreter import Health, Place

from geodns.document.check import check
from geodns.document.load import from_document
from geodns.engine.generation import Generation
from geodns.engine.responder import Responder, Surroundings
from geodns.errors import ConfigError
from geodns.geo.asn import load_asns
from geodns.geo.world import load_world
from geodns.snapshot.compile import Compiler
from geodns.snapshot.manifest import SNAPSHOT_DIR, Entry
from geodns.snapshot.order import Order
from geodns.snapshot.section import Kind, Section
from geodns.snapshot.slots import decode_targets
from geodns.snapshot.status import Override, StatusTable, Verdict, Word, create_table

NOW_S = 1_800_000_000.0
SLOTS = 1024


class Refused(Exception):
    """The document is not accepted; its reasons."""


class Product:
    """One document served to the caller, its health in the caller's hands. Errors: Refused."""

    def __init__(
        self,
        directory: Path,
        document: Mapping[str, Any],
        geo: Sequence[tuple[str, Place]],
        asns: Sequence[tuple[str, int]],
        default: tuple[float, float] | None = None,
        distrusted: Sequence[str] = (),
        *,
        direct: bool = True,
    ) -> None:
        try:
            config = from_document(dict(document))
        except ConfigError as error:
            raise Refused(str(error.reasons)) from None
        faults = check(config, asns=True)
        if faults:
            raise Refused("; ".join(str(fault) for fault in faults))
        world = load_world(_write(directory / "geo.mmdb", geo, _record), None)
        table = load_asns(_write(directory / "asn.mmdb", asns, _number), None)
        compiler = Compiler(directory, world, lambda: NOW_S, lambda: table)
        budget = 2**26 if direct else 0
        order = Order(config, 1, default_location=default, slots=SLOTS, view_budget=budget)
        self.directory = directory
        self.manifest = compiler.compile(order, None)
        create_table(directory / "status", SLOTS)
        self.status = StatusTable(directory / "status", writable=True)
        generation = Generation(self.manifest, self._fetch)
        around = Surroundings(trusts=lambda resolver: resolver not in distrusted)
        self.responder = Responder(generation, self.status, around)
        self.slots = {
            (target["address"], target["monitor"]): (target["slot"], target["tag"])
            for target in decode_targets(self._section(Kind.TARGETS, "targets"))["targets"]
        }

    def ask(self, packet: bytes, resolver: str) -> bytes:
        """The reply to a packet."""
        reply = self.responder.respond(packet, resolver)
        assert reply is not None
        return reply

    def salts(self, owners: Sequence[str], zone_id: str) -> dict[str, int]:
        """The keys of the names' draws, which the format leaves to the writer."""
        zone = self._section(Kind.ZONE, zone_id)
        salts, steer_of = zone.column("salt"), {}
        names = zone.octets("name_octets")
        name_at, rrset_at, steer = (zone.column(n) for n in ("name_at", "rrset_at", "steer"))
        for number in range(len(name_at) - 1):
            name = bytes(names[name_at[number] : name_at[number + 1]])
            steers = {steer[at] for at in range(rrset_at[number], rrset_at[number + 1])}
            steer_of[name[1 : 1 + name[0]].decode()] = min(steers, default=0xFFFF_FFFF)
        return {owner: salts[steer_of[owner]] for owner in owners}

    def set(self, healths: Mapping[tuple[str, str | None], Health]) -> None:
        """Let targets be as they are told to be; all others are unknown."""
        for target, (slot, tag) in self.slots.items():
            health = healths.get(target, Health())
            word = Word(
                tag ^ 1 if health.foreign else tag,
                Verdict[health.verdict.upper()],
                health.unsettled,
                Override[health.override.upper()],
                health.factor,
                health.shed,
            )
            self.status.write(slot, word)

    def _section(self, kind: Kind, name: str) -> Section:
        entries = self.manifest.sections
        return Section(self._fetch(next(e for e in entries if (e.kind, e.name) == (kind, name))))

    def _fetch(self, entry: Entry) -> bytes:
        return (self.directory / SNAPSHOT_DIR / entry.hash).read_bytes()


def _write(path: Path, found: Sequence[tuple[str, Any]], record: Any) -> Path:
    """A database of these networks, the longer of nested ones on top."""
    writer = MMDBWriter(6, "Test-City", languages=["en"], ipv4_compatible=True, float_type="f64")
    for text, thing in sorted(found, key=lambda pair: int(pair[0].rpartition("/")[2])):
        writer.insert_network(IPSet([text]), record(thing))
    writer.to_db_file(str(path))
    return path


def _record(place: Place) -> dict[str, Any]:
    lat, lon = place.point
    radius_km = 1000 if place.coarse else 20
    found: dict[str, Any] = {
        "location": {"latitude": lat, "longitude": lon, "accuracy_radius": radius_km}
    }
    if place.continent:
        found["continent"] = {"code": place.continent}
    if place.country:
        found["country"] = {"iso_code": place.country}
    if place.subdivision:
        found["subdivisions"] = [{"iso_code": place.subdivision}]
    return found


def _number(asn: int) -> dict[str, Any]:
    return {"autonomous_system_number": asn}

"""What the running server sees of itself: status words, worker pages, explanations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodns.daemon.disk import disk_fault
from geodns.daemon.health_metrics import health_lines
from geodns.daemon.overruled import Held, override_view
from geodns.daemon.places import Places
from geodns.daemon.webhooks import Webhooks
from geodns.dns.names import from_url
from geodns.engine.generation import Generation
from geodns.engine.lookup import Lookup
from geodns.engine.page import COUNTERS, WorkerPage
from geodns.errors import GeodnsError, Reason, Unavailable
from geodns.settings import Settings
from geodns.snapshot.manifest import CURRENT, SNAPSHOT_DIR, Entry, Manifest, read_manifest
from geodns.snapshot.overrides import NO_BOOK, Book, decode_book
from geodns.snapshot.section import Kind, Section, content_hash
from geodns.snapshot.slots import decode_targets
from geodns.snapshot.status import Note, StatusTable, Verdict

STALE_WORKER_S = 5.0
"""A worker without a heartbeat for so long is not ready. Source: as the supervisor's."""


NO_NOTE = Note()

MANY_ZONES, MANY_TARGETS = 50, 1000
"""Of a large generation. Source: measured, so many are read in some 20 ms."""

Stamp = tuple[int, int, int]
"""Inode, time of change in nanoseconds, octets."""


@dataclass(slots=True)
class _Live:
    """The generation as this process reads it, from the same files as the workers."""

    number: int
    lookup: Lookup
    targets: list[dict[str, Any]]
    book: Book
    of_node: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for target in self.targets:
            for node_id in target["nodes"]:
                self.of_node.setdefault(node_id, []).append(target)

    @property
    def is_large(self) -> bool:
        zones = self.lookup.generation.zones
        return len(zones) > MANY_ZONES or len(self.targets) > MANY_TARGETS


class Observer:
    """Answers questions about the server; fills the API's port of the same name."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self.engine = settings.engine
        self._places = places
        self._table = StatusTable(places.status)
        self._live: _Live | None = None
        self._seen: Stamp | None = None
        self._health: dict[str, Any] = {"ready": False}
        self._octets: dict[str, bytes] = {}
        self._damage: Reason | None = None
        self._reading = threading.Lock()
        self.fault: Reason | None = None
        self.counts: dict[str, Any] = {}
        self.webhooks: Webhooks | None = None

    # -- What the daemon tells us

    def health(self, message: dict[str, Any]) -> None:
        """The supervisor's word on the health process."""
        self._health = message

    def worker_generations(self) -> list[int]:
        """What each worker serves; 0 for one that is not there."""
        workers = [self._worker(number) for number in range(self._settings.workers)]
        return [worker.get("generation", 0) for worker in workers]

    # -- The API's port

    def explain(
        self, name: str, rtype: str, source: str | None, resolver: str | None
    ) -> dict[str, Any]:
        """What would be answered and why. Errors: ConfigError, NotFound, Unavailable."""
        # Imported when first asked: explaining is for people, starting is for everyone.
        from geodns.engine.explain import explain_text

        live = self._current()
        if self._damage is not None:
            raise Unavailable([self._damage])
        if live is None:
            raise Unavailable("No generation is served yet.")
        asker = resolver or "127.0.0.1"
        told = explain_text(live.lookup, name, rtype, source, asker, _now_ms())
        return told.as_dict()

    def node_status(self, node_id: str) -> dict[str, Any]:
        """A node's health: the worst of its targets, and each of them."""
        live = self._current()
        held = self._held(live)
        mine = [self._target(each, held) for each in live.of_node.get(node_id, [])] if live else []
        return {"state": _worst([target["state"] for target in mine]), "targets": mine}

    def steer_status(self, zone_id: str, owner: str) -> dict[str, Any] | None:
        """How a steer is compiled: entries in a cache that keeps them by scope, and classes."""
        live = self._current()
        if live is None:
            return None
        origin = from_url(zone_id)
        generation = live.lookup.generation
        zone = generation.zones.get(origin)
        found = zone.owner(from_url(owner, origin)) if zone else None
        steered = (rrset.steer for rrset in found.rrsets.values()) if found else ()
        number = next((each for each in steered if each is not None), None)
        if zone is None or number is None:
            return None
        view = generation.views[zone.views[number]]
        return {"cache_entries": view.about()["scopes"], "classes": view.classes}

    def serial(self, zone_id: str) -> int | None:
        """The SOA serial that a zone is served with; None before it is."""
        live = self._current()
        zone = live.lookup.generation.zones.get(from_url(zone_id)) if live else None
        return zone.serial if zone else None

    def status(self) -> dict[str, Any]:
        """The server at a glance."""
        live = self._current()
        held = self._held(live)
        targets = [self._target(target, held) for target in live.targets] if live else []
        return {
            "generation": live.number if live else 0,
            "engine": self.engine,
            "ready": not self.faults(announce=False),
            "health": self._health,
            "workers": [self._worker(number) for number in range(self._settings.workers)],
            "targets": targets,
        }

    def faults(self, announce: bool) -> list[Reason]:
        """What keeps this server from being ready; for ``announce``, to draw queries is enough."""
        faults = [self.fault] if self.fault else []
        if not announce and (unsaved := disk_fault(self._places.data)):
            faults.append(unsaved)
        live = self._current()
        if self._damage is not None:
            faults.append(self._damage)
        elif live is None:
            faults.append(Reason("", "no_generation", "No generation is served yet."))
        if not self._health.get("ready"):
            faults.append(Reason("", "health", "The first round of checks is not over."))
        for number in range(self._settings.workers):
            fault = self._worker_fault(number, live.number if live else 0)
            faults += [fault] if fault else []
        return faults

    def webhook_status(self, webhook_id: str) -> dict[str, Any] | None:
        """What became of a webhook's notices since this process began."""
        return self.webhooks.status(webhook_id) if self.webhooks else None

    def metrics(self) -> str:
        """Counters of the workers and states of the targets, in Prometheus's text format."""
        told = self.webhooks.lines() if self.webhooks else ()
        own = [*self._counter_lines(), *self._target_lines(), *self._health_lines(), *told]
        return "\n".join([*own, ""])

    # -- Inside

    def refresh(self) -> None:
        """Read the generation on disk if a new one has been accepted. From any thread."""
        with self._reading:
            self._read_again()

    def _current(self) -> _Live | None:
        """The generation on disk; a large one's successor is left to `refresh`, which follows
        every publishing: who asks may be keeping all requests waiting."""
        live = self._live
        if live is not None and live.is_large and self._damage is None:
            return live
        with self._reading:
            return self._read_again()

    def _read_again(self) -> _Live | None:
        seen = _stamp(self._places.data / CURRENT)
        if seen is not None and seen == self._seen and self._damage is None:
            return self._live
        manifest, _ = read_manifest(self._places.data)
        if manifest is None:
            return self._live
        self._seen = seen
        if self._live is None or manifest.generation != self._live.number:
            try:
                self._live = self._read(manifest)
            except GeodnsError as error:
                # The workers hold their own copy; what is damaged here will be made anew.
                self._damage = Reason("", "snapshot", f"Generation cannot be read: {error}")
            else:
                self._damage = None
        return self._live

    def _read(self, manifest: Manifest) -> _Live:
        """Read in whole, never mapped: a file that is cut short would end this process."""
        octets: dict[str, bytes] = {}

        def fetch(entry: Entry) -> bytes:
            octets[entry.hash] = self._octets.get(entry.hash) or self._section(entry)
            return octets[entry.hash]

        lookup = Lookup(Generation(manifest, fetch), self._table)
        live = _Live(manifest.generation, lookup, _targets(manifest, fetch), _book(manifest, fetch))
        self._octets = octets
        return live

    def _section(self, entry: Entry) -> bytes:
        path = self._places.data / SNAPSHOT_DIR / entry.hash
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"Section {path} cannot be read: {error}.") from None
        if content_hash(octets) != entry.hash:
            raise Unavailable(f"Section {path} is damaged.")
        return octets

    def _held(self, live: _Live | None) -> Held:
        return Held(self._places.data, live.book if live else NO_BOOK)

    def _target(self, target: dict[str, Any], held: Held) -> dict[str, Any]:
        slot, tag = target["slot"], target["tag"]
        word = self._table.word(slot, tag)
        mine = self._table.words[slot] >> 32 == tag
        note = self._table.note(slot) if mine else NO_NOTE
        return {
            "nodes": target["nodes"],
            "address": target["address"],
            "monitor": target["monitor"],
            "state": word.verdict.name.lower(),
            "override": override_view(word, target["nodes"], held),
            "unsettled": word.unsettled,
            "since": _instant(note.since_ms) if mine else None,
            "checked": _instant(note.checked_ms) if mine else None,
            "elapsed_ms": note.elapsed_us / 1000 if mine else None,
            "reason": note.reason if mine else "",
        }

    def _worker(self, number: int) -> dict[str, Any]:
        try:
            page = WorkerPage(self._places.worker_page(number))
        except Unavailable as error:
            return {"number": number, "state": "absent", "reason": str(error)}
        return {
            "number": number,
            "pid": page.pid,
            "generation": page.generation,
            "heartbeat_age_s": round(page.age_s(), 3),
            "counters": page.counters(),
        }

    def _worker_fault(self, number: int, generation: int) -> Reason | None:
        try:
            page = WorkerPage(self._places.worker_page(number))
        except Unavailable as error:
            return Reason("", "worker", str(error))
        if page.age_s() > STALE_WORKER_S:
            detail = f"Worker {number} shows no heartbeat for {page.age_s():.0f} s."
            return Reason("", "worker", detail)
        if page.generation < generation:
            detail = f"Worker {number} serves generation {page.generation} of {generation}."
            return Reason("", "worker", detail)
        return None

    def _counter_lines(self) -> list[str]:
        totals = dict.fromkeys(COUNTERS, 0)
        for number in range(self._settings.workers):
            for name, count in self._worker(number).get("counters", {}).items():
                totals[name] += count
        lines = ["# TYPE geodns_dns_requests_total counter"]
        lines += [f'geodns_dns_requests_total{{proto="{p}"}} {totals[p]}' for p in ("udp", "tcp")]
        lines.append("# TYPE geodns_dns_responses_total counter")
        rcodes = COUNTERS[COUNTERS.index("noerror") : COUNTERS.index("other") + 1]
        lines += [f'geodns_dns_responses_total{{rcode="{r}"}} {totals[r]}' for r in rcodes]
        for name in ("dropped", "truncated"):
            lines.append(f"# TYPE geodns_dns_{name}_total counter")
            lines.append(f"geodns_dns_{name}_total {totals[name]}")
        return lines

    def _health_lines(self) -> list[str]:
        live = self._current()
        words = (
            [
                self._table.word(each["slot"], each["tag"])
                for each in live.targets
                if each["monitor"]
            ]
            if live
            else []
        )
        return health_lines(self.counts, words)

    def _target_lines(self) -> list[str]:
        live = self._current()
        lines = ["# TYPE geodns_target_up gauge"]
        for target in live.targets if live else []:
            up = int(self._table.word(target["slot"], target["tag"]).verdict is not Verdict.DOWN)
            labels = f'address="{target["address"]}",monitor="{target["monitor"] or ""}"'
            lines.append(f"geodns_target_up{{{labels}}} {up}")
        return lines


def _stamp(path: Path) -> Stamp | None:
    """What differs whenever a file has been replaced or written; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _targets(manifest: Manifest, fetch: Callable[[Entry], bytes]) -> list[dict[str, Any]]:
    for entry in manifest.sections:
        if entry.kind == Kind.TARGETS:
            return list(decode_targets(Section(fetch(entry)))["targets"])
    return []


def _book(manifest: Manifest, fetch: Callable[[Entry], bytes]) -> Book:
    found = (entry for entry in manifest.sections if entry.kind == Kind.OVERRIDES)
    return next((decode_book(Section(fetch(entry))) for entry in found), NO_BOOK)


def _worst(states: list[str]) -> str:
    for state in ("down", "unknown", "up"):
        if state in states:
            return state
    return "unknown"


def _instant(unix_ms: int) -> str | None:
    if not unix_ms:
        return None
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_ms // 1000))
    return f"{seconds}.{unix_ms % 1000:03d}Z"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""What the running server sees of itself: status words, worker pages, explanations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from prometheus_client.core import Metric

from geodns.api.metrics import Meter, family
from geodns.daemon.disk import disk_fault
from geodns.daemon.live import Live, LiveReader
from geodns.daemon.metrics.generations import generation_metrics
from geodns.daemon.metrics.health import health_metrics, target_metrics
from geodns.daemon.metrics.processes import process_metrics, worker_metrics
from geodns.daemon.metrics.queries import node_metrics, query_metrics
from geodns.daemon.overruled import Held, override_view
from geodns.daemon.places import Places
from geodns.daemon.webhooks import Webhooks
from geodns.dns.names import from_url
from geodns.engine.counts import Counts, counts_file
from geodns.engine.page import WorkerPage
from geodns.errors import Reason, Unavailable
from geodns.settings import Settings
from geodns.snapshot.overrides import NO_BOOK
from geodns.snapshot.status import Note, StatusTable

STALE_WORKER_S = 5.0
"""A worker without a heartbeat for so long is not ready. Source: as the supervisor's."""


LAG_S = 2.0
"""How long workers may take to serve a new generation. Source: as the engine's patience with its
threads (`TAKEN_WITHIN`); a large one takes tenths of a second."""

NO_NOTE = Note()


class Observer:
    """Answers questions about the server; fills the API's port of the same name."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self.engine = settings.engine
        self._places = places
        self._table = StatusTable(places.status)
        self._reader = LiveReader(places.data, self._table)
        self._health: dict[str, Any] = {"ready": False}
        self._behind_s: float | None = None
        self.ending = False
        self.fault: Reason | None = None
        self.counts: dict[str, Any] = {}
        self.children: dict[str, dict[str, int]] = {}
        self.webhooks: Webhooks | None = None
        self.meter = Meter()
        self.readers: Callable[[], int] = lambda: 0

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

        live = self._reader.current()
        if self._reader.damage is not None:
            raise Unavailable([self._reader.damage])
        if live is None:
            raise Unavailable("No generation is served yet.")
        asker = resolver or "127.0.0.1"
        told = explain_text(live.lookup, name, rtype, source, asker, _now_ms())
        return told.as_dict()

    def node_status(self, node_id: str) -> dict[str, Any]:
        """A node's health: the worst of its targets, and each of them."""
        live = self._reader.current()
        held = self._held(live)
        mine = [self._target(each, held) for each in live.of_node.get(node_id, [])] if live else []
        return {"state": _worst([target["state"] for target in mine]), "targets": mine}

    def steer_status(self, zone_id: str, owner: str) -> dict[str, Any] | None:
        """How a steer is compiled: entries in a cache that keeps them by scope, and classes."""
        live = self._reader.current()
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
        live = self._reader.current()
        zone = live.lookup.generation.zones.get(from_url(zone_id)) if live else None
        return zone.serial if zone else None

    def status(self) -> dict[str, Any]:
        """The server at a glance."""
        live = self._reader.current()
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
        """What keeps this server from being ready; for ``announce``, from drawing queries: what
        cannot be saved is no matter then, but to be ending or to serve no zone is."""
        live = self._reader.current()
        found = [self.fault, self._reader.damage, *self._worker_faults(live)]
        if live is None and self._reader.damage is None:
            found.append(Reason("", "no_generation", "No generation is served yet."))
        if not self._health.get("ready"):
            found.append(Reason("", "health", "The first round of checks is not over."))
        if not announce:
            found.append(disk_fault(self._places.data))
        elif live is not None and not live.lookup.generation.zones:
            found.append(Reason("", "no_zone", "No zone is served: all queries are refused."))
        if announce and self.ending:
            found.append(Reason("", "ending", "The server is ending."))
        return [fault for fault in found if fault is not None]

    def webhook_status(self, webhook_id: str) -> dict[str, Any] | None:
        """What became of a webhook's notices since this process began."""
        return self.webhooks.status(webhook_id) if self.webhooks else None

    def refresh(self) -> None:
        """Read the generation on disk if a new one has been accepted. From any thread."""
        self._reader.refresh()

    def collect(self) -> Iterator[Metric]:
        """What all processes are measured by. From any thread."""
        live = self._reader.current()
        workers = [self._worker(number) for number in range(self._settings.workers)]
        counts = list(self._counts())
        targets = live.targets if live else []
        yield family("geodns_ready", ((), not self.faults(announce=False)))
        yield from query_metrics(counts, live.lookup.generation.zones if live else ())
        yield node_metrics(counts, targets)
        yield from worker_metrics(workers, STALE_WORKER_S)
        yield from process_metrics(dict(self.children))
        if live is not None:
            yield from generation_metrics(live)
        yield from health_metrics(self.counts, self._health.get("ready") is True)
        yield from target_metrics(self._table, targets)
        yield family("geodns_api_event_streams", ((), self.readers()))
        if self.webhooks is not None:
            yield self.webhooks.metric()

    # -- Inside

    def _held(self, live: Live | None) -> Held:
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

    def _counts(self) -> Iterator[Counts]:
        for number in range(self._settings.workers):
            with suppress(Unavailable):
                yield Counts(counts_file(self._places.worker_page(number)))

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

    def _worker_faults(self, live: Live | None) -> list[Reason]:
        """What is wrong with workers. While a generation is being taken over nobody is behind."""
        newest = live.number if live else 0
        faults: list[Reason] = []
        generations = []
        for number in range(self._settings.workers):
            worker = self._worker(number)
            generations.append(worker.get("generation", newest))
            if "reason" in worker:
                faults.append(Reason("", "worker", worker["reason"]))
            elif worker["heartbeat_age_s"] > STALE_WORKER_S:
                age_s = worker["heartbeat_age_s"]
                detail = f"Worker {number} shows no heartbeat for {age_s:.0f} s."
                faults.append(Reason("", "worker", detail))
        behind = {n: served for n, served in enumerate(generations) if served < newest}
        now_s = time.monotonic()
        self._behind_s = (self._behind_s or now_s) if behind else None
        for number, served in behind.items():
            if not served or now_s - (self._behind_s or now_s) > LAG_S:
                detail = f"Worker {number} serves generation {served} of {newest}."
                faults.append(Reason("", "worker", detail))
        return faults


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

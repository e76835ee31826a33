"""Row memory: what the processes hold after 100,000 random queries on a City-size snapshot."""

from __future__ import annotations

from tests.bench.blast import STEERED, blast
from tests.bench.figures import Figure
from tests.bench.processes import memory_mb
from tests.bench.workshop import CITY, SHARED, Workshop

QUERIES = 100_000
PROMISED_MB = 120.0
ROLES = {CITY: ("worker", "supervisor", "control", "health"), SHARED: ("worker",)}


def run(workshop: Workshop) -> list[Figure]:
    """Proportional set sizes; sections shared by processes count in equal parts."""
    return [figure for size in ROLES for figure in _sizes(workshop, size)]


def _sizes(workshop: Workshop, size: str) -> list[Figure]:
    data_dir = workshop.prepared(size)
    with workshop.server(data_dir, size) as server:
        server.until_ready()
        pids = server.pids
        asked = 0
        while asked < QUERIES:
            window = blast(workshop, (server.dns[1], pids["worker"]), STEERED, 1.0)
            asked += window["replies"]
        return [_figure(workshop, size, role, memory_mb(pids[role])) for role in ROLES[size]]


def _figure(workshop: Workshop, size: str, role: str, memory: dict[str, float]) -> Figure:
    note = f"RSS {memory['Rss']:.0f}, private {memory['Private_Dirty']:.0f} MB"
    promise = PROMISED_MB if role == "worker" else None
    note = "; ".join(filter(None, [note, workshop.city_note]))
    return Figure("memory", f"{size}: {role}, PSS", "MB", [memory["Pss"]], promise, note=note)

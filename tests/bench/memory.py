"""Row memory: what the processes hold after 100,000 random queries on a City-size snapshot."""

from __future__ import annotations

from tests.bench.engine import WORKLOADS, blast
from tests.bench.figures import Figure
from tests.bench.processes import memory_mb
from tests.bench.workshop import CITY, Workshop

QUERIES = 100_000
PROMISED_MB = 120.0
ROLES = ("worker", "supervisor", "control", "health")


def run(workshop: Workshop) -> list[Figure]:
    """Proportional set sizes; sections shared by processes count in equal parts."""
    data_dir = workshop.prepared(CITY)
    with workshop.server(data_dir, CITY) as server:
        server.until_ready()
        pids = server.pids
        asked = 0
        while asked < QUERIES:
            window = blast(
                workshop, server.dns[1], pids["worker"], WORKLOADS["steered, random /24"], 1.0
            )
            asked += window["replies"]
        sizes = {role: memory_mb(pids[role]) for role in ROLES}
    figures = []
    for role, size in sizes.items():
        note = f"RSS {size['Rss']:.0f}, private {size['Private_Dirty']:.0f} MB"
        promise = PROMISED_MB if role == "worker" else None
        note = "; ".join(filter(None, [note, workshop.city_note]))
        figures.append(Figure("memory", f"{role}, PSS", "MB", [size["Pss"]], promise, note=note))
    return figures

"""Row memory: what the processes hold after 100,000 random queries on a City-size snapshot."""

from __future__ import annotations

from tests.bench import peers
from tests.bench.blast import STEERED, blast
from tests.bench.figures import Figure
from tests.bench.fleet import random_fleet
from tests.bench.processes import SERVER_CORE, memory_mb
from tests.bench.workshop import CITY, SHARED, Workshop

QUERIES = 100_000
PROMISED_MB = 120.0
PROMISED_SERVING_MB = 64.0
ROLES = {CITY: ("worker", "supervisor", "control", "health"), SHARED: ("worker",)}


def run(workshop: Workshop) -> list[Figure]:
    """Proportional set sizes; sections shared by processes count in equal parts."""
    python = [figure for size in ROLES for figure in _sizes(workshop, size, "python")]
    return [*python, *_sizes(workshop, CITY, "native"), *_gdnsd(workshop)]


def _sizes(workshop: Workshop, size: str, engine: str) -> list[Figure]:
    data_dir = workshop.prepared(size)
    with workshop.server(data_dir, size, engine=engine) as server:
        server.until_ready()
        pids = server.pids
        asked = 0
        while asked < QUERIES:
            window = blast(workshop, (server.dns[1], pids["worker"]), STEERED, 1.0)
            asked += window["replies"]
        found = {role: memory_mb(pids[role]) for role in ROLES[size]}
    figures = [_figure(workshop, f"{size}, {engine}: {role}", found[role]) for role in found]
    if engine == "native":
        serving = found["supervisor"]["Pss"] + found["worker"]["Pss"]
        what = f"{size}, {engine}: supervisor and worker, PSS"
        figures.append(Figure("memory", what, "MB", [serving], PROMISED_SERVING_MB))
    return figures


def _gdnsd(workshop: Workshop) -> list[Figure]:
    """All of its memory is its own, so PSS and RSS are the same but for libraries."""
    if "gdnsd" not in peers.installed():
        return []
    database = workshop.city_db or workshop.bundled_db
    directory = workshop.directory / "peer-gdnsd"
    with peers.peer("gdnsd", directory, database, random_fleet(), SERVER_CORE) as (_, pid):
        return [_figure(workshop, f"{CITY}: gdnsd", memory_mb(pid))]


def _figure(workshop: Workshop, what: str, memory: dict[str, float]) -> Figure:
    note = f"RSS {memory['Rss']:.0f}, private {memory['Private_Dirty']:.0f} MB"
    promise = PROMISED_MB if what.endswith("worker") else None
    note = "; ".join(filter(None, [note, workshop.city_note]))
    return Figure("memory", f"{what}, PSS", "MB", [memory["Pss"]], promise, note=note)

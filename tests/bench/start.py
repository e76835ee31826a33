"""Row start: from the exec of `geodns serve` to the first right answer from a snapshot."""

from __future__ import annotations

import time

from tests.bench.ask import Asker
from tests.bench.figures import Figure
from tests.bench.fleet import ZONE
from tests.bench.workshop import CITY, DEFAULT, Workshop

STARTS = 6
PROMISED_S = {"native": 0.1, "python": 0.5}
SUBNET = "81.2.69.0/24"


def run(workshop: Workshop) -> list[Figure]:
    """Both engines and snapshot sizes. The processes are cold, the kernel's file cache is not."""
    return [_starts(workshop, engine, size) for engine in PROMISED_S for size in (CITY, DEFAULT)]


def _starts(workshop: Workshop, engine: str, size: str) -> Figure:
    data_dir = workshop.prepared(size)
    times = []
    for _ in range(STARTS):
        server = workshop.server(data_dir, size, engine=engine)
        asker = Asker(server.dns, f"www.{ZONE}", SUBNET)
        started_s = time.monotonic()
        with server:
            times.append(asker.until(_is_node) - started_s)
            asker.close()
            server.api()  # up in full, so that ending it is no race
    note = workshop.city_note if size == CITY else ""
    what = f"{size} snapshot, {engine}"
    return Figure("start", what, "s", times, PROMISED_S[engine], note=note)


def _is_node(address: str | None) -> bool:
    return address is not None and address.startswith("203.0.113.")

"""Row readers: 1,000 readers and 100 event streams at the API, and what DNS notices of them."""

from __future__ import annotations

from tests.bench.crowd import PROMISED_MS, Crowd, in_words, notice, one_core_server
from tests.bench.figures import Figure
from tests.bench.processes import memory_mb
from tests.bench.workshop import Workshop

READERS, STREAMS = 1000, 100
ROUNDS = 7


def run(workshop: Workshop) -> list[Figure]:
    """What is lost, how far p99 moves, and what the connections cost."""
    with one_core_server(workshop, "readers") as server:
        control = server.pids["control"]
        before_mb = memory_mb(control)["Rss"]
        crowd = Crowd("readers_child", server.api_port, server.token, READERS, STREAMS)
        if crowd.heard() != "open\n":
            raise RuntimeError("the readers are not let in")
        noticed = notice(workshop, server, crowd.nod, ROUNDS)
        grown_mb = memory_mb(control)["Rss"] - before_mb
        told = crowd.end()
    what = f"{READERS:,} readers, {STREAMS} streams"
    note = f"{in_words(told)}; {noticed.note}"
    refused = [
        sum(count for name, count in told.items() if name not in ("read", "streams", "events"))
    ]
    return [
        Figure("readers", f"{what}: queries lost", "", noticed.lost, 0, "max", note),
        Figure("readers", f"{what}: p99 moves", "ms", noticed.moved_ms, PROMISED_MS),
        Figure("readers", f"{what}: requests not answered by 200", "", refused, 0, "max"),
        Figure("readers", f"{what}: control grows", "MB", [grown_mb]),
    ]

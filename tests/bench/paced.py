"""Row paced: below saturation a wake-up for each packet is what costs, whoever is woken.

CPU per query and latency at fixed rates, of the native engine, gdnsd and the echo in turn; then
at half of what saturates, and with two workers instead of one.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import peers
from tests.bench.blast import ECHOED, STEERED, Target, Window, blast, echo_server, pinned
from tests.bench.figures import Figure
from tests.bench.fleet import random_fleet
from tests.bench.processes import SERVER_CORE
from tests.bench.workshop import CITY, Workshop

RATES = (5_000, 20_000, 50_000, 100_000)
ROUNDS = 5
WINDOW_S = 0.6
OURS, THEIRS, FLOOR = "native", "gdnsd", "echo"


def run(workshop: Workshop) -> list[Figure]:
    """Cost and latency by rate, then at half load, then two workers against one."""
    with ExitStack() as stack:
        servers: dict[str, Target] = {
            OURS: stack.enter_context(pinned(workshop, CITY, OURS)),
            FLOOR: stack.enter_context(echo_server(workshop)),
        }
        if THEIRS in peers.installed():
            directory = workshop.directory / "peer-gdnsd"
            database = workshop.city_db or workshop.bundled_db
            gdnsd = peers.peer(THEIRS, directory, database, random_fleet(), SERVER_CORE)
            servers[THEIRS] = stack.enter_context(gdnsd)
        full = blast(workshop, servers[OURS], STEERED, WINDOW_S)["qps"]
        rates = {f"{rate:,} q/s": rate for rate in RATES} | {"half load": full / 2}
        figures = []
        for name, rate in rates.items():
            windows = _rounds(workshop, servers, rate)
            for server, made in windows.items():
                figures += _figures(f"{server}, {name}", made)
    return [*figures, *_two_workers(workshop)]


def _rounds(workshop: Workshop, servers: dict[str, Target], rate: float) -> dict[str, list[Window]]:
    windows: dict[str, list[Window]] = {name: [] for name in servers}
    for number in range(ROUNDS):
        for name in servers if number % 2 else reversed(servers):
            load = ECHOED if name == FLOOR else STEERED
            windows[name].append(blast(workshop, servers[name], load, WINDOW_S, rate))
    return windows


def _figures(what: str, windows: list[Window]) -> list[Figure]:
    def of(key: str) -> list[float]:
        return [float(window[key]) for window in windows]

    lost = sum(of("lost"))
    note = f"{lost:.0f} lost"
    return [
        Figure("paced", f"{what}: CPU a query", "µs", of("us_per_query"), note=note),
        Figure("paced", f"{what}: p50", "µs", of("p50_us")),
        Figure("paced", f"{what}: p99", "µs", of("p99_us")),
    ]


def _two_workers(workshop: Workshop) -> list[Figure]:
    """At saturation with the generator beside them: on two cores, all three share."""
    figures = []
    for workers in (1, 2):
        data_dir = workshop.prepared(CITY)
        with workshop.server(data_dir, CITY, engine=OURS, workers=workers) as server:
            server.until_ready()
            pids = ",".join(map(str, server.workers))
            windows = [
                blast(workshop, (server.dns[1], pids), STEERED, WINDOW_S) for _ in range(ROUNDS)
            ]
        what = f"{workers} worker{'s' * (workers > 1)}, not kept on a core"
        cost = [window["us_per_query"] for window in windows]
        figures.append(Figure("paced", f"{what}: CPU a query", "µs", cost))
        rate = [window["qps"] for window in windows]
        figures.append(Figure("paced", f"{what}: answered", "q/s", rate))
    return figures

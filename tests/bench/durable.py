"""Row durable: eight clients write at once, each over one kept connection, the server on one core.

A write is counted when it is acknowledged, which is when it is on disk. CPU time is that of all the
server's processes; the clients have the other core.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address

from tests.bench.figures import Figure, short
from tests.bench.fleet import ZONE, random_fleet
from tests.bench.processes import PROC, SERVER_CORE, descendants, pin, waited_ms
from tests.bench.server import Server
from tests.bench.workshop import DEFAULT, Workshop

CLIENTS = 8
WINDOWS, WINDOW_S = 5, 3.0
PROMISED_MS = 1000 / 300
"""300 a second."""
PROMISED_WAIT_MS = 150.0
NAMES = 100
"""Each client's own, so that none waits for another's If-Match."""


def run(workshop: Workshop) -> list[Figure]:
    """Writes a second without and with ``?wait``, 100 nodes."""
    fleet = random_fleet()
    fleet["zones"][ZONE].setdefault("rrsets", {}).update(
        {f"d{number}": {"A": ["192.0.2.1"]} for number in range(CLIENTS * NAMES)}
    )
    with workshop.server(workshop.fresh("durable"), DEFAULT) as server:
        server.put("document", fleet)
        server.until_ready()
        pids = [server.pids["supervisor"], *descendants(server.pids["supervisor"])]
        pin(pids, SERVER_CORE)
        return [*_rates(server, pids), _waits(server, pids)]


def _rates(server: Server, pids: list[int]) -> list[Figure]:
    wall_ms, cpu_ms, waited = [], [], 0.0
    for _ in range(WINDOWS):
        before_ms, waited_before_ms = _cpu_ms(pids), waited_ms(pids)
        started_s = time.monotonic()
        times_ms = _storm(server, "")
        wall_ms.append((time.monotonic() - started_s) * 1000 / len(times_ms))
        cpu_ms.append((_cpu_ms(pids) - before_ms) / len(times_ms))
        waited += (waited_ms(pids) - waited_before_ms) / len(times_ms) / WINDOWS
    note = f"waited {short(waited)} ms for a core each; {1000 / min(wall_ms):.0f} a second at best"
    return [
        Figure("durable", f"{CLIENTS} clients, a write", "ms", wall_ms, PROMISED_MS, note=note),
        Figure("durable", "its CPU, all processes", "ms", cpu_ms, PROMISED_MS),
    ]


def _waits(server: Server, pids: list[int]) -> Figure:
    before_ms = waited_ms(pids)
    times_ms = _storm(server, "?wait=true")
    note = f"waited {short((waited_ms(pids) - before_ms) / len(times_ms))} ms for a core each"
    what = f"{CLIENTS} clients, ?wait"
    return Figure("durable", what, "ms", times_ms, PROMISED_WAIT_MS, judged="p99", note=note)


def _storm(server: Server, query: str) -> list[float]:
    """How long each acknowledged write of one window took, in milliseconds."""
    times_ms: list[float] = []
    end_s = time.monotonic() + WINDOW_S
    clients = [
        threading.Thread(target=_write, args=(server, number, query, end_s, times_ms.append))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return times_ms


def _write(
    server: Server, client: int, query: str, end_s: float, took: Callable[[float], None]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    count, draw = 0, random.Random()
    while time.monotonic() < end_s:
        count += 1
        owner = f"d{client * NAMES + count % NAMES}"
        body = json.dumps({"values": [str(IPv4Address(draw.getrandbits(32)))]})
        started_s = time.monotonic()
        path = f"/api/v1/zones/{ZONE}/rrsets/{owner}/A{query}"
        connection.request("PUT", path, body, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"PUT {path}: {reply.status}")
        took((time.monotonic() - started_s) * 1000)
    connection.close()


def _cpu_ms(pids: Iterable[int]) -> float:
    """CPU time of all threads of processes, ever (schedstat's first field)."""
    total_ns = 0
    for pid in pids:
        for task in (PROC / str(pid) / "task").iterdir():
            total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e6

"""Row write: from sending an API write to the first DNS answer that shows it.

One kept HTTP connection writes while DNS is asked every millisecond. Writes come at random
pauses, longer than the 20 ms in which the server gathers changes, so that each stands alone.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.bench.ask import Asker
from tests.bench.figures import Figure, short
from tests.bench.fleet import ZONE, random_fleet
from tests.bench.processes import waited_ms
from tests.bench.server import Server
from tests.bench.workshop import DEFAULT, Workshop

WRITES = 110
PAUSES_S = (0.03, 0.09)
PROMISED_MS = 100.0

LONDON, LONDON_SUBNET = (51.5, -0.12), "81.2.69.0/24"
ANTARCTICA = (-80.0, 0.0)
MOVER = "203.0.113.250"


def run(workshop: Workshop) -> list[Figure]:
    """RRset changes and node moves on the default database, 100 nodes."""
    fleet = random_fleet()
    fleet["nodes"]["mover"] = _mover(LONDON, 0)
    fleet["pools"]["web"]["nodes"].append("mover")
    with workshop.server(workshop.fresh("write"), DEFAULT) as server:
        server.put("document", fleet)
        server.until_ready()
        asker = Asker(server.dns, f"www.{ZONE}", LONDON_SUBNET)
        asker.until(lambda address: address == MOVER)
        return [
            _figure(server, "RRset value", lambda: _rrset_changes(server)),
            _figure(server, "node moved", lambda: _node_moves(server, asker)),
        ]


def _figure(server: Server, what: str, write: Callable[[], list[float]]) -> Figure:
    pids = server.pids.values()
    before_ms = waited_ms(pids)
    times_ms = write()
    waited = (waited_ms(pids) - before_ms) / len(times_ms)
    note = f"waited {short(waited)} ms for a core each"
    return Figure("write", what, "ms", times_ms, PROMISED_MS, judged="p99", note=note)


def _rrset_changes(server: Server) -> list[float]:
    asker = Asker(server.dns, f"probe.{ZONE}")
    path = f"zones/{ZONE}/rrsets/probe/A"
    times_ms = []
    for number in range(WRITES):
        value = f"198.51.100.{number + 1}"
        times_ms.append(_write(server, asker, path, {"values": [value]}, value, wanted=True))
    asker.close()
    return times_ms


def _node_moves(server: Server, asker: Asker) -> list[float]:
    times_ms = []
    for number in range(WRITES):
        near = number % 2 == 1
        body = _mover(LONDON if near else ANTARCTICA, number)
        times_ms.append(_write(server, asker, "nodes/mover", body, MOVER, wanted=near))
    asker.close()
    return times_ms


def _mover(about: tuple[float, float], number: int) -> dict[str, Any]:
    """The node, never twice at the same place: nothing that was compiled can be used again."""
    latitude, longitude = about
    location = {"lat": latitude + number / 1000, "lon": longitude}
    return {"addresses": [MOVER], "location": location}


def _write(
    server: Server, asker: Asker, path: str, body: Any, address: str, *, wanted: bool
) -> float:
    """Milliseconds until the answer is ``address``, or is any other node."""
    time.sleep(random.uniform(*PAUSES_S))
    writer = threading.Thread(target=server.put, args=(path, body))
    started_s = time.monotonic()
    writer.start()
    changed_s = asker.until(lambda seen: seen is not None and (seen == address) == wanted)
    writer.join()
    return (changed_s - started_s) * 1000

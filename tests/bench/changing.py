"""Row change: a node of 1,000 is added, moved or removed, a City-size database placing the users.

From sending the API write to the first DNS answer that shows it, as in row write. And a rule with
5,000 subnets, from nothing to its answer.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.ask import Asker
from tests.bench.figures import Figure, short
from tests.bench.fleet import SEED, ZONE, document
from tests.bench.processes import waited_ms
from tests.bench.server import Server
from tests.bench.workshop import CITY, Workshop

NODES, ROUNDS, SUBNETS = 1000, 20, 5000
PROMISED_MS, PROMISED_RULE_MS = 250.0, 1000.0
PAUSES_S = (0.1, 0.3)
PATIENCE_S = 60.0

LONDON, LONDON_SUBNET = (51.5, -0.12), "81.2.69.0/24"
ANTARCTICA = (-80.0, 0.0)
MOVER, RULED = "203.0.113.250", "203.0.113.251"
EDGE = {"tier": "edge"}


def run(workshop: Workshop) -> list[Figure]:
    """Adds, moves and removals; then rules of fresh subnets."""
    note = workshop.city_note
    data_dir = workshop.fresh("change")
    shutil.copytree(workshop.prepared(CITY) / "geo", data_dir / "geo")  # the database's arrays
    with workshop.server(data_dir, CITY) as server:
        server.put("document", _fleet())
        server.until_ready()
        asker = Asker(server.dns, f"www.{ZONE}", LONDON_SUBNET)
        asker.until(lambda address: address is not None)
        figures = []
        for what, writes in _changes(server).items():
            figures.append(_figure(server, asker, what, writes, note))
        figures.append(_rules(server, asker, note))
        asker.close()
    return figures


def _fleet() -> dict[str, Any]:
    """1,000 nodes near where users are, in one pool by their label."""
    draw = random.Random(SEED)
    nodes = {
        f"n{number:04d}": {
            "addresses": [f"198.18.{number // 250}.{number % 250 + 1}"],
            "location": {"lat": draw.uniform(-40, 65), "lon": draw.uniform(-180, 180)},
            "labels": EDGE,
        }
        for number in range(NODES)
    }
    nodes["office"] = {"addresses": [RULED], "location": {"lat": 0.0, "lon": 0.0}}
    zone = {
        "nameservers": [{"name": f"ns1.{ZONE}.", "addresses": ["192.0.2.53"]}],
        "steers": {"www": {"pool": "web"}},
    }
    return document(zone, nodes, {"web": {"select": EDGE}, "office": {"nodes": ["office"]}})


def _mover(about: tuple[float, float], number: int) -> dict[str, Any]:
    """The node, never twice at the same place: nothing that was compiled can be used again."""
    location = {"lat": about[0] + number / 1000, "lon": about[1]}
    return {"addresses": [MOVER], "location": location, "labels": EDGE}


Write = tuple[Callable[[], object], bool]
"""What is done, and whether the mover answers in London then."""


def _changes(server: Server) -> dict[str, list[Write]]:
    """Kinds of changes. Each is undone by the write after it, so that all are measured twice."""

    def put(about: tuple[float, float], number: int) -> Callable[[], object]:
        return lambda: server.put("nodes/mover", _mover(about, number))

    def remove() -> object:
        return server.api().delete("nodes/mover").raise_for_status()

    ways = range(ROUNDS)
    come_and_go: list[Write] = [w for n in ways for w in ((put(LONDON, n), True), (remove, False))]
    moves: list[Write] = [
        (put(LONDON if near else ANTARCTICA, 2 * n + near), bool(near))
        for n in ways
        for near in (1, 0)
    ]
    return {"node added or removed": come_and_go, "node moved": moves}


def _figure(server: Server, asker: Asker, what: str, writes: list[Write], note: str) -> Figure:
    pids = server.pids.values()
    before_ms = waited_ms(pids)
    times_ms = [_timed(asker, do, MOVER, wanted) for do, wanted in writes]
    waited = (waited_ms(pids) - before_ms) / len(times_ms)
    note = "; ".join(filter(None, (f"waited {short(waited)} ms for a core each", note)))
    return Figure("change", f"{what}, one of {NODES}", "ms", times_ms, PROMISED_MS, note=note)


def _rules(server: Server, asker: Asker, note: str) -> Figure:
    times_ms = []
    for number in range(6):
        rule = {"subnets": [*_subnets(number), LONDON_SUBNET], "pool": "office"}
        ruled = number % 2 == 0  # else the rule goes, and its subnets with it
        body = {"pool": "web", "rules": [rule] if ruled else []}
        path = f"zones/{ZONE}/steers/www"
        taken_ms = _timed(asker, lambda p=path, b=body: server.put(p, b), RULED, ruled)
        times_ms += [taken_ms] * ruled
    what = f"rule of {SUBNETS} subnets"
    return Figure("change", what, "ms", times_ms, PROMISED_RULE_MS, note=note)


def _subnets(seed: int) -> Iterator[str]:
    draw = random.Random(SEED + seed)
    found = {f"{draw.randrange(90, 200)}.{draw.randrange(256)}.{draw.randrange(256)}.0/24"
             for _ in range(2 * SUBNETS)}  # fmt: skip
    return iter(sorted(found)[: SUBNETS - 1])


def _timed(asker: Asker, do: Callable[[], object], address: str, wanted: bool) -> float:
    """Milliseconds until the answer is ``address``, or is any other node."""
    time.sleep(random.uniform(*PAUSES_S))
    writer = threading.Thread(target=do)
    started_s = time.monotonic()
    writer.start()
    changed_s = asker.until(
        lambda seen: seen is not None and (seen == address) == wanted, PATIENCE_S
    )
    writer.join()
    return (changed_s - started_s) * 1000

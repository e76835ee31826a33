"""Row scale: a document of 10,000 nodes and 100,000 RRsets, by the command that people use.

Half of the RRsets are in one zone, half in 1,000 zones. Everything goes through ``geodns`` and
HTTP to a real server. Beside it /livez is asked all the time, on the loop that all requests share.
"""

from __future__ import annotations

import copy
import math
import os
import random
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bench.ask import Asker
from tests.bench.figures import Figure
from tests.bench.processes import memory_mb
from tests.bench.server import COMMAND, COMPILED, START_S, Server
from tests.bench.workshop import DEFAULT, Workshop

NODES, RRSETS, ZONES, POOLS = 10_000, 100_000, 1_000, 20
GREAT_ZONE = "great.test"
SEED = 2026
APPLY_S, LIST_S, HELD_MS = 10.0, 0.2, 50.0
PAGE = 1000
CHANGES = 20
LISTS = 9
ROLES = ("control", "compiler", "health", "supervisor", "worker")

Document = dict[str, Any]


def run(workshop: Workshop) -> list[Figure]:
    """Apply, apply again, change, list, export, plan, check, restart."""
    data_dir = workshop.fresh("scale")
    files = _written(workshop.directory)
    found: list[Figure] = []
    with workshop.server(data_dir, DEFAULT, engine="native") as server:
        server.until_ready()
        with Livez(server) as livez:
            found += _applied(server, files)
            found += _changed(server)
            found += _read(server, files)
            found += livez.figures()
        found += [
            _one(f"memory of {role}, PSS", "MB", memory_mb(server.pids[role])["Pss"])
            for role in ROLES
        ]
    return [*found, *_restarted(workshop, data_dir)]


# --- The document ---


def great_document() -> Document:
    """10,000 nodes at random places in 20 pools; 100,000 RRsets, half of them in one zone."""
    draw = random.Random(SEED)
    nodes = {
        f"n{number}": {
            "addresses": [f"198.18.{number >> 8}.{number & 255}"],
            "location": _anywhere(draw),
            "labels": {"site": f"s{number % 200}"},
        }
        for number in range(NODES)
    }
    ids = list(nodes)
    pools = {f"p{number}": {"nodes": ids[number::POOLS]} for number in range(POOLS)}
    server = {"name": f"ns1.{GREAT_ZONE}.", "addresses": ["192.0.2.53"]}
    zones = {GREAT_ZONE: _zone(server, "p0", RRSETS // 2)}
    for number in range(ZONES):
        each = _zone(server["name"], f"p{number % POOLS}", RRSETS // 2 // ZONES)
        zones[f"z{number}.test"] = each
    return {"geodns": 1, "name": "scale", "zones": zones, "nodes": nodes, "pools": pools}


def _zone(server: object, pool: str, rrsets: int) -> Document:
    return {
        "nameservers": [server],
        "steers": {"www": {"pool": pool}},
        "rrsets": {f"h{number}": _rrset(number) for number in range(rrsets)},
    }


def _rrset(number: int) -> Document:
    address = f"192.0.{number >> 8 & 255}.{number & 255}"
    return {"A": [address]} if number % 4 else {"TXT": [f'"v=spf1 ip4:{address} -all"']}


def _anywhere(draw: random.Random) -> dict[str, float]:
    latitude = math.degrees(math.asin(draw.uniform(-1, 1)))
    return {"lat": round(latitude, 3), "lon": round(draw.uniform(-180, 180), 3)}


def _written(directory: Path) -> dict[str, Path]:
    """The document, and the same with one node moved, as files."""
    document = great_document()
    moved = copy.deepcopy(document)
    moved["nodes"]["n7"]["location"] = {"lat": 1.0, "lon": 2.0}
    files = {}
    for name, content in (("great", document), ("moved", moved)):
        files[name] = directory / f"scale-{name}.yaml"
        with files[name].open("w", encoding="utf-8") as file:
            yaml.dump(content, file, Dumper=yaml.CSafeDumper, sort_keys=False)
    return files


# --- What is measured ---


def _applied(server: Server, files: dict[str, Path]) -> list[Figure]:
    asker = Asker(server.dns, f"h1.z{ZONES - 1}.test")
    ended_s: list[float] = []

    def apply() -> None:
        geodns(server, "apply", files["great"])
        ended_s.append(time.monotonic())

    started_s, before_s = time.monotonic(), cpu_s(server)
    thread = threading.Thread(target=apply)
    thread.start()
    served_s = asker.until(lambda address: address is not None, START_S) - started_s
    thread.join()
    asker.close()
    whole_s, used_s = ended_s[0] - started_s, cpu_s(server) - before_s
    again_s = timed(lambda: geodns(server, "apply", "--wait", files["great"]))
    moved_s = timed(lambda: geodns(server, "apply", "--wait", files["moved"]))
    return [
        _one("apply: accepted and durable", "s", whole_s, APPLY_S),
        _one("apply: until the last zone is answered", "s", served_s, APPLY_S),
        _one("apply: CPU of client and server", "s", used_s),
        _one("apply again: no changes", "s", again_s),
        _one("apply with one node moved, until served", "s", moved_s),
    ]


def _changed(server: Server) -> list[Figure]:
    """One RRset and one node, each until its answer has changed."""
    rrset = Asker(server.dns, f"h1.{GREAT_ZONE}")
    times_ms = []
    for number in range(CHANGES):
        value = f"198.51.100.{number + 1}"
        path, body = "zones/z5.test/rrsets/h1/A", {"values": [value]}
        asker = Asker(server.dns, "h1.z5.test")
        started_s = time.monotonic()
        server.put(path, body)
        times_ms.append((asker.until(value.__eq__, START_S) - started_s) * 1000)
        asker.close()
    great_ms = []
    for number in range(CHANGES):
        value = f"198.51.100.{number + 1}"
        started_s = time.monotonic()
        server.put(f"zones/{GREAT_ZONE}/rrsets/h1/A", {"values": [value]})
        great_ms.append((rrset.until(value.__eq__, START_S) - started_s) * 1000)
    rrset.close()
    node_ms = []
    node = server.api().get("nodes/n9").json()
    body = {name: node[name] for name in ("addresses", "location", "labels")}
    for number in range(CHANGES):
        body["location"] = {"lat": number / 1000, "lon": 0.0}
        node_ms.append(timed(lambda: server.put("nodes/n9?wait=true", body)) * 1000)
    return [
        Figure("scale", "RRset in one of 1,000 zones, written → answered", "ms", times_ms),
        Figure("scale", "RRset in the zone of 50,000, written → answered", "ms", great_ms),
        Figure("scale", "one node of 10,000 moved, written → served", "ms", node_ms),
    ]


def _read(server: Server, files: dict[str, Path]) -> list[Figure]:
    lists_s = [timed(lambda: listed(server)) for _ in range(LISTS)]
    return [
        Figure("scale", f"list of 10,000 nodes, {PAGE} a page", "s", lists_s, LIST_S),
        _one("geodns node list", "s", timed(lambda: geodns(server, "node", "list"))),
        _one("export", "s", timed(lambda: geodns(server, "export"))),
        _one("plan", "s", timed(lambda: geodns(server, "plan", files["great"]))),
        _one("check", "s", timed(lambda: geodns(server, "check", files["great"]))),
    ]


def listed(server: Server) -> None:
    """Get all nodes, page by page."""
    cursor, count = "", 0
    while True:
        params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
        page = server.api().get("nodes", params=params).raise_for_status().json()
        count += len(page["items"])
        cursor = page["next"]
        if not cursor:
            break
    if count != NODES:
        raise RuntimeError(f"{count} nodes are listed")


def _restarted(workshop: Workshop, data_dir: Path) -> list[Figure]:
    server = workshop.server(data_dir, DEFAULT, engine="native")
    asker = Asker(server.dns, f"h1.z{ZONES - 1}.test")
    started_s = time.monotonic()
    with server:
        answered_s = asker.until(lambda address: address is not None, START_S) - started_s
        server.until_ready()
        ready_s = time.monotonic() - started_s
        server.api().get("nodes/n9").raise_for_status()
        api_s = time.monotonic() - started_s
        asker.close()
    return [
        _one("start → first answer", "s", answered_s),
        _one("start → /readyz", "s", ready_s),
        _one("start → API answers", "s", api_s),
    ]


# --- Helpers ---


class Livez:
    """Asks /livez again and again while something else happens."""

    def __init__(self, server: Server) -> None:
        self._times_ms: list[float] = []
        self._ended = threading.Event()
        base = str(server.api().base_url).removesuffix("/api/v1/")
        self._client = httpx.Client(base_url=base, trust_env=False, timeout=START_S)
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Livez:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.close()

    def figures(self) -> list[Figure]:
        """How long /livez took."""
        what = "/livez meanwhile"
        return [Figure("scale", what, "ms", list(self._times_ms), HELD_MS, judged="p99"),
                _one(f"{what}, longest", "ms", max(self._times_ms))]  # fmt: skip

    def _ask(self) -> None:
        while not self._ended.wait(0.01):
            started_s = time.monotonic()
            self._client.get("/livez").raise_for_status()
            self._times_ms.append((time.monotonic() - started_s) * 1000)


def geodns(server: Server, *words: str | Path) -> str:
    """Run a command as a person would. Errors: RuntimeError with its words."""
    secret = server.api().headers["Authorization"].partition(" ")[2]
    base = str(server.api().base_url).removesuffix("/api/v1/")
    environment = os.environ | COMPILED | {"GEODNS_API": base, "GEODNS_TOKEN": secret}
    command = [str(COMMAND), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"geodns {words[0]}: {done.stderr[-1000:]}")
    return done.stdout


def cpu_s(server: Server) -> float:
    """CPU time of the server and of all commands so far."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in server.pids.values():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started_s = time.monotonic()
    work()
    return time.monotonic() - started_s


def _one(what: str, unit: str, value: float, promise: float | None = None) -> Figure:
    values: Sequence[float] = [value]
    return Figure("scale", what, unit, values, promise)

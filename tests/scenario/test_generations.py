"""Damaged generations are put before the judge of a running server: none is ever served.

The test speaks on control's own link, while control is stopped, as a publisher that has gone
wrong would: it writes ``manifest.next`` and sections, and says that they are to be published.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.damage import Damage
from support.server import Server, command_of, running_server, until

ROUNDS = 600
PIDFD_GETFD = 438  # of all architectures; Linux 5.6

ZONES = {"one.test": "192.0.2.1", "two.test": "192.0.2.2", "three.test": "192.0.2.3"}
NAMESERVERS = [{"name": "ns1.one.test.", "addresses": ["192.0.2.53"]}]

Manifest = dict[str, Any]


def configuration() -> dict[str, Any]:
    """Three zones with an address each, and one pool of two nodes."""
    zones = {
        name: {
            "nameservers": NAMESERVERS if name == "one.test" else ["ns1.one.test."],
            "steers": {"www": {"pool": "web"}},
            "rrsets": {"static": {"A": [address]}},
        }
        for name, address in ZONES.items()
    }
    place = {"lat": 50.0, "lon": 8.0}
    nodes = {f"n{i}": {"addresses": [f"198.51.100.{i}"], "location": place} for i in (1, 2)}
    return {"zones": zones, "nodes": nodes, "pools": {"web": {"nodes": ["n1", "n2"]}}}


class Judge:
    """The supervisor, asked over the link of control, which is stopped meanwhile."""

    def __init__(self, server: Server) -> None:
        self._control = server.pid_of("control")
        words = command_of(self._control).split(b"\0")
        descriptor = int(words[words.index(b"--link-fd") + 1])
        self._link = socket.socket(fileno=_descriptor_of(self._control, descriptor))
        self._link.setblocking(True)
        self._link.settimeout(20)
        self._rest = b""

    def __enter__(self) -> Judge:
        os.kill(self._control, signal.SIGSTOP)
        return self

    def __exit__(self, *_: object) -> None:
        self._link.setblocking(False)  # it is control's, too
        self._link.close()
        os.kill(self._control, signal.SIGCONT)

    def says(self, generation: int) -> Manifest:
        """The verdict on ``manifest.next``."""
        self._link.sendall(json.dumps({"publish": generation}).encode() + b"\n")
        while True:
            while b"\n" not in self._rest:
                self._rest += self._link.recv(65_536)
            line, _, self._rest = self._rest.partition(b"\n")
            told: Manifest = json.loads(line)
            if "refused" in told or "accepted" in told:
                return told


def _descriptor_of(pid: int, descriptor: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        mine = library.syscall(PIDFD_GETFD, pidfd, descriptor, 0)
    finally:
        os.close(pidfd)
    if mine < 0:
        pytest.skip(f"no descriptor of another process: {os.strerror(ctypes.get_errno())}")
    return int(mine)


class Asker(threading.Thread):
    """Asks for all that must stay as it is, again and again."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._ended = threading.Event()
        self.asked = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._ended.is_set():
            for zone, address in ZONES.items():
                self._ask(f"static.{zone}", {address})
                self._ask(f"www.{zone}", {"198.51.100.1", "198.51.100.2"})

    def _ask(self, name: str, allowed: set[str]) -> None:
        try:
            found = self._server.addresses(name, timeout_s=10)
        except Exception as error:
            self.wrong.append(f"{name}: {error!r}")
            return
        self.asked += 1
        if not found or not found <= allowed:
            self.wrong.append(f"{name}: {found}")

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def injected(directory: Path) -> Iterator[tuple[Server, Damage]]:
    """A running server of several generations, and what can be done to the next."""
    with running_server(directory, workers=2) as server:
        server.apply(configuration())
        # Emptied by force once, to have whole sections of which too much is gone.
        why = "?wait=true&force=true&reason=test"
        for path in ("steers/www", "rrsets/static/A"):
            server.request("DELETE", f"zones/three.test/{path}{why}")
        server.request("PUT", f"pools/web{why}", {"select": {"no": "such"}})
        emptied = json.loads((server.data / "manifest").read_bytes())
        sections = {e["hash"]: (server.data / "snapshot" / e["hash"]).read_bytes()
                    for e in emptied["sections"]}  # fmt: skip
        server.apply(configuration())
        damage = Damage(server.data, list(ZONES), seed=2026)
        for digest, octets in sections.items():
            (server.data / "snapshot" / digest).write_bytes(octets)
        damage.keep_emptied(emptied)
        yield server, damage


def run(directory: Path, rounds: int) -> tuple[Counter[str], int]:
    """Inject so many; how many by way were refused, and how many questions were answered."""
    refused: Counter[str] = Counter()
    with injected(directory) as (server, damage):
        served = server.page()[2]
        asker = Asker(server)
        asker.start()
        with Judge(server) as judge:
            ways = list(damage.ways)
            for number in range(rounds):
                way = ways[number % len(ways)]
                told = judge.says(damage.inject(way))
                damage.clear()
                assert "refused" in told, f"{way} was accepted in round {number}"
                refused[way] += 1
            assert [server.page(worker)[2] for worker in (0, 1)] == [served, served]
        asker.end()
        assert not asker.wrong, asker.wrong[:5]
        good = json.loads((server.data / "manifest").read_bytes())
        assert good == damage.good, "the good manifest was touched"
        server.api("PUT", "zones/two.test/rrsets/static/A?wait=true", {"values": ["192.0.2.99"]})
        until(lambda: server.addresses("static.two.test") == {"192.0.2.99"})
        assert server.page()[2] > served
        assert not server.logged("Traceback")
    return refused, asker.asked


def test_no_damaged_generation_is_served_and_the_next_good_one_is(tmp_path: Path) -> None:
    refused, asked = run(tmp_path, ROUNDS)
    assert sum(refused.values()) == ROUNDS
    assert asked > 10

"""Nodes that can really fail: one process each, on a loopback address of its own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.ask import Asker
from tests.bench.fleet import ZONE, Document, document
from tests.bench.server import Server

SCRIPT = Path(__file__).with_name("node.py")
STANDBY = "127.0.2.1"
START_S = 5.0


class Node:
    """A node's process. It keeps its port over a restart, and its freezes are ended with it."""

    def __init__(self, address: str, port: int, mode: str = "up") -> None:
        self.address = address
        self._port = port
        self._command = [sys.executable, "-S", str(SCRIPT), address, str(port), mode]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        end_s = time.monotonic() + START_S
        while not _listens(self.address, self._port):
            if time.monotonic() > end_s:
                raise TimeoutError(f"node {self.address} does not listen")
            time.sleep(0.01)

    def kill(self) -> float:
        """SIGKILL; returns when. Units: seconds of time.monotonic()."""
        assert self._process is not None
        killed_s = time.monotonic()
        self._process.kill()
        self._process.communicate()
        return killed_s

    def freeze(self) -> float:
        """SIGSTOP: connections are still accepted by the kernel, nothing is answered."""
        assert self._process is not None
        frozen_s = time.monotonic()
        self._process.send_signal(signal.SIGSTOP)
        return frozen_s

    def thaw(self) -> None:
        """End a freeze."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def replies(self) -> list[tuple[int, float]]:
        """End it; returns the status of each reply it sent, and when in seconds."""
        assert self._process is not None
        self._process.kill()
        output, _ = self._process.communicate()
        pairs = (line.split() for line in output.splitlines())
        return [(int(status), int(sent_ns) / 1e9) for status, sent_ns in pairs]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ValueError):  # its output is already closed
                self.kill()


def watched(nodes: list[Node], monitor: dict[str, Any]) -> Document:
    """A steered name for each node: the node while it is up, else the standby."""
    bodies: dict[str, Any] = {
        f"n{number}": {"addresses": [node.address], "location": {"lat": 0, "lon": 0}}
        for number, node in enumerate(nodes)
    }
    bodies["standby"] = {"addresses": [STANDBY], "location": {"lat": 0, "lon": 0}}
    pools = {
        f"p{number}": {"nodes": [f"n{number}", "standby"], "order": "listed", "monitor": "web"}
        for number in range(len(nodes))
    }
    zone = {
        "nameservers": [{"name": f"ns1.{ZONE}.", "addresses": ["192.0.2.53"]}],
        "steers": {f"w{number}": {"pool": f"p{number}"} for number in range(len(nodes))},
    }
    return document(zone, bodies, pools, monitors={"web": monitor})


def askers(server: Server, count: int) -> list[Asker]:
    """One for each node's steered name."""
    return [Asker(server.dns, f"w{number}.{ZONE}") for number in range(count)]


def _listens(address: str, port: int) -> bool:
    """Whether somebody listens there, without connecting: a node counts what it is asked."""
    wanted = f"{int.from_bytes(bytes(map(int, address.split('.'))), 'little'):08X}:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines)

"""The checker's own network is cut: in namespaces of its own, with real packets."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from geodns.health.journal import Journal, What
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import Entry, Manifest, write_manifest
from geodns.snapshot.section import Kind, content_hash, encode
from geodns.snapshot.status import StatusTable, Verdict, create_table

NODES, PORT, CUT_S = 6, 8080, 6.0
EDGES = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Wire:
    """Two network namespaces and a cable: the edge nodes in one, the checker in the other."""

    def __init__(self) -> None:
        hold = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"]
        self.edges, self.checker = (
            subprocess.Popen(hold, stdout=subprocess.PIPE) for _ in range(2)
        )
        for namespace in (self.edges, self.checker):
            assert namespace.stdout is not None
            namespace.stdout.readline()
        there = str(self.checker.pid)
        self.edge("link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", there)
        for number in range(NODES):
            self.edge("address", "add", f"10.99.0.{number + 1}/24", "dev", "cable0")
        self.check("address", "add", "10.99.0.100/24", "dev", "cable1")
        self.edge("link", "set", "cable0", "up")
        self.check("link", "set", "cable1", "up")

    def edge(self, *command: str) -> None:
        _ip(self.edges, *command)

    def check(self, *command: str) -> None:
        _ip(self.checker, *command)

    def close(self) -> None:
        for namespace in (self.edges, self.checker):
            namespace.kill()
            namespace.wait()


def within(namespace: subprocess.Popen[bytes], *command: str) -> list[str]:
    return ["nsenter", f"--net=/proc/{namespace.pid}/ns/net", *command]


def _ip(namespace: subprocess.Popen[bytes], *command: str) -> None:
    subprocess.run(within(namespace, "ip", *command), check=True, env={"PATH": PATH})


@pytest.fixture
def wire() -> Iterator[Wire]:
    if any(shutil.which(name, path=PATH) is None for name in ("unshare", "nsenter", "ip")):
        pytest.skip("unshare, nsenter or ip is not installed")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("making a network namespace needs privileges")
    wire = Wire()
    try:
        yield wire
    finally:
        wire.close()


def publish(data_dir: Path) -> None:
    monitor = Monitor(type="http", port=PORT, interval_s=1, timeout_s=0.5)
    targets = [
        {"slot": n, "tag": 7, "address": f"10.99.0.{n + 1}", "monitor": "web", "nodes": [f"n{n}"]}
        for n in range(NODES)
    ]
    body = {"targets": targets, "monitors": {"web": monitor.model_dump()}}
    octets = encode(Kind.TARGETS, {"json": json.dumps(body).encode()})
    (data_dir / "snapshot").mkdir(parents=True)
    (data_dir / "snapshot" / content_hash(octets)).write_bytes(octets)
    entry = Entry(Kind.TARGETS, "targets", content_hash(octets), len(octets))
    write_manifest(data_dir, Manifest(1, "2026-11-23T00:00:00Z", (entry,)))


@pytest.fixture
def table(wire: Wire, tmp_path: Path) -> Iterator[StatusTable]:
    """The status table of a health process in the checker's namespace, once all nodes are up."""
    publish(tmp_path)
    create_table(tmp_path / "status", NODES)
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "geodns.health.process", "--data-dir", str(tmp_path)]
    command += ["--runtime-dir", str(tmp_path), "--link-fd", str(theirs.fileno())]
    edges = subprocess.Popen(within(wire.edges, sys.executable, "-c", EDGES))
    time.sleep(0.5)
    with (tmp_path / "log").open("ab") as log:
        health = subprocess.Popen(
            within(wire.checker, *command), pass_fds=[theirs.fileno()], stderr=log
        )
    theirs.close()
    try:
        table = StatusTable(tmp_path / "status")
        end_s = time.monotonic() + 20
        while verdicts(table) != [Verdict.UP] * NODES:
            assert time.monotonic() < end_s, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield table
    finally:
        ours.close()
        for process in (health, edges):
            process.kill()
            process.wait()


def verdicts(table: StatusTable) -> list[Verdict]:
    return [table.word(slot, 7).verdict for slot in range(NODES)]


def all_up_for(table: StatusTable, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        assert verdicts(table) == [Verdict.UP] * NODES
        time.sleep(0.002)


@pytest.mark.parametrize("how", ["the cable is pulled", "replies are lost"])
def test_a_cut_changes_no_answer_and_raises_one_alarm(
    wire: Wire, table: StatusTable, tmp_path: Path, how: str
) -> None:
    all_up_for(table, 1)
    if how == "the cable is pulled":
        wire.check("link", "set", "cable1", "down")
    else:
        wire.edge("route", "add", "blackhole", "10.99.0.100/32")
    all_up_for(table, CUT_S)
    if how == "the cable is pulled":
        wire.check("link", "set", "cable1", "up")
    else:
        wire.edge("route", "delete", "blackhole", "10.99.0.100/32")
    all_up_for(table, 4)
    told = [record.what for record in Journal(tmp_path / "journal").since(0)]
    assert told == [What.TRANSITION] * NODES + [What.ALARM, What.RELIEF]
    assert "perhaps it is me: 6 of 6 targets in 6 sites" in (tmp_path / "log").read_text()


def test_one_dead_node_falls_as_ever(wire: Wire, table: StatusTable) -> None:
    wire.edge("address", "delete", f"10.99.0.{NODES}/24", "dev", "cable0")
    started_s = time.monotonic()
    while verdicts(table)[-1] is not Verdict.DOWN:
        assert time.monotonic() - started_s < 10
        time.sleep(0.01)
    assert verdicts(table)[:-1] == [Verdict.UP] * (NODES - 1)

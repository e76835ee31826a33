"""The health process for real: a server dies and comes back, the process is killed, and so on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.patience import PATIENCE_S, Stopwatch, within
from support.server import free_port, until

from geodns.health.journal import Journal
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import Entry, Manifest, write_manifest
from geodns.snapshot.section import Kind, content_hash, encode
from geodns.snapshot.status import StatusTable, Verdict, create_table

TAG = 41

WEB_SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class World:
    """A data directory, a status table, an edge server and the health process over them."""

    def __init__(self, directory: Path) -> None:
        self.data_dir, self.runtime_dir = directory / "data", directory / "run"
        (self.data_dir / "snapshot").mkdir(parents=True)
        self.runtime_dir.mkdir()
        create_table(self.runtime_dir / "status", 16)
        self.table = StatusTable(self.runtime_dir / "status")
        self.port = free_port()
        self.edge: subprocess.Popen[bytes] | None = None
        self.health: subprocess.Popen[bytes] | None = None
        self.log = directory / "log"

    def start_edge(self) -> None:
        self.edge = subprocess.Popen([sys.executable, "-c", WEB_SERVER, str(self.port)])
        until(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0)

    def kill_edge(self) -> None:
        assert self.edge is not None
        self.edge.kill()
        self.edge.wait()
        self.edge = None

    def publish(self, generation: int, slots: int = 1, **fields: Any) -> None:
        monitor = Monitor.model_validate(
            {"type": "http", "port": self.port, "interval_s": 1.0} | fields
        )
        target = {"tag": TAG, "probe_address": "127.0.0.1", "monitor": "web", "nodes": ["fra1"]}
        targets = [
            target | {"slot": slot, "address": f"127.0.0.{slot + 1}"} for slot in range(slots)
        ]
        body = {"targets": targets, "monitors": {"web": monitor.model_dump()}}
        octets = encode(Kind.TARGETS, {"json": json.dumps(body).encode()})
        (self.data_dir / "snapshot" / content_hash(octets)).write_bytes(octets)
        entry = Entry(Kind.TARGETS, "targets", content_hash(octets), len(octets))
        write_manifest(self.data_dir, Manifest(generation, "2026-11-23T00:00:00Z", (entry,)))

    def start_health(self) -> None:
        self.link, theirs = socket.socketpair()
        self.link.settimeout(PATIENCE_S)
        self.lines = self.link.makefile("rb")
        command = [sys.executable, "-m", "geodns.health.process"]
        command += ["--data-dir", str(self.data_dir), "--runtime-dir", str(self.runtime_dir)]
        with self.log.open("ab") as log, theirs:
            self.health = subprocess.Popen(
                [*command, "--link-fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stderr=log,
            )

    def accept(self, generation: int) -> None:
        self.link.sendall(json.dumps({"generation": generation}).encode() + b"\n")

    def await_message(self, key: str) -> dict[str, Any]:
        for line in self.lines:
            message: dict[str, Any] = json.loads(line)
            if key in message:
                return message
        raise AssertionError(f"the link ended before {key!r}: {self.log.read_text()}")

    def verdict(self, slot: int = 0) -> Verdict:
        return self.table.word(slot, TAG).verdict

    def close(self) -> None:
        for process in (self.edge, self.health):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_a_killed_server_is_out_within_two_and_a_half_seconds_and_comes_back(
    world: World,
) -> None:
    world.start_edge()
    world.publish(5)
    world.start_health()
    assert world.await_message("ready") == {"ready": True, "generation": 5}
    assert world.verdict() is Verdict.UP

    world.kill_edge()
    within(2.5, lambda: world.verdict() is Verdict.DOWN)
    assert world.table.word(0, TAG).unsettled
    assert world.table.note(0).reason == "connection refused"

    world.start_edge()
    within(2.5, lambda: world.verdict() is Verdict.UP)
    log = world.log.read_text()
    assert "web 127.0.0.1 (fra1): up -> down after" in log
    within(2.5, lambda: "web 127.0.0.1 (fra1): down -> up after" in world.log.read_text())


def test_ready_waits_for_the_burst_of_a_dead_server(world: World) -> None:
    world.publish(1)
    world.start_health()
    world.await_message("ready")
    assert world.verdict() is Verdict.DOWN


def test_the_heart_beats_every_second_even_with_nothing_to_watch(world: World) -> None:
    world.start_health()
    world.await_message("heartbeat")
    watch = Stopwatch()
    for _ in range(3):
        world.await_message("heartbeat")
    assert watch.elapsed_s > 1.5
    assert watch.fair_s < 4


def test_a_generation_is_watched_when_it_is_accepted(world: World) -> None:
    world.start_edge()
    world.start_health()
    world.await_message("heartbeat")
    world.publish(3)
    world.accept(3)
    assert world.await_message("ready")["generation"] == 3
    world.publish(4, slots=2)
    world.accept(4)
    within(2, lambda: world.verdict(1) is Verdict.UP)
    assert world.verdict(0) is Verdict.UP


def test_a_spoilt_generation_leaves_the_last_one_watched(world: World) -> None:
    world.start_edge()
    world.publish(1)
    world.start_health()
    world.await_message("ready")
    world.publish(2, slots=2)
    for section in (world.data_dir / "snapshot").iterdir():
        section.write_bytes(b"spoilt")
    world.accept(2)
    world.link.sendall(b"garbage\n")
    world.kill_edge()
    within(2.5, lambda: world.verdict() is Verdict.DOWN)
    log = world.log.read_text()
    assert log.count("going on with the last") == 1
    assert "not understood on the link" in log


def test_the_end_of_the_link_ends_the_process_at_once(world: World) -> None:
    world.publish(1)
    world.start_health()
    world.await_message("heartbeat")
    assert world.health is not None
    world.lines.close()
    world.link.close()
    health = world.health
    within(1, lambda: health.poll() is not None, "it goes on")
    assert health.returncode == 0


def test_verdicts_outlive_the_process_and_the_table(world: World) -> None:
    world.publish(1, interval_s=5.0)
    world.start_health()
    world.await_message("ready")
    assert world.health is not None
    world.health.send_signal(signal.SIGTERM)
    assert world.health.wait(PATIENCE_S) == 0
    os.unlink(world.runtime_dir / "status")
    create_table(world.runtime_dir / "status", 16)
    world.table = StatusTable(world.runtime_dir / "status")
    assert world.verdict() is Verdict.UNKNOWN
    world.start_health()
    until(lambda: world.table.note(0).checked_ms > 0)
    assert world.verdict() is Verdict.DOWN


def test_a_killed_process_leaves_its_words_and_the_next_one_keeps_them(world: World) -> None:
    world.publish(1)
    world.start_health()
    world.await_message("ready")
    assert world.health is not None
    world.health.kill()
    world.health.wait()
    (world.data_dir / "verdicts").unlink(missing_ok=True)
    world.start_health()

    def taken_over() -> bool:
        assert world.verdict() is Verdict.DOWN
        return world.log.read_text().count("watching 1 targets") == 2

    until(taken_over)
    assert world.table.note(0).reason == "as before the restart"


def test_a_full_disk_stops_no_check(world: World) -> None:
    world.start_edge()
    world.publish(1)
    (world.data_dir / "verdicts.new").mkdir()  # cannot be opened for writing, as on a full disk
    world.start_health()
    world.await_message("ready")
    until(lambda: "verdicts cannot be saved, checks go on" in world.log.read_text())
    world.kill_edge()
    within(2.5, lambda: world.verdict() is Verdict.DOWN)


def test_changes_ring_and_questions_are_answered(world: World) -> None:
    world.start_edge()
    world.publish(1)
    world.start_health()
    world.await_message("ready")
    world.kill_edge()
    until(lambda: world.verdict() is Verdict.DOWN)
    following = world.await_message("journal")["journal"]
    while following < 3:
        following = world.await_message("journal")["journal"]
    up, down = Journal(world.runtime_dir / "journal").since(1)
    assert (up.after, down.after, down.reason) == (Verdict.UP, Verdict.DOWN, "connection refused")
    ask = {"ask": {"id": 5, "targets": [["127.0.0.1", "web"]]}}
    world.link.sendall(json.dumps(ask).encode() + b"\n")
    told = world.await_message("told")["told"]
    assert told["id"] == 5
    (target,) = told["targets"]
    assert (target["state"], target["last"]["passed"]) == ("down", False)
    assert [change["after"] for change in target["transitions"]] == ["up", "down"]


def test_a_verdict_can_be_pushed(world: World) -> None:
    world.publish(1, type="push", lease_s=30, port=None)
    world.start_health()
    world.await_message("ready")
    push = {"monitor": "web", "node": "fra1", "state": "down", "lease_s": 20, "reason": "full"}
    world.link.sendall(json.dumps({"push": push | {"state": "sick"}}).encode() + b"\n")
    world.link.sendall(json.dumps({"push": push}).encode() + b"\n")
    until(lambda: world.verdict() is Verdict.DOWN)
    assert world.table.note(0).reason == "full"
    assert "not understood on the link" in world.log.read_text()
    assert world.health is not None
    world.health.send_signal(signal.SIGTERM)
    assert world.health.wait(PATIENCE_S) == 0
    world.start_health()
    world.await_message("ready")
    assert world.verdict() is Verdict.DOWN

"""The parts of the health process that need no process."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from geodns.health import process
from geodns.health.floodgate import LINES_MAX, LINES_PERIOD_S, FloodGate
from geodns.health.probes.local import Local
from geodns.model.monitor import Monitor
from geodns.snapshot.manifest import Entry, Manifest, write_manifest
from geodns.snapshot.section import Kind, content_hash, encode
from geodns.snapshot.status import StatusTable, Verdict, create_table


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("geodns.health", logging.INFO, "", 0, "%s", (text,), None)


def test_a_flood_of_lines_is_held_back_and_counted() -> None:
    now_s = 0.0
    gate = FloodGate(lambda: now_s)
    assert sum(gate.filter(record("x")) for _ in range(LINES_MAX + 500)) == LINES_MAX
    now_s = LINES_PERIOD_S
    later = record("100 % well")
    assert gate.filter(later)
    assert later.getMessage() == "100 % well (before this, 500 lines held back)"
    calm = record("y")
    gate.filter(calm)
    assert calm.getMessage() == "y"


def publish(data_dir: Path, port: int) -> None:
    """A generation with one target whose checks take long."""
    monitor = Monitor(type="http", port=port, timeout_s=30)
    target = {"slot": 0, "tag": 7, "address": "127.0.0.1", "monitor": "web"}
    body = {"targets": [target], "monitors": {"web": monitor.model_dump()}}
    octets = encode(Kind.TARGETS, {"json": json.dumps(body).encode()})
    (data_dir / "snapshot").mkdir()
    (data_dir / "snapshot" / content_hash(octets)).write_bytes(octets)
    entry = Entry(Kind.TARGETS, "targets", content_hash(octets), len(octets))
    write_manifest(data_dir, Manifest(1, "2026-11-23T00:00:00Z", (entry,)))


def test_ready_comes_even_when_a_first_verdict_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "FIRST_ROUND_MAX_S", 0.2)
    create_table(tmp_path / "status", 4)

    async def scene(port: int) -> dict[str, object]:
        ours, theirs = socket.socketpair()
        publish(tmp_path, port)
        running = asyncio.create_task(process.run(tmp_path, tmp_path, theirs, Local()))
        reader, writer = await asyncio.open_connection(sock=ours)
        async with asyncio.timeout(5):
            while "ready" not in (message := json.loads(await reader.readline())):
                pass
            writer.close()
            await running
        return dict(message)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = asyncio.run(scene(silent.getsockname()[1]))
    assert message == {"ready": True, "generation": 1}
    assert StatusTable(tmp_path / "status").word(0, 7).verdict is Verdict.UNKNOWN


def started(directory: Path, link_fd: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "geodns.health.process", "--data-dir", str(directory)]
    command += ["--runtime-dir", str(directory), "--link-fd", str(link_fd)]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        pass_fds=[link_fd],
        timeout=30,
    )


def test_without_a_status_table_there_is_one_clear_line(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = started(tmp_path, theirs.fileno())
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert f"Status table {tmp_path}/status cannot be mapped" in done.stderr


def test_a_link_that_is_no_socket_is_a_wrong_argument(tmp_path: Path) -> None:
    done = started(tmp_path, 0)
    assert done.returncode == 2
    assert "--link-fd 0 is not a socket" in done.stderr


def test_the_process_loads_neither_api_nor_compile_code() -> None:
    code = "import geodns.health.process, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "apscheduler.schedulers.asyncio" in loaded
    assert not loaded & {"fastapi", "numpy", "scipy", "geodns.api", "geodns.store"}

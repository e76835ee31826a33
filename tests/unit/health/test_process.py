"""The parts of the health process that need no process."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path

from geodns.health.process import LINES_MAX, LINES_PERIOD_S, FloodGate


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

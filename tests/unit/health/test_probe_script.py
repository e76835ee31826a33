"""Script probes run real programs, in bounds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

TIMEOUT_S = 0.5


def program(directory: Path, text: str, name: str = "check") -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def observe(scripts_dir: Path | None, *argv: str) -> Observation:
    monitor = Monitor(type="script", argv=argv or ("check",), timeout_s=TIMEOUT_S)
    started_s = time.monotonic()
    seen = asyncio.run(ProbeMaker(Local(scripts_dir))("127.0.0.1", monitor).observe())
    assert time.monotonic() - started_s < TIMEOUT_S + 0.3
    return seen


@pytest.mark.parametrize(
    ("text", "passed", "reason"),
    [
        ("echo all is well; echo more", True, "exit code 0: all is well"),
        ("echo broken >&2; exit 3", False, "exit code 3: broken"),
        ("exit 1", False, "exit code 1"),
        ("kill -9 $$", False, "ended by signal 9"),
        ("echo to $1, $GEODNS_ADDRESS", True, "exit code 0: to at 127.0.0.1, 127.0.0.1"),
        ("echo [$HOME$USER$VIRTUAL_ENV]", True, "exit code 0: []"),
        ("printf 'a\\033[2Jb'", True, "exit code 0: a?[2Jb"),
        ("sleep 9", False, "no end of the script in 0.5 s"),
        ("cat", True, "exit code 0"),
        ("ls /proc/self/fd | wc -l", True, "exit code 0: 4"),
        ("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", False,
         "the script prints over 65536 octets"),
    ],
)  # fmt: skip
def test_the_exit_code_judges_and_the_first_line_tells(
    tmp_path: Path, text: str, passed: bool, reason: str
) -> None:
    program(tmp_path, text)
    seen = observe(tmp_path, "check", "at {address}")
    assert (seen.passed, seen.reason) == (passed, reason)
    assert not seen.unable


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    program(tmp_path, 'echo "$1"')
    assert observe(tmp_path, "check", "$(touch ran); `touch ran`").passed
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["sleep 60 & echo $! > child; wait", "sleep 60 & echo $! > child"])
def test_what_a_script_leaves_behind_is_ended_with_it(tmp_path: Path, text: str) -> None:
    program(tmp_path, text)
    observe(tmp_path)
    child = int((tmp_path / "child").read_text())
    end_s = time.monotonic() + 2
    while _runs(child) and time.monotonic() < end_s:
        time.sleep(0.01)
    assert not _runs(child)


@pytest.mark.parametrize("name", ["gone", "../outside/check", "/bin/true", ".", "plain"])
def test_only_programs_of_the_directory_are_run(tmp_path: Path, name: str) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for directory in (inside, outside):
        directory.mkdir()
        program(directory, "true")
    (inside / "plain").write_text("no program")
    seen = observe(inside, name)
    assert seen.unable
    assert seen.reason == f"there is no program {name} in the directory scripts_dir"


def test_scripts_are_off_unless_a_local_setting_allows_them() -> None:
    seen = observe(None)
    assert seen.unable
    assert "scripts_dir" in seen.reason


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False

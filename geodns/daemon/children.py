"""Child processes: started, watched by a pid descriptor and a heartbeat, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from geodns.daemon.link import pair

RESTART_S = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses before successive restarts. Source: a first crash is back at once; one that goes on
crashing is tried once a second."""

WORKER_RESTART_S = (0.0, 0.05, 0.1)
"""The same of workers. Source: 250 ms to the first answer, however often somebody makes one
crash; a fork takes some 10 ms, so trying ten times a second costs a tenth of a core."""

STABLE_S = 10.0
"""A child that has lived this long starts counting its crashes anew."""

Start = Callable[[], int]
"""Starts the process and returns its pid."""


class Child:
    """One process of the supervisor's."""

    def __init__(self, name: str, start: Start, pauses_s: Sequence[float] = RESTART_S) -> None:
        self.name = name
        self.pid = 0
        self.pidfd = -1
        self.due_s = 0.0
        self._start = start
        self._pauses_s = pauses_s
        self.starts = 0
        self._crashes = 0
        self._born_s = 0.0

    @property
    def running(self) -> bool:
        """Whether it has been started and not been reaped."""
        return self.pid != 0

    def start(self) -> None:
        """Start it now."""
        self.pid = self._start()
        self.starts += 1
        self.pidfd = os.pidfd_open(self.pid)
        self._born_s = time.monotonic()

    def reap(self) -> str:
        """Collect an ended process, plan its restart, and say how it ended."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        code = os.waitstatus_to_exitcode(status)
        now_s = time.monotonic()
        if now_s - self._born_s > STABLE_S:
            self._crashes = 0
        pause_s = self._pauses_s[min(self._crashes, len(self._pauses_s) - 1)]
        self._crashes += 1
        self.due_s = now_s + pause_s
        pid, self.pid, self.pidfd = self.pid, 0, -1
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        return f"{self.name} (process {pid}) ended {how}; restart in {pause_s:g} s"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def wait(self, until_s: float) -> None:
        """Reap it once it has ended; kill it if that takes too long."""
        while self.running:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                os.close(self.pidfd)
                self.pid, self.pidfd = 0, -1
                return
            if time.monotonic() > until_s:
                self.signal(signal.SIGKILL)
                until_s = float("inf")
            time.sleep(0.005)


class Suspects:
    """Processes without a heartbeat for ``wedged_s``, who have ``grace_s`` more to show one."""

    def __init__(self, wedged_s: float, grace_s: float) -> None:
        self._wedged_s = wedged_s
        self._grace_s = grace_s
        self._since_s: dict[int, float] = {}

    def to_replace(self, pid: int, age_s: float, now_s: float) -> bool:
        """Whether a process is to be replaced, its last heartbeat being so old."""
        if age_s <= self._wedged_s:
            self._since_s.pop(pid, None)
            return False
        if now_s - self._since_s.setdefault(pid, now_s) <= self._grace_s:
            return False
        del self._since_s[pid]
        return True


def spawn(command: Sequence[str], inherited: Sequence[int]) -> tuple[int, socket.socket]:
    """Start a Python module with one end of a new link; its pid, and our end."""
    ours, theirs = pair()
    with theirs:
        link = str(theirs.fileno())
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--link-fd", link],
            pass_fds=(theirs.fileno(), *inherited),
            stdin=subprocess.DEVNULL,
        )
    process.returncode = 0  # it is reaped by its pid descriptor like all others
    return process.pid, ours

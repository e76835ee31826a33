"""Processes from outside: who belongs to whom, on which core, with how much memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
SERVER_CORE, OTHER_CORE = 0, 1
PRECEDENCE = -20
"""Nice value. Source: sched(7), the highest there is."""

ROLES = {
    "geodns.health.process": "health",
    "geodns.daemon.control": "control",
    "geodns.snapshot.compiler": "compiler",
}


def family(supervisor: int) -> dict[str, int]:
    """The processes of one server by role, the supervisor first; of several workers one."""
    return {_role(pid): pid for pid in reversed(descendants(supervisor))} | {
        "supervisor": supervisor
    }


def workers(supervisor: int) -> list[int]:
    """The workers of one server."""
    return [pid for pid in descendants(supervisor) if _role(pid) == "worker"]


def descendants(supervisor: int) -> list[int]:
    """The processes that a process has started, and those they have."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    left = [supervisor]
    while left:
        found += (started := children.get(left.pop(), []))
        left += started
    return found


def _parents() -> Iterable[tuple[int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:  # it has just ended
                continue
            yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


def _role(pid: int) -> str:
    words = (PROC / str(pid) / "cmdline").read_text()
    for mark, role in ROLES.items():
        if mark in words:
            return role
    return "worker"  # forked from the supervisor, so it has the same command line


def pin(pids: Iterable[int], core: int) -> None:
    """Keep processes, with all their threads, on one core."""
    for pid in pids:
        for task in (PROC / str(pid) / "task").iterdir():
            os.sched_setaffinity(int(task.name), {core})


def pin_serving(pid: int) -> None:
    """Keep the native engine's threads on the server's core, the process's others on the other."""
    for task in (PROC / str(pid) / "task").iterdir():
        is_serving = (task / "comm").read_text().startswith("geodns-")
        os.sched_setaffinity(int(task.name), {SERVER_CORE if is_serving else OTHER_CORE})


def take_precedence() -> None:
    """Run before the machine's other processes, where that is allowed: neighbours cost time
    that says nothing of a server. Processes started from here inherit it."""
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        (PROC / "self" / "autogroup").write_text(str(PRECEDENCE))
        os.nice(PRECEDENCE)


def memory_mb(pid: int) -> dict[str, float]:
    """Memory of a process by the kernel's names: Pss, Rss, Private_Dirty. Units: 10^6 octets."""
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): int(kilobytes) * 1024 / 1e6 for name, kilobytes, *_ in fields}


def waited_ms(pids: Iterable[int]) -> float:
    """How long threads that could have run waited for a core, all together, ever.

    Source: the second field of schedstat (Linux, Documentation/scheduler/sched-stats).
    """
    total_ns = 0
    for pid in pids:
        for task in (PROC / str(pid) / "task").iterdir():
            total_ns += int((task / "schedstat").read_text().split()[1])
    return total_ns / 1e6

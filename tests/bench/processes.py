"""Processes from outside: who belongs to whom, on which core, with how much memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
ROLES = {
    "geodns.health.process": "health",
    "geodns.daemon.control": "control",
    "multiprocessing.spawn": "compiler",
    "multiprocessing.resource_tracker": "resource tracker",
}


def family(supervisor: int) -> dict[str, int]:
    """The processes of one server by role, the supervisor first."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, left = {"supervisor": supervisor}, [supervisor]
    while left:
        for pid in children.get(left.pop(), []):
            found[_role(pid)] = pid
            left.append(pid)
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

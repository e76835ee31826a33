"""Metrics of the processes: workers' heartbeats, and what the system says of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from geodns.api.metrics import family

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_OCTETS = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def worker_metrics(workers: list[dict[str, Any]], stale_s: float) -> Iterator[Metric]:
    """Who lives, and what it serves."""
    seen = {str(each["number"]): each for each in workers}
    here = {number: each for number, each in seen.items() if "heartbeat_age_s" in each}
    up = {n: float(n in here and here[n]["heartbeat_age_s"] <= stale_s) for n in seen}
    yield family("geodns_worker_up", *(((n,), value) for n, value in up.items()))
    yield family(
        "geodns_worker_generation", *(((n,), each["generation"]) for n, each in here.items())
    )
    yield family(
        "geodns_worker_heartbeat_age_seconds",
        *(((n,), each["heartbeat_age_s"]) for n, each in here.items()),
    )
    totals = {
        name: sum(each["counters"][name] for each in here.values())
        for name in ("truncated", "tcp_open", "tcp_closed")
    }
    yield family("geodns_dns_truncated_total", ((), totals["truncated"]))
    yield family("geodns_dns_tcp_accepted_total", ((), totals["tcp_open"]))
    yield family("geodns_dns_tcp_connections", ((), totals["tcp_open"] - totals["tcp_closed"]))


def process_metrics(children: Mapping[str, Mapping[str, int]]) -> Iterator[Metric]:
    """What each process takes. Shape: by name, ``pid`` and how often it was started."""
    yield family(
        "geodns_process_starts_total",
        *(((name,), each["starts"]) for name, each in children.items() if "starts" in each),
    )
    found = {name: _usage(each["pid"]) for name, each in children.items() if each.get("pid")}
    for metric, at in (
        ("geodns_process_resident_memory_bytes", 0),
        ("geodns_process_cpu_seconds_total", 1),
        ("geodns_process_open_fds", 2),
    ):
        yield family(metric, *(((name,), each[at]) for name, each in found.items() if each))


def _usage(pid: int) -> tuple[float, float, float] | None:
    """Memory, CPU time and descriptors (proc(5)); None once it has ended."""
    with suppress(OSError, ValueError, IndexError):
        directory = PROC / str(pid)
        fields = (directory / "stat").read_text().rpartition(")")[2].split()
        resident = int((directory / "statm").read_text().split()[1]) * PAGE_OCTETS
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        return float(resident), cpu_s, float(len(os.listdir(directory / "fd")))
    return None

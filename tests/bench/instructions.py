"""Row instructions: what a query costs in user space, counted by callgrind.

Nothing shakes these figures, and they say nothing of caches and of the kernel. Both servers
take the default database here: under valgrind gdnsd reads a City-size one for minutes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.bench import peers
from tests.bench.blast import NXDOMAIN, STATIC, STEERED, Load, Target, blast
from tests.bench.changes import native_alone
from tests.bench.figures import Figure
from tests.bench.fleet import random_fleet
from tests.bench.processes import SERVER_CORE
from tests.bench.workshop import DEFAULT, Workshop

WORKLOADS: dict[str, Load] = {"steered": STEERED, "static": STATIC, "NXDOMAIN": NXDOMAIN}
PROMISED = 1.3
"""Times gdnsd's instructions."""

WINDOW_S = 2.0
OURS, THEIRS = "native", "gdnsd"


def run(workshop: Workshop) -> list[Figure]:
    """Instructions of both, and ours by theirs."""
    if shutil.which("valgrind") is None:
        return []
    counts: dict[str, list[float]] = {}
    with ExitStack() as stack:
        traces = workshop.fresh("callgrind")
        tool = ("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={traces}/%p")
        port, pid, _ = stack.enter_context(native_alone(workshop.prepared(DEFAULT), under=tool))
        servers: dict[str, Target] = {OURS: (port, pid)}
        if THEIRS in peers.installed():
            directory = workshop.directory / "peer-gdnsd"
            fleet, database = random_fleet(), workshop.bundled_db
            gdnsd = peers.peer(THEIRS, directory, database, fleet, SERVER_CORE, under=tool)
            servers[THEIRS] = stack.enter_context(gdnsd)
        for server, target in servers.items():
            counts[server] = [
                _instructions(workshop, traces, target, load) for load in WORKLOADS.values()
            ]
    return _figures(counts)


def _instructions(workshop: Workshop, traces: Path, target: Target, load: Load) -> float:
    pid = target[1]
    _control("--zero", pid)
    before = set(traces.iterdir())
    window = blast(workshop, target, load, WINDOW_S)
    _control("--dump", pid)
    [trace] = set(traces.iterdir()) - before
    [total] = re.findall(r"^totals: (\d+)", trace.read_text(), re.MULTILINE)
    return float(total) / (window["replies"] + window["warm_replies"])


def _control(order: str, pid: int) -> None:
    subprocess.run(["callgrind_control", order, str(pid)], capture_output=True, check=True)


def _figures(counts: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for number, workload in enumerate(WORKLOADS):
        if THEIRS in counts:
            ratio = counts[OURS][number] / counts[THEIRS][number]
            what = f"{workload}: {OURS} ÷ {THEIRS}"
            figures.append(Figure("instructions", what, "×", [ratio], PROMISED))
        figures += [
            Figure("instructions", f"{workload}: {server}", "", [each[number]])
            for server, each in counts.items()
        ]
    return figures

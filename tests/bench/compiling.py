"""Row compile: a database and a fleet become a generation.

Cold is a process of its own, from its exec, with imports and the reading of the database, as
at the very first start. Warm is the compile process at work, every node moved.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.workshop import CITY, DEFAULT, Workshop

REPEATS = {DEFAULT: 5, CITY: 2}
NODES = {DEFAULT: 100, CITY: 8}
COLD, CACHED, WARM = "cold process", "cold process, database cached", "warm, all nodes moved"
PROMISED_S = {
    DEFAULT: {COLD: 1.0, CACHED: 1.0, WARM: 1.0},
    CITY: {COLD: 10.0, CACHED: 1.0, WARM: 1.0},
}


def run(workshop: Workshop) -> list[Figure]:
    """Cold and warm, on the default database and on a City-size one."""
    figures = []
    for size, repeats in REPEATS.items():
        database = workshop.database(size) or workshop.bundled_db
        note = workshop.city_note if size == CITY else ""
        colds, cached, warms = [], [], []
        for _ in range(repeats):
            data_dir = workshop.fresh("compile")
            elapsed_s, _ = _child(database, data_dir, NODES[size])
            colds.append(elapsed_s)
            for path in (data_dir / "snapshot").iterdir():
                path.unlink()  # only the database's cached arrays stay
            elapsed_s, warm = _child(database, data_dir, NODES[size])
            cached.append(elapsed_s)
            warms += warm
        for what, values in (
            (COLD, colds),
            (CACHED, cached),
            (WARM, warms),
        ):
            promise, title = PROMISED_S[size][what], f"{size}, {NODES[size]} nodes: {what}"
            figures.append(Figure("compile", title, "s", values, promise, note=note))
    return figures


def _child(database: Path, data_dir: Path, nodes: int) -> tuple[float, list[float]]:
    """Seconds to the first generation since exec, and of each compile after it."""
    module = "tests.bench.compile_child"
    command = [sys.executable, "-m", module, str(database), str(data_dir), str(nodes)]
    started_s = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    first_s, *warm = json.loads(done.stdout)
    return first_s - started_s, warm

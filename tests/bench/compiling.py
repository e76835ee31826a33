"""Row compile: a database and a fleet of 100 nodes become a generation.

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
PROMISED_S = 1.0


def run(workshop: Workshop) -> list[Figure]:
    """Cold and warm, on the default database and, for information, a City-size one."""
    figures = []
    for size, repeats in REPEATS.items():
        database = workshop.database(size) or workshop.bundled_db
        promise = PROMISED_S if size == DEFAULT else None
        note = workshop.city_note if size == CITY else ""
        colds, cached, warms = [], [], []
        for _ in range(repeats):
            data_dir = workshop.fresh("compile")
            elapsed_s, _ = _child(database, data_dir)
            colds.append(elapsed_s)
            for path in (data_dir / "snapshot").iterdir():
                path.unlink()  # only the database's cached arrays stay
            elapsed_s, warm = _child(database, data_dir)
            cached.append(elapsed_s)
            warms += warm
        for what, values in (
            ("cold process", colds),
            ("cold process, database cached", cached),
            ("warm, all nodes moved", warms),
        ):
            figures.append(Figure("compile", f"{size}: {what}", "s", values, promise, note=note))
    return figures


def _child(database: Path, data_dir: Path) -> tuple[float, list[float]]:
    """Seconds to the first generation since exec, and of each compile after it."""
    command = [sys.executable, "-m", "tests.bench.compile_child", str(database), str(data_dir)]
    started_s = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    first_s, *warm = json.loads(done.stdout)
    return first_s - started_s, warm

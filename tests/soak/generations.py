"""Damaged generations before the judge of a running server, again and again: none is served."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from scenario.test_generations import run


def main(arguments: list[str]) -> int:
    """Exit code 1 if one was served, or a question went unanswered or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak generations")
    parser.add_argument("--rounds", type=int, default=100_000)
    rounds = parser.parse_args(arguments).rounds
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        try:
            refused, asked = run(Path(directory), rounds)
        except AssertionError as error:
            sys.stderr.write(f"generations: {error}\n")
            return 1
    elapsed_s = time.monotonic() - started_s
    sys.stdout.write(
        f"generations: {rounds} injected in {len(refused)} ways, none served; {asked} questions "
        f"meanwhile, none lost or wrong; {elapsed_s:.0f} s\n"
    )
    return 0

"""Everything is killed in a storm of writes, round after round: what was acknowledged is there."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from scenario.test_storm import Storm


def main(arguments: list[str]) -> int:
    """Exit code 1 if anything acknowledged was lost, or is not served."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak store")
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as directory:
        try:
            acknowledged = Storm(Path(directory)).run(rounds)
        except AssertionError as error:
            sys.stderr.write(f"store: {error}\n")
            return 1
    sys.stdout.write(f"store: {rounds} rounds, {acknowledged} writes acknowledged, none lost\n")
    return 0

"""This or that is killed in a storm of writes, round after round: all acknowledged is there."""

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
            storm = Storm(Path(directory))
            acknowledged = storm.run(rounds)
        except AssertionError as error:
            sys.stderr.write(f"store: {error}\n")
            return 1
    ways = ", ".join(f"{name} {count}" for name, count in storm.rounds.items())
    told = f"store: {rounds} rounds ({ways}), {acknowledged} writes acknowledged, none lost"
    sys.stdout.write(told + "\n")
    return 0

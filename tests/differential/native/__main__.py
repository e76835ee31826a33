"""``python -m tests.differential.native [--questions N] [--seed N]``: the long comparison."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # as tests/conftest.py does

from differential.native.compare import Outcome, play  # noqa: E402
from geodns.geo.world import load_world  # noqa: E402

DATABASE = HERE.parents[2] / "data" / "geodns-default.mmdb"
QUESTIONS_PER_PLAY = 36_000
TOLD_EVERY_S = 60


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 for a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.native", description=__doc__
    )
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    world = load_world(DATABASE, None)
    outcome, seed, started_s = Outcome(), options.seed, time.monotonic()
    told_s = started_s
    while outcome.asked < options.questions and not outcome.differences:
        with tempfile.TemporaryDirectory() as directory:
            play(Path(directory), world, seed, QUESTIONS_PER_PLAY, outcome)
        seed += 1
        if time.monotonic() - told_s > TOLD_EVERY_S:
            told_s = time.monotonic()
            sys.stdout.write(f"{outcome.asked} questions in {told_s - started_s:.0f} s\n")
            sys.stdout.flush()
    took_s = time.monotonic() - started_s
    lines = [
        f"{outcome.asked} questions to {outcome.generations} generations in {took_s:.0f} s, "
        f"{time.process_time():.0f} s of CPU; seeds {options.seed} to {seed - 1}; "
        f"{outcome.slots_reused} slots reused"
    ]
    lines += [f"{count:9} {kind}" for kind, count in sorted(outcome.kinds.items())]
    sys.stdout.write("\n".join([*lines, *outcome.differences, ""]))
    return 1 if outcome.differences else 0


if __name__ == "__main__":
    sys.exit(main())

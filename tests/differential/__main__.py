"""``python -m tests.differential [--questions N] [--seed N]``: the long comparison."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the helpers of tests/support are imported as ``support``

from differential.match import Outcome, play  # noqa: E402
from differential.peers import missing  # noqa: E402
from geodns.geo.world import load_world  # noqa: E402

DATABASE = HERE.parents[1] / "data" / "geodns-default.mmdb"
QUESTIONS_PER_WORLD = 2000
FAULTS_SHOWN = 3


def main() -> int:
    """Exit code 1 for a difference that is not explained, 2 without peers."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if missing():
        sys.stderr.write(f"not installed: {', '.join(missing())}; see .ci/test-tools\n")
        return 2
    geography = load_world(DATABASE, None)
    outcome, seed, started_s = Outcome(), options.seed, time.monotonic()
    while outcome.asked < options.questions:
        count = min(QUESTIONS_PER_WORLD, options.questions - outcome.asked)
        with tempfile.TemporaryDirectory() as directory:
            play(Path(directory), geography, seed, count, outcome)
        seed += 1
    sys.stdout.write(report(outcome, time.monotonic() - started_s))
    return 1 if outcome.faults else 0


def report(outcome: Outcome, took_s: float) -> str:
    """The figures, then the first differences that nothing explains."""
    classes = sorted(outcome.explained.items())
    lines = [
        f"{outcome.asked} questions, {outcome.compared} comparisons in {took_s:.0f} s",
        f"{outcome.truncated} of our replies over UDP were truncated",
        *(f"{count:8} {maker:5} {name}" for (name, maker), count in classes),
    ]
    for kind, found in outcome.faults.items():
        lines += [f"{len(found):8} NOT EXPLAINED: {' '.join(kind)}", *found[:FAULTS_SHOWN]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.differential.oracle [--questions N] [--seed N]``: the long comparison."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # as tests/conftest.py does

from differential.oracle.compare import DIFFERENCES_SHOWN, Outcome, play

QUESTIONS_PER_DOCUMENT = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 for a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.oracle", description=__doc__
    )
    parser.add_argument("--questions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    outcome, seed, started_s = Outcome(), options.seed, time.monotonic()
    with suppress(KeyboardInterrupt):  # what was found until then is told all the same
        while outcome.asked < options.questions and len(outcome.differences) < DIFFERENCES_SHOWN:
            play(seed, QUESTIONS_PER_DOCUMENT, outcome)
            seed += 1
    sys.stdout.write(report(outcome, time.monotonic() - started_s))
    return 1 if outcome.differences else 0


def report(outcome: Outcome, took_s: float) -> str:
    """The figures, then the differences."""
    lines = [
        f"{outcome.asked} questions to {outcome.settings} documents in {took_s:.0f} s;"
        f" {outcome.refused} more documents were refused"
    ]
    lines += [f"{count:9} {kind}" for kind, count in outcome.kinds.most_common()]
    return "\n".join([*lines, *outcome.differences, ""])


if __name__ == "__main__":
    sys.exit(main())

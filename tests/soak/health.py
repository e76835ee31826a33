"""``make soak SOAK_ARGS="health [OBSERVATIONS]"``: the pure rules against the oracle, at length.

A million random observations by default, as many votes and judgements, and 20,000 simulated
target-hours of random failures. Exit code 1 at the first difference.
"""

from __future__ import annotations

import time

from support import trials
from support.simulated import changed_hours

OBSERVATIONS = 1_000_000
TARGET_HOURS = 20_000
CHANGED_HOURS_PERCENT = 1.0
"""Source: the issue that asked for it."""


def main(arguments: list[str]) -> int:
    """Run all; says what it did."""
    wanted = int(arguments[0]) if arguments else OBSERVATIONS
    for name, trial in (
        ("observations", trials.live),
        ("votes", trials.vote),
        ("judgements", trials.doubt),
    ):
        started_s, seen, seed = time.monotonic(), 0, 0
        while seen < wanted:
            try:
                seen += trial(seed)
            except AssertionError as difference:
                print(f"{name}: {difference}")  # noqa: T201
                return 1
            seed += 1
        took_s = time.monotonic() - started_s
        print(f"{seen} {name}: no difference ({took_s:.0f} s)", flush=True)  # noqa: T201
    share = 100 * changed_hours(seed=1, hours=TARGET_HOURS, failing=0.1) / TARGET_HOURS
    print(f"one check in ten fails: {share:.2f} % of {TARGET_HOURS} target-hours change")  # noqa: T201
    return int(share > CHANGED_HOURS_PERCENT)

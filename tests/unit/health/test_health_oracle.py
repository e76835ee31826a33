"""The pure rules against the oracle; ``python -m tests.soak.health`` does ten times as many."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import health_oracle, trials

OBSERVATIONS = 100_000
BLOCKS = 10


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_observations_are_read_as_the_oracle_reads_them(block: int) -> None:
    seen, seed = 0, block * 1_000_000
    while seen < OBSERVATIONS // BLOCKS:
        seen += trials.live(seed)
        seed += 1


def test_random_votes_come_to_what_the_oracle_says() -> None:
    assert sum(trials.vote(seed) for seed in range(10_000)) == 40_000


def test_random_failures_are_blamed_as_the_oracle_blames_them() -> None:
    assert sum(trials.doubt(seed) for seed in range(20_000)) == 40_000


def test_the_oracle_knows_nothing_of_the_product() -> None:
    assert "import geodns" not in (text := Path(health_oracle.__file__).read_text())
    assert "from geodns" not in text

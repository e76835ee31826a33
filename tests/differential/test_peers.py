"""geodns, Knot DNS and NSD, asked the same about the same random zones, say the same.

``python -m tests.differential`` is the long form of this.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import dns.name
import pytest

from differential.explained import EXPLAINED
from differential.match import LEAVES_GLUE_OUT, Outcome, play, stage
from differential.peers import missing
from differential.questions import Question, questions
from differential.worlds import World, make_world
from geodns.geo.world import World as GeoWorld

QUESTIONS = 1000


@pytest.fixture(autouse=True)
def _needs_peers() -> None:
    if missing():
        what = f"not installed: {', '.join(missing())}; make test-tools installs them"
        assert os.environ.get("CI") != "true", what
        pytest.skip(what)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 8, 9])  # 9 has the root among its zones
def test_knot_and_nsd_say_the_same_or_it_is_explained(
    tmp_path: Path, tiny_world: GeoWorld, seed: int
) -> None:
    outcome = Outcome()
    play(tmp_path, tiny_world, seed, QUESTIONS, outcome)
    assert outcome.compared == 2 * QUESTIONS
    assert outcome.truncated
    assert dict(outcome.faults) == {}
    known = {LEAVES_GLUE_OUT, *(explained.name for explained in EXPLAINED)}
    assert {name for name, _ in outcome.explained} <= known


def test_the_comparison_notices_another_ttl_and_a_cut(tmp_path: Path, tiny_world: GeoWorld) -> None:
    ours, theirs = make_world(7), make_world(7)
    zone = theirs.zones[0]
    name = dns.name.from_text("noticed", zone.apex)
    ours.zones[0].put(name, "TXT", 30, ["text"])
    zone.put(name, "TXT", 300, ["text"])
    zone.put(dns.name.from_text("cut", zone.apex), "NS", 30, ["ns.far.invalid."])
    outcome = Outcome()
    with stage(tmp_path, tiny_world, ours, theirs) as match:
        match.play([Question(name, "TXT")], outcome)
        assert {kind[1:] for kind in outcome.faults} == {("answer",)}
        match.play([Question(dns.name.from_text("www.cut", zone.apex), "A")], outcome)
        assert any("authority" in kind for kind in outcome.faults)


def test_a_seed_makes_the_same_world_and_questions_again() -> None:
    def drawn(world: World) -> list[Question]:
        return list(questions(world, random.Random(1), 200))

    first, second = make_world(5), make_world(5)
    assert first == second
    assert drawn(first) == drawn(second)
    assert make_world(6) != first

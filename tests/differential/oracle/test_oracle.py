"""The product answers as the naive interpreter of the model does, and the judge can tell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from differential.oracle.compare import Outcome, play
from geodns.engine import steered, subject
from geodns.snapshot import places
from geodns.steering import choose, latency, rank, rendezvous, users

QUESTIONS = 500
SEEDS = 40
INTERPRETER = Path(__file__).parents[2] / "support" / "interpreter"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, SEEDS, 10))
def test_random_documents_are_answered_as_the_model_says(first: int) -> None:
    outcome = Outcome()
    for seed in range(first, first + 10):
        play(seed, QUESTIONS, outcome)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert outcome.settings >= 5
    assert outcome.kinds["undecided"] < outcome.asked / 50
    for kind in ("neighbour", "no data", "failing open", "several addresses", "no usable node"):
        assert outcome.kinds[kind] > 10, kind


def test_the_interpreter_imports_nothing_from_geodns() -> None:
    for path in INTERPRETER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in modules if name.split(".")[0] == "geodns"], path


MISTAKES: list[tuple[object, str, object]] = [
    (steered, "user_of", lambda value, version, bits: value),
    (rendezvous, "neg_log2", lambda h: 1),
    (choose, "weight_factor", lambda word: 255),
    (choose, "all_settled", lambda members, words: True),
    (choose, "shed_share", lambda member, words: 0),
    (choose, "_enough_up", lambda pool, words: True),
    (subject, "special_prefix_len", lambda value, family: 0),
    (subject, "fold", lambda value, length: None),
    (rank, "COARSE_REACH_KM", 0.0),
    (rank, "NEAREST", 3),
    (places, "bias_factor", lambda bias, symmetric: 1.0),
    (latency, "LEAD_MS", 5.0),
    (users, "_match", lambda region, of_code, by_country: -1),
]
"""What the judge must notice, were it so."""


@pytest.mark.parametrize(("module", "name", "otherwise"), MISTAKES)
def test_a_product_with_a_mistake_is_found_out(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, otherwise: object
) -> None:
    assert hasattr(module, name)
    monkeypatch.setattr(module, name, otherwise)
    outcome = Outcome()
    for seed in range(1, 40):
        play(seed, 60, outcome)
        if outcome.differences:
            return
    pytest.fail("nothing was noticed")

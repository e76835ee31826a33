"""What is looked for in replies, and that looking takes bounded time."""

from __future__ import annotations

import builtins
import random
import time
from typing import Any

import pytest

from geodns.health.probes.content import Body, Content
from geodns.health.probes.local import Unable
from geodns.model.expect import BODY_MAX_BYTES, Expect
from geodns.model.pattern import NoPatterns, compiled


def test_everything_that_is_expected_must_be_there() -> None:
    content = Content(Expect(body="a", body_hex="62", regex="c+$"))
    assert content.missing(b"abccc") == ""
    assert content.missing(b"bc") == "'a'"
    assert content.missing(b"ac") == "62"
    assert content.missing(b"abcd") == "a match of 'c+$'"


def test_a_body_is_found_wherever_its_pieces_are_cut() -> None:
    text = b"x" * 300 + b"needle" + b"y" * 300
    draw = random.Random(2)
    for _ in range(200):
        cuts = sorted(draw.sample(range(len(text)), 8))
        body = Body(Content(Expect(body="needle")))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert any(body.feed(piece) for piece in pieces)


def test_what_comes_after_64_kb_is_not_looked_at() -> None:
    body = Body(Content(Expect(body="ok")))
    assert body.feed(b"x" * (BODY_MAX_BYTES - 1) + b"ok")
    assert body.missing == "'ok'"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|b|ab)*" + "(a|b)" * 140,
        "(.*a){90}b",
        "(a?){400}b",
        "[a-q][^u-z]{13}x",
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    draw = random.Random(3)
    texts = (b"a" * BODY_MAX_BYTES, bytes(draw.choices(b"ab", k=BODY_MAX_BYTES)))
    started_s = time.process_time()
    try:
        found = compiled(pattern)
    except ValueError:  # too large is an answer, too
        return
    for text in texts:
        found.search(text)
    assert time.process_time() - started_s < 0.5


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing )"),
        (r"(?=ahead)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("((a?){100}){10}b", "compiles to"),
    ],
)
def test_a_pattern_without_a_bound_is_refused_in_words(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)")):
        compiled(pattern)


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kw: Any) -> Any:
        if name == "re2":
            raise ImportError(name)
        return real(name, *args, **kw)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoPatterns, match="pip install 'geodns\\[regex\\]'"):
        compiled("never compiled before")
    with pytest.raises(Unable, match="pip install"):
        Content(Expect(regex="nor this one")).missing(b"x")

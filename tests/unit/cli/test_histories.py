"""Who changed what, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Commands = Callable[..., Any]


@pytest.fixture
def changed(filled: Path, run: Commands) -> Path:
    """An API where one node's weight has been changed after the document."""
    assert run("node", "set", "fra1", "weight=7", "--reason", "new disk").code == 0
    return filled


def test_the_history_of_one_thing_has_its_changes_only(changed: Path, run: Commands) -> None:
    shown = run("history", "node", "fra1").out.splitlines()
    assert shown[0].startswith("revision 2  ")
    assert shown[0].endswith("admin  because: new disk")
    assert shown[1:3] == ["  ~ node fra1", "      weight: (default) → 7"]
    assert "  + node fra1" in shown
    assert "mil1" not in " ".join(shown)
    assert "by document prod" in " ".join(shown)


def test_the_whole_history_is_bounded(changed: Path, run: Commands) -> None:
    found = run("history", "--limit", "1", "-o", "json").data
    assert [entry["revision"] for entry in found] == [2]
    everything = run("history", "-o", "json").data
    assert [entry["revision"] for entry in everything] == [2, 1, None]


@pytest.mark.parametrize("words", [("nod", "fra1"), ("node",), ("rrset", "example.com", "mail")])
def test_who_is_no_one_is_told_how_to_name_one(
    filled: Path, run: Commands, words: tuple[str, ...]
) -> None:
    refused = run("history", *words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1


def test_revisions_are_listed_shown_and_restored(changed: Path, run: Commands) -> None:
    assert [each["revision"] for each in run("revision", "list", "-o", "json").data] == [2, 1]
    assert "weight: (default) → 7" in run("revision", "show", "2").out
    planned = run("revision", "restore", "1", "--plan")
    assert (planned.code, "weight: 7 → (default)" in planned.out) == (0, True)
    assert run("node", "show", "fra1", "-o", "json").data["weight"] == 7
    assert run("revision", "restore", "1").out == "revision 1 restored, revision 3\n"
    assert run("node", "show", "fra1", "-o", "json").data["weight"] == 100
    assert run("revision", "restore", "3").out == "nothing to change, revision 3\n"
    assert run("revision", "show", "99").code == 2


def test_the_audit_tells_and_is_verified(changed: Path, run: Commands) -> None:
    assert "~ node fra1" in run("audit").out
    verified = run("audit", "--verify")
    assert (verified.code, verified.out.startswith("sound")) == (0, True)
    head = run("audit", "--verify", "-o", "json").data["head"]
    assert len(head) == 64
    assert run("audit", "--verify", "--head", head).code == 0
    other = run("audit", "--verify", "--head", head[::-1])
    assert (other.code, "does not have this hash" in other.err) == (3, True)


def test_every_write_can_be_planned_first(filled: Path, run: Commands) -> None:
    for words in (
        ("node", "add", "lon1", "addresses=192.0.2.40", "at=LHR"),
        ("node", "set", "fra1", "weight=3"),
        ("rrset", "remove", "example.com", "mail", "A"),
        ("steer", "www.example.com", "--ttl", "60"),
    ):
        planned = run(*words, "--plan")
        assert (planned.code, planned.out.splitlines()[-1][:2]) == (0, "1 "), words
    assert run("history", "-o", "json").data[0]["revision"] == 1

"""Tokens: a secret is told once, or written where only its owner reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Commands = Callable[..., Any]


def test_a_token_is_made_listed_changed_rotated_and_ended(server: Path, run: Commands) -> None:
    made = run("token", "add", "edges", "role=agent", "nodes=edge-*")
    assert made.out.startswith("token edges added; its secret, shown only now:\n")
    secret = made.out.split()[-1]
    assert secret not in run("token", "list").out + run("token", "show", "edges").out
    assert run("token", "set", "edges", "nodes=edge-1,edge-2").out == "token edges set\n"
    assert run("token", "show", "edges", "-o", "json").data["nodes"] == ["edge-1", "edge-2"]
    assert run("token", "rotate", "edges", "--overlap", "1h").out.split()[-1] != secret
    assert run("token", "remove", "edges").out == "token edges removed\n"
    assert run("token", "show", "edges").code == 2


def test_a_secret_goes_into_a_file_of_its_owner(
    server: Path, run: Commands, tmp_path: Path
) -> None:
    kept = tmp_path / "secret"
    made = run("token", "add", "ops", "role=operator", "--secret-file", str(kept), "-o", "json")
    assert "secret" not in made.data
    assert (len(kept.read_text().split()), kept.stat().st_mode & 0o777) == (1, 0o600)
    assert [each.name for each in tmp_path.glob(".secret*")] == []


def test_no_token_is_made_whose_secret_would_be_lost(
    server: Path, run: Commands, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "none" / "secret")
    assert run("token", "add", "ops", "role=reader", "--secret-file", nowhere).code == 2
    assert run("token", "show", "ops").code == 2


def test_a_slip_in_an_id_is_put_right(server: Path, run: Commands) -> None:
    assert run("token", "remove", "adimn").err.endswith("Did you mean admin?\n")

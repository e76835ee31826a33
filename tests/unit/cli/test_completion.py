"""Completion as a shell asks for it: by a process of its own, with the words typed so far."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geodns.cli.completion import BASH, SCRIPTS, asked, joined, offered

Commands = Callable[..., Any]
PROGRAM = "import sys; from geodns.cli import main; sys.exit(main(sys.argv[1:]))"

TRIED = """
source /dev/stdin <<<"$SCRIPT"
compopt() { :; }
COMP_LINE="$LINE"; COMP_POINT=${#LINE}
cut="${LINE//=/ = }"
read -r -a COMP_WORDS <<<"$cut"
[[ "$LINE" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_geodns_completion geodns
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def tab(tmp_path: Path) -> Callable[[str], list[str]]:
    """What bash offers for a line, cut into words as bash cuts them."""
    program = tmp_path / "bin" / "geodns"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)

    def press(line: str) -> list[str]:
        path = f"{program.parent}:{os.environ['PATH']}"
        environ = os.environ | {"PATH": path, "SCRIPT": BASH, "LINE": line}
        done = subprocess.run(
            ["bash", "-c", TRIED], env=environ, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.split()

    return press


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("geodns appl", ["apply"]),
        ("geodns node s", ["show", "set"]),
        ("geodns node show ", ["fra1", "mil1", "nyc1"]),
        ("geodns node show m", ["mil1"]),
        ("geodns node set fra1 wei", ["weight="]),
        ("geodns pool set web monitor=", ["web"]),
        ("geodns pool set web order=n", ["nearest"]),
        ("geodns pool set web nodes=fra1,m", ["fra1,mil1"]),
        ("geodns drain node=f", ["fra1"]),
        ("geodns steer www", ["www.example.com"]),
        ("geodns steer www.example.com ", ["web"]),
        ("geodns rrset show example.com m", ["mail"]),
        ("geodns history rrset example.com mail ", ["A"]),
        ("geodns node list --output j", ["json"]),
    ],
)
def test_a_key_offers_what_fits(
    filled: Path, tab: Callable[[str], list[str]], line: str, offers: list[str]
) -> None:
    assert tab(line) == offers


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_without_a_server_nothing_is_offered_and_nothing_said(
    run: Commands, tab: Callable[[str], list[str]]
) -> None:
    assert tab("geodns node show ") == []


def test_what_a_shell_could_run_is_not_offered() -> None:
    hostile = ["$(reboot)", "`id`", "a b", "a;b", 'a"b', "good.example"]
    assert offered(hostile, "") == ["good.example"]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (["geodns", "drain", "node", "=", "fr"], ["geodns", "drain", "node=fr"]),
        (["geodns", "drain", "node", "="], ["geodns", "drain", "node="]),
        (["geodns", "set", "a", "=", "1", "b", "=", ""], ["geodns", "set", "a=1", "b="]),
        (["geodns", "x", ""], ["geodns", "x", ""]),
    ],
)
def test_words_that_bash_has_cut_are_joined(cut: list[str], words: list[str]) -> None:
    assert joined(cut) == words


def test_an_odd_request_of_a_shell_is_no_error() -> None:
    for odd in ({}, {"COMP_WORDS": ""}, {"COMP_WORDS": "geodns", "COMP_CWORD": "x"},
                {"COMP_WORDS": "geodns\nnode", "COMP_CWORD": "9"}):  # fmt: skip
        assert asked({"_GEODNS_COMPLETE": "complete_bash", **odd}) is None


def test_there_is_a_script_for_each_shell(run: Commands) -> None:
    for shell, script in SCRIPTS.items():
        assert run("completion", shell) == (0, script, "")
    assert run("completion", "tcsh").code == 2

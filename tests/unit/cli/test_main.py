"""The command line as a whole: help, slips, starts, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from geodns.cli import main, serve
from geodns.cli.app import build
from geodns.settings import TABLE

Commands = Callable[..., Any]

HELP = Path(__file__).with_name("help.txt")


def described(command: Any, name: str = "geodns") -> list[str]:
    """What we wrote for help, without the framework's layout, which its versions change."""
    lines = [f"{name}{''.join(map(parameter, command.params))}", f"    {command.help}"]
    for inner in getattr(command, "commands", {}).values():
        lines += described(inner, f"{name} {inner.name}")
    return lines


def parameter(param: Any) -> str:
    if param.param_type_name == "argument":
        return f" {param.metavar}" if param.required else f" [{param.metavar}]"
    if "--install-completion" in param.opts or "--show-completion" in param.opts:
        return ""
    value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
    return f" [{'|'.join(param.opts)}{value}]"


def test_the_help_is_as_agreed() -> None:
    found = "\n".join(described(typer.main.get_command(build()))) + "\n"
    assert found == HELP.read_text()


def test_every_command_prints_its_help(run: Commands) -> None:
    lines = [line for line in HELP.read_text().splitlines() if not line.startswith(" ")]
    names = [[word for word in line.split() if word.islower() and word[0] != "["] for line in lines]
    assert len(names) > 40
    for words in names:
        shown = run(*words[1:], "--help")
        assert (shown.code, shown.err) == (0, "")
        assert shown.out.startswith(f"Usage: {' '.join(words)}")


@pytest.mark.parametrize("words", [(), ("node",), ("rrset",), ("geo",)])
def test_without_a_verb_the_verbs_are_listed(run: Commands, words: tuple[str, ...]) -> None:
    assert run(*words) == run(*words, "--help")


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("nodes", "list"), "node"), (("node", "lst"), "list"), (("aply",), "apply")],
)
def test_a_slip_of_a_command_is_put_right(
    run: Commands, words: tuple[str, ...], meant: str
) -> None:
    refused = run(*words)
    assert (refused.code, refused.out) == (2, "")
    assert f"Did you mean '{meant}'" in refused.err
    assert all(line.startswith("geodns: ") for line in refused.err.splitlines())


@pytest.mark.parametrize(
    "words",
    [("node", "show"), ("node", "list", "--outputs", "json"), ("node", "list", "-o", "xml")],
)
def test_wrong_usage_is_two_and_points_to_the_help(run: Commands, words: tuple[str, ...]) -> None:
    refused = run(*words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1].endswith("--help tells more.")


def test_an_interrupt_is_quiet(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("geodns.cli.connection.connect", interrupt)
    assert run("node", "list") == (130, "", "")


def test_a_bug_is_one_line_without_a_trace(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("odd\x1b[31m")

    monkeypatch.setattr("geodns.cli.connection.connect", fail)
    failed = run("node", "list")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.count("\n") == 1
    assert "This is a bug, please report it: RuntimeError: odd\\x1b[31m in " in failed.err


# --- serve ---


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The flags that serve was started with."""
    started: list[dict[str, object]] = []

    def start(flags: dict[str, object]) -> int:
        started.append(flags)
        return 0

    monkeypatch.setattr(serve, "serve", start)
    return started


WORDS = [
    "--data-dir",
    "/x",
    "--nsid=",
    "--dns=127.0.0.1:1",
    "--dns",
    "[::1]:2",
    "--config",
    "f.yaml",
]
FLAGS = {"data_dir": "/x", "nsid": "", "dns": ["127.0.0.1:1", "[::1]:2"], "config": "f.yaml"}


def test_serve_reads_its_flags_without_the_framework() -> None:
    assert serve.flags_of(WORDS) == FLAGS


def test_the_framework_reads_the_same_flags(served: list[dict[str, object]]) -> None:
    app = build("serve")
    assert typer.main.get_command(app).main(["serve", *WORDS], standalone_mode=False) == 0
    assert served == [FLAGS]


@pytest.mark.parametrize(
    "words", [["--help"], ["--workers"], ["--workerz", "1"], ["x"], ["--workers", "--dns"]]
)
def test_what_is_unusual_is_left_to_the_framework(words: list[str]) -> None:
    assert serve.flags_of(words) is None


def test_every_setting_is_an_option_of_serve(run: Commands) -> None:
    shown = run("serve", "--help").out
    for row in TABLE:
        assert f"{row.flag} {row.metavar} " in shown
        assert serve.flags_of([row.flag, "x"]) == {row.name: ["x"] if row.many else "x"}


def test_serve_tells_all_that_is_wrong_with_its_settings(run: Commands) -> None:
    refused = run("serve", "--workers", "300", "--engine=rust", "--data-dir", "/nonexistent")
    assert (refused.code, len(refused.err.splitlines())) == (2, 2)
    assert run("serve", "--workerz", "1").code == 2


# --- What is loaded ---

HEAVY = {"fastapi", "starlette", "uvicorn", "numpy", "scipy", "dns", "dnslib", "apscheduler"}


CLIENT_MAY_NOT = {"httpx", "httpcore", "h11", "anyio", "asyncio", "rich", "yaml", "pydantic"}
"""What each takes some ten milliseconds, of the 150 that a command may take."""


def loaded(*words: str, depth: int = 1) -> set[str]:
    """The modules that a command leaves loaded, by so many parts of their names."""
    program = (
        "import sys; from geodns.cli import main; main(sys.argv[2:]); "
        "name = lambda each: '.'.join(each.split('.')[:int(sys.argv[1])]); "
        "sys.stderr.write('\\n' + ' '.join({name(each) for each in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(depth), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words",
    [("version",), ("node", "list", "--help"), ("--help",), ("completion", "fish"), ("nod",)],
)
def test_a_command_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    assert loaded(*words) & (HEAVY | CLIENT_MAY_NOT) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("node", "list"),
        ("node", "list", "-o", "json"),
        ("node", "show", "fra1"),
        ("node", "set", "fra1", "addresses=192.0.2.9", "weight=5"),
        ("status", "-o", "json"),
        ("history",),
        ("token", "list"),
        ("steer", "www.example.com"),
    ],
)
def test_a_command_that_asks_the_api_loads_no_server(filled: Path, words: tuple[str, ...]) -> None:
    assert loaded(*words) & (HEAVY | CLIENT_MAY_NOT) == set()


def test_a_command_loads_no_other_command(filled: Path) -> None:
    assert (
        loaded("node", "list", depth=3)
        & {
            f"geodns.cli.{name}"
            for name in ("documents", "records", "drains", "agent", "geo", "top")
        }
        == set()
    )


def test_serve_is_started_without_the_framework() -> None:
    assert loaded("serve", "--workers", "300") & {*HEAVY, "typer", "rich", "httpx"} == set()


def test_the_entry_point_is_main() -> None:
    assert main(["version", "--output", "json"]) == 0

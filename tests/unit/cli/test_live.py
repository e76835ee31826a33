"""What goes on by itself: events, top, status --watch, progress; and what a terminal gets."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geodns.cli import top
from geodns.cli.progress import Working, polled
from geodns.cli.watching import screen
from geodns.errors import Unavailable

Commands = Callable[..., Any]
PROGRAM = "import sys; from geodns.cli import main; sys.exit(main(sys.argv[1:]))"


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *words: str, columns: int = 100, **environ: str) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self.seen = ""
        settings = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "40", **environ}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            env={**os.environ, **settings},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # Whoever is started in the background is started deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(theirs)

    def until(self, text: str) -> str:
        """Read until this was seen."""
        while text not in self.seen:
            self.seen += os.read(self._ours, 65536).decode()
        return self.seen

    def end(self, interrupt: bool = False) -> int:
        """Press Ctrl-C if asked, read to the end, tell the exit code."""
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        try:
            while octets := os.read(self._ours, 65536):
                self.seen += octets.decode()
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(self._ours)
        return self.process.wait(10)


# --- Tables ---


def test_a_terminal_gets_colours_and_no_more_width_than_it_has(filled: Path) -> None:
    terminal = Terminal("node", "list", columns=120)
    assert terminal.end() == 0
    assert "\x1b[32mup" in terminal.seen
    narrow = Terminal("node", "list", columns=40)
    assert narrow.end() == 0
    lines = narrow.seen.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert any(line.startswith("ADDRESSES  192.0.2.10") for line in lines)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(filled: Path, environ: dict[str, str]) -> None:
    terminal = Terminal("node", "list", columns=120, **environ)
    assert terminal.end() == 0
    assert "\x1b" not in terminal.seen
    assert "fra1" in terminal.seen


def test_an_old_locale_is_no_error(filled: Path) -> None:
    environ = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for words in (["explain", "www.example.com"], ["node", "set", "fra1", "weight=3", "--plan"],
                  ["node", "list", "-o", "yaml"], ["node", "show", "fró"]):  # fmt: skip
        command = [sys.executable, "-c", PROGRAM, *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == (2 if "fró" in words else 0), done.stderr
        assert "bug" not in done.stderr


@pytest.mark.parametrize("ended", [">&-", "2>&-", "| head -c 1"])
def test_who_does_not_listen_is_not_told_of_it(filled: Path, ended: str) -> None:
    command = f"'{sys.executable}' -c '{PROGRAM}' node list {ended}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_told(filled: Path) -> None:
    command = f"'{sys.executable}' -c '{PROGRAM}' node list > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "geodns: No space left on device.\n")


# --- Live ---


def test_status_is_watched_until_ctrl_c(filled: Path) -> None:
    terminal = Terminal("status", "--watch")
    terminal.until("python engine")
    assert terminal.end(interrupt=True) == 130
    assert "Traceback" not in terminal.seen
    assert terminal.seen.count("\x1b[?1049h") == terminal.seen.count("\x1b[?1049l") == 1


def test_a_server_that_goes_away_is_shown_as_such() -> None:
    from rich.console import Console

    console = Console(width=60)
    with console.capture() as capture:
        console.print(screen(Unavailable("cannot reach \x1b[31mit")))
    assert capture.get() == "cannot reach \\x1b[31mit\n"


def test_top_counts_what_happens_between_two_looks() -> None:
    text = """# TYPE geodns_dns_requests_total counter
geodns_dns_requests_total{proto="udp"} %d
geodns_dns_answers_total{node="fra1",reason="a \\"b\\"\\\\"} %d
geodns_dns_dropped_total 0
geodns_generation 7
"""
    before = top.Sample(10.0, top.counters(text % (100, 7)))
    after = top.Sample(12.0, top.counters(text % (300, 3)))
    view = top.view_of({"targets": [{"state": "up"}, {"state": "up"}]}, before, after)
    assert view["queries_per_second"] == 100
    assert view["targets"] == {"up": 2}
    assert view["rates"]["requests by proto"] == [{"name": "udp", "per_second": 100}]
    assert view["rates"]["answers by node"] == [{"name": "fra1", "per_second": 1.5}]  # anew from 0
    assert "generation" not in view["rates"]


def test_top_off_a_terminal_is_one_look(filled: Path, run: Commands) -> None:
    shown = run("top", "--interval", "0.2")
    assert (shown.code, shown.err) == (0, "")
    assert "queries/s over 0.2" in shown.out


def test_events_that_were_are_told_and_then_it_ends(filled: Path, run: Commands) -> None:
    assert run("events").out == "  generation  generation=1\n"
    assert '"id":"1-1","event":"generation"' in run("events", "-o", "json").out


# --- Progress ---


class Bar:
    """What is told of a body on its way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, int, int | None]] = []
        self.working = Working(is_shown=False)
        monkeypatch.setattr(self.working, "step", self._step)

    def _step(self, what: str, done: int = 0, total: int | None = None) -> None:
        self.told.append((what, done, total))


def test_what_is_sent_is_told_in_octets_and_then_the_server_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bar = Bar(monkeypatch)
    tell = bar.working.sent("sending", "the server stores it")
    tell(5, 9)
    tell(9, 9)
    assert bar.told == [("sending", 5, 9), ("the server stores it", 0, None)]


def test_a_look_at_progress_that_fails_is_the_last() -> None:
    looked = threading.Event()
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        looked.set()
        raise Unavailable("no")

    with polled(look):
        assert looked.wait(5)
    assert looks == [1]


def test_long_work_draws_a_bar_on_a_terminal_and_takes_it_away(tmp_path: Path) -> None:
    program = (
        "import threading\n"
        "from geodns.cli.progress import working\n"
        "with working('reading') as told:\n"
        "    told.step('sending', 3, 4)\n"
        "    told._timer.join()\n"
        "    threading.Event().wait(0.2)\n"
    )
    ours, theirs = pty.openpty()
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environ) as bar:
        assert bar.wait() == 0
        os.close(theirs)
        seen = os.read(ours, 2**16).decode()
    os.close(ours)
    assert "sending" in seen
    assert "75%" in seen
    assert seen.rstrip().endswith("\x1b[2K")


def test_off_a_terminal_nothing_is_drawn(filled: Path, document: Path, run: Commands) -> None:
    assert run("apply", str(document)).err.count("\x1b") == 0

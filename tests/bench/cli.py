"""Row cli: a client command as a whole process, from its exec to its end."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.server import COMMAND, COMPILED
from tests.bench.workshop import DEFAULT, Workshop

RUNS = 21
PROMISED_MS = 150.0

COMMANDS = {
    "version": ("version",),
    "node list, 100 nodes": ("node", "list"),
    "node list on a terminal": ("node", "list"),
    "node set": ("node", "set", "n000", "weight=7"),
    "status -o json": ("status", "-o", "json"),
    "complete node show": (),
}
READ_OCTETS = 2**16


def run(workshop: Workshop) -> list[Figure]:
    """With byte code from the first run on, as an installation has it."""
    with workshop.server(workshop.prepared(DEFAULT)) as server:
        server.until_ready()
        node = server.api().get("nodes", params={"limit": "1"}).json()["items"][0]["id"]
        environ = os.environ | COMPILED | {"GEODNS_SERVER_DATA_DIR": str(server.data_dir)}
        return [_figure(what, words, environ, node) for what, words in COMMANDS.items()]


def _figure(what: str, words: Sequence[str], environ: dict[str, str], node: str) -> Figure:
    words = [node if word == "n000" else word for word in words]
    if not words:
        line = "geodns\nnode\nshow\n"
        asked = {"COMP_WORDS": line, "COMP_CWORD": "3", "_GEODNS_COMPLETE": "complete_bash"}
        environ = environ | asked
    once = _on_terminal if "terminal" in what else _piped
    once([str(COMMAND), *words], environ)
    took = [once([str(COMMAND), *words], environ) for _ in range(RUNS)]
    return Figure("cli", what, "ms", took, PROMISED_MS)


def _piped(command: Sequence[str], environ: dict[str, str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
    )
    return (time.perf_counter() - started_s) * 1000


def _on_terminal(command: Sequence[str], environ: dict[str, str]) -> float:
    """The same where it draws a table by rich."""
    ours, theirs = pty.openpty()
    started_s = time.perf_counter()
    process = subprocess.Popen(
        command, env=environ | {"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    with suppress(OSError):  # how Linux says that the other end is closed
        while os.read(ours, READ_OCTETS):
            pass
    code = process.wait()
    os.close(ours)
    if code:
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} ended with {code}")
    return (time.perf_counter() - started_s) * 1000

"""This or that is killed amid a storm of writes: nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from support.server import COMMAND, Server, environment, free_port, running_server, until

from geodns.store.backup import backup, judge

from .conftest import NAMESERVERS, answers, document

ROUNDS = 6  # each way once
WRITERS = 3
PATIENCE_S = 180.0
"""It is about what is lost, not about how long a busy machine takes."""


class Writer(threading.Thread):
    """Writes 1, 2, 3 … to one name; what was sent last and acknowledged last."""

    def __init__(self, server: Server, number: int, first: int) -> None:
        super().__init__(daemon=True)
        self.owner = f"w{number}"
        self.first = self.sent = self.acknowledged = first
        self._headers = {"Authorization": f"Bearer {server.token}"}
        self._url = f"http://127.0.0.1:{server.api_port}/api/v1/zones/example.test/rrsets"

    def run(self) -> None:
        with httpx.Client(headers=self._headers, timeout=10) as client:
            while True:
                value = self.sent + 1
                self.sent = value
                body = {"values": [f"v{value}"]}
                try:
                    reply = client.put(f"{self._url}/{self.owner}/TXT", json=body)
                except httpx.HTTPError:
                    return
                if reply.status_code not in (200, 201):
                    return
                self.acknowledged = value


class Storm:
    """A server of which this or that is killed again and again while writers write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.rounds: Counter[str] = Counter()

    def run(self, rounds: int) -> int:
        """So many rounds; how many writes were acknowledged. Errors: AssertionError."""
        with running_server(self._directory, start=False) as server:
            server.start(ready=False)
            self._await(server.ready, "it does not start")
            server.apply(document(free_port()))
            last = dict.fromkeys(range(WRITERS), 0)
            for round_, (name, kill) in zip(range(rounds), cycle(KILLS.items()), strict=False):
                self._round(server, last, 0.15 + 0.07 * (round_ % 6), name, kill)
                self.rounds[name] += 1
            assert server.api("GET", "zones/example.test")["nameservers"] == NAMESERVERS
        return sum(last.values())

    def _round(self, server: Server, last: dict[int, int], seconds: float, name: str,
               kill: Kill) -> None:  # fmt: skip
        writers = [Writer(server, number, last[number]) for number in last]
        for writer in writers:
            writer.start()
        self._await(lambda: all(each.acknowledged > each.first for each in writers), "no write")
        time.sleep(seconds)
        kill(server, self._directory)
        for writer in writers:
            writer.join(15)
        assert server.process is not None
        if server.process.poll() is not None:
            assert_sound(server.data / "store.db")
            server.start(ready=False)
            # From disk, before the API is up: some state that was committed, maybe not the last.
            self._await(lambda: answers(server), "no answer")
        served = settled(server, writers)
        self._await(server.ready, f"{name}: it is not ready")
        for number, writer in enumerate(writers):
            last[number] = stored(server, writer.owner)
            assert writer.acknowledged <= last[number] <= writer.sent, (
                f"{name}: {writer.owner} lost writes"
            )
        assert served in committed(server, last), f"{name}: {served} was served, never committed"
        self._await(lambda: all_served(server, last), f"{name}: what is stored is not served")

    @staticmethod
    def _await(condition: Callable[[], object], complaint: str) -> None:
        until(condition, complaint, PATIENCE_S)


# --- What is killed ---


def kill_all(server: Server, _: Path) -> None:
    server.kill()


def kill_as_power_does(server: Server, _: Path) -> None:
    """Nothing of it runs any more when the first is killed: nobody can tell another."""
    assert server.process is not None
    for pid in (server.process.pid, *server.descendants()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    server.kill()


def kill_control(server: Server, _: Path) -> None:
    pid = server.pid_of("control")
    os.kill(pid, signal.SIGKILL)
    assert server.ask("static.example.test", "TXT", timeout_s=10).answer, "DNS needs control"
    until(lambda: server.pid_of("control") not in (0, pid), "control stays away", PATIENCE_S)


def kill_supervisor(server: Server, _: Path) -> None:
    assert server.process is not None
    server.descendants()
    server.process.kill()
    server.process.wait()
    server.await_gone()


def kill_amid_backup(server: Server, directory: Path) -> None:
    """The copy is there and whole, or it is not there."""
    copy = directory / "copy"
    copy.unlink(missing_ok=True)
    with command("backup", str(copy), "--data-dir", str(server.data)) as running:
        time.sleep(random.uniform(0.2, 0.8))
        server.kill()
        running.kill()
    if copy.exists():
        assert_sound(copy)


def kill_amid_restore(server: Server, directory: Path) -> None:
    """What is put back is what is there: whichever of the two it is, nothing is lost."""
    server.kill()
    copy = directory / "last"
    copy.unlink(missing_ok=True)
    backup(server.data / "store.db", copy)
    with command("restore", str(copy), "--data-dir", str(server.data)) as running:
        time.sleep(random.uniform(0.2, 0.8))
        running.kill()


Kill = Callable[[Server, Path], None]

KILLS: dict[str, Kill] = {
    "all": kill_all,
    "control": kill_control,
    "power": kill_as_power_does,
    "supervisor": kill_supervisor,
    "backup": kill_amid_backup,
    "restore": kill_amid_restore,
}


@contextmanager
def command(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile."""
    null = subprocess.DEVNULL
    with subprocess.Popen(
        [*COMMAND, *words], env=environment(), stdout=null, stderr=null
    ) as running:
        yield running


# --- What must be so ---


def settled(server: Server, writers: Sequence[Writer]) -> tuple[int, ...]:
    """What is served of all, as of one generation: twice the same."""
    before: tuple[int, ...] = ()
    while True:
        served = tuple(value_of(server, writer.owner) for writer in writers)
        if served == before:
            return served
        before = served


def committed(server: Server, last: dict[int, int]) -> set[tuple[int, ...]]:
    """Every state of these names that some revision made, of the latest thousands."""
    db = sqlite3.connect(server.data / "store.db")
    rows = db.execute(
        "SELECT key, before FROM change WHERE kind = 'rrset' ORDER BY number DESC LIMIT 3000"
    ).fetchall()
    db.close()
    now, found = dict(last), {tuple(last.values())}
    for key, before in rows:
        _, owner, _ = json.loads(key)
        if owner in (f"w{number}" for number in now):
            now[int(owner[1:])] = number_in(json.loads(before)["values"][0]) if before else 0
            found.add(tuple(now.values()))
    return found


def assert_sound(store: Path) -> None:
    """The database is whole in SQLite's eyes, and so is a copy in ours: every record, the audit."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "store.db"
        for ending in ("", "-wal"):
            if Path(f"{store}{ending}").exists():
                shutil.copyfile(f"{store}{ending}", f"{copy}{ending}")
        db = sqlite3.connect(copy)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
        judge(copy, heal=False)


@pytest.mark.slow
def test_killing_this_or_that_in_a_storm_of_writes_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    assert Storm(tmp_path).run(ROUNDS) > 0


def all_served(server: Server, values: dict[int, int]) -> bool:
    return {number: value_of(server, f"w{number}") for number in values} == values


def value_of(server: Server, owner: str) -> int:
    """The number that is served; 0 for none yet."""
    return number_in(server.text(f"{owner}.example.test"))


def stored(server: Server, owner: str) -> int:
    body = server.api("GET", f"zones/example.test/rrsets/{owner}/TXT")
    return number_in(body["values"][0])


def number_in(value: str) -> int:
    return int(value.strip('"').removeprefix("v") or 0)

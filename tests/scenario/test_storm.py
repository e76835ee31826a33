"""Everything is killed amid a storm of writes: nothing acknowledged is lost."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest
from support.server import Server, free_port, running_server, until

from geodns.store.backup import judge

from .conftest import NAMESERVERS, answers, document

ROUNDS = 6
WRITERS = 3


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
    """A server that is killed again and again while writers write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def run(self, rounds: int) -> int:
        """So many rounds; how many writes were acknowledged. Errors: AssertionError."""
        with running_server(self._directory) as server:
            server.apply(document(free_port()))
            last = dict.fromkeys(range(WRITERS), 0)
            for round_ in range(rounds):
                self._round(server, last, 0.15 + 0.07 * (round_ % ROUNDS))
            assert server.api("GET", "zones/example.test")["nameservers"] == NAMESERVERS
        return sum(last.values())

    def _round(self, server: Server, last: dict[int, int], seconds: float) -> None:
        writers = [Writer(server, number, last[number]) for number in last]
        for writer in writers:
            writer.start()
        until(lambda: all(writer.acknowledged > writer.first for writer in writers), "no write")
        time.sleep(seconds)
        server.kill()
        for writer in writers:
            writer.join(15)
        assert_sound(server.data / "store.db")
        server.start(ready=False)
        # From disk, before the API is up: some state that was committed, maybe not the last.
        until(lambda: answers(server), "no answer")
        for writer in writers:
            served = value_of(server, writer.owner)
            assert 0 <= served <= writer.sent, f"{writer.owner} serves {served}"
        server.await_ready()
        for number, writer in enumerate(writers):
            last[number] = stored(server, writer.owner)
            assert writer.acknowledged <= last[number] <= writer.sent, f"{writer.owner} lost writes"
        until(lambda: all_served(server, last), "what is stored is not served")


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
def test_killing_everything_in_a_storm_of_writes_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    assert Storm(tmp_path).run(ROUNDS) > 0


def all_served(server: Server, values: dict[int, int]) -> bool:
    return {number: value_of(server, f"w{number}") for number in values} == values


def value_of(server: Server, owner: str) -> int:
    """The number that is served; 0 for none yet."""
    return int(server.text(f"{owner}.example.test").removeprefix("v") or 0)


def stored(server: Server, owner: str) -> int:
    body = server.api("GET", f"zones/example.test/rrsets/{owner}/TXT")
    return int(body["values"][0].strip('"').removeprefix("v"))

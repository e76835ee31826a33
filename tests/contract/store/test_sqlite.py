"""What is the SQLite store's own: its file, and what can happen to it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from geodns.errors import Unavailable
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore

ROUNDS = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def fill(path: Path, count: int = 3) -> None:
    store = SqliteStore(path)
    for base in range(count):
        store.commit([Write("node", (f"n{base}",), {"weight": base})], base=base, actor="a")
    store.close()


def asked(path: Path, statement: str) -> list[Any]:
    """What SQLite itself answers, behind the store's back."""
    db = sqlite3.connect(path, isolation_level=None)
    rows = db.execute(statement).fetchall()
    db.close()
    return rows


# --- The file ---


@pytest.mark.parametrize("umask", [0, 0o077])
def test_only_its_owner_can_read_the_store(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = SqliteStore(path)
        store.commit([Write("node", ("a",), {})], base=0, actor="a")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_a_store_that_others_could_read_is_closed_to_them(path: Path) -> None:
    fill(path)
    path.chmod(0o644)
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_says_whose_it_is_and_that_commits_are_durable(path: Path) -> None:
    store = SqliteStore(path)
    names = ("application_id", "user_version", "journal_mode", "synchronous")
    settings = [store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    store.close()
    assert settings == [0x67646E73, 3, "wal", 2]  # 2 is FULL


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    fill(path)


# --- What it refuses ---


def text(path: Path) -> None:
    path.write_text("This is a letter, and it is longer than the header of a database. " * 20)


def foreign(path: Path) -> None:
    asked(path, "CREATE TABLE recipes (name)")


def newer(path: Path) -> None:
    fill(path)
    asked(path, "PRAGMA user_version = 99")


def damaged(path: Path) -> None:
    fill(path, 40)
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\xa5" * (len(octets) - 4096)
    path.write_bytes(octets)


def truncated(path: Path) -> None:
    fill(path, 40)
    os.truncate(path, 8192)


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (text, "restore a backup"),
        (foreign, "another data directory"),
        (newer, "newer geodns"),
        (damaged, "restore a backup"),
        (truncated, "restore a backup"),
    ],
)
def test_a_file_that_is_not_a_sound_store_is_refused_and_left_alone(
    path: Path, make: Callable[[Path], None], remedy: str
) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(Unavailable) as refused:
        SqliteStore(path)
    assert str(path) in str(refused.value)
    assert remedy in str(refused.value)
    assert path.read_bytes() == before


def test_a_missing_directory_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"gone.*data directory"):
        SqliteStore(tmp_path / "gone" / "store.db")


def test_a_store_that_another_process_holds_is_unavailable_not_stuck(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodns.store.file.BUSY_TIMEOUT_S", 0.01)
    store = SqliteStore(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="Another process"):
        store.commit([Write("node", ("a",), {})], base=0, actor="a")
    other.close()
    assert store.commit([Write("node", ("a",), {})], base=0, actor="a") == 1
    store.close()


# --- kill -9 ---

WRITER = """
import sys
from pathlib import Path
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
revision, _ = store.read()
while True:
    writes = [Write("node", (f"n{i}",), {"round": revision + 1}) for i in range(3)]
    revision = store.commit(writes, base=revision, actor="writer")
    print(revision, flush=True)
"""


def last_acknowledged(path: Path, acknowledgements: int) -> int:
    """Run the writer until it has acknowledged so many commits, kill it, read what it said."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledgements):
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().splitlines(keepends=True)
    whole = [int(line) for line in rest if line.endswith(b"\n")]
    return whole[-1] if whole else 0


def test_no_acknowledged_write_is_lost_when_the_writer_is_killed(path: Path) -> None:
    for number in range(ROUNDS):
        acknowledged = last_acknowledged(path, 5 + 7 * number)
        store = SqliteStore(path)
        revision, records = store.read()
        (newest,) = store.audit(before=None, limit=1)
        store.close()
        # One more may have become durable before it could be acknowledged.
        assert acknowledged <= revision
        assert {record.body["round"] for record in records.values()} == {revision}
        assert {json.dumps(change.after) for change in newest.changes} == {
            json.dumps({"round": revision})
        }
        assert asked(path, "PRAGMA integrity_check") == [("ok",)]


# --- Full disk ---


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """Lets no file of this process grow beyond a size, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored: Any = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_writes_nothing_and_harms_nothing(
    path: Path, file_size_limit: Callable[[int], None]
) -> None:
    fill(path)
    store = SqliteStore(path)
    before = store.read()
    large = [Write("node", (f"large{i}",), {"labels": {"x": "y" * 60_000}}) for i in range(20)]
    file_size_limit(200_000)
    with pytest.raises(Unavailable, match=r"Nothing was changed.*disk"):
        store.commit(large, base=3, actor="a")
    assert store.read() == before
    file_size_limit(resource.RLIM_INFINITY)
    assert store.commit(large, base=3, actor="a") == 4
    store.close()
    assert len(SqliteStore(path).read()[1]) == 23


def test_a_full_file_system_writes_nothing_and_harms_nothing(tmp_path: Path) -> None:
    """The same on a file system of one megabyte, where the mount is allowed."""
    small = tmp_path / "small"
    small.mkdir()
    script = f"mount -t tmpfs -o size=1m none {small} && exec {sys.executable} -c '{FULL}' {small}"
    command = ["sh", "-c", 'exec unshare --mount sh -c "$0"', script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("no right to mount a file system of its own")
    assert (done.stdout, done.stderr) == ("as before, then writable\n", "")


FULL = """
import sys
from pathlib import Path
from geodns.errors import Unavailable
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore

folder = Path(sys.argv[1])
store = SqliteStore(folder / "store.db")
store.commit([Write("node", ("a",), {})], base=0, actor="a")
before = store.read()
ballast = folder / "ballast"
with ballast.open("wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)):
            pass
    except OSError:
        pass
try:
    store.commit([Write("node", ("b",), {"x": "y" * 60000})], base=1, actor="a")
except Unavailable:
    assert store.read() == before
    ballast.unlink()
    assert store.commit([Write("node", ("b",), {"x": "y" * 60000})], base=1, actor="a") == 2
    store.close()
    assert SqliteStore(folder / "store.db").read()[0] == 2
    print("as before, then writable")
"""

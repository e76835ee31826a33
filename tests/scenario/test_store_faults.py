"""The store goes bad under a server: answers stay, what is in the way is said, and it heals."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.server import COMMAND, Server, environment, free_port, running_server, until

from .conftest import ADDRESSES, USER, document
from .test_full_disk import fill
from .test_refused_starts import small_disk

NAME = "www.example.test"
PATIENCE_S = 120.0
SIDES = ("", "-wal", "-shm")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        server.apply(document(free_port()))
        yield server


@pytest.fixture
def kept(server: Server, tmp_path: Path) -> Iterator[Path]:
    """The server, killed; where its store is kept meanwhile."""
    put(server, "before")
    server.kill()
    store = server.data / "store.db"
    for side in SIDES:
        if Path(f"{store}{side}").exists():
            shutil.copyfile(f"{store}{side}", tmp_path / f"store.db{side}")
    yield tmp_path
    if server.process is not None and server.process.poll() is not None:
        server.start()


def put(server: Server, value: str) -> tuple[int, str]:
    path = "zones/example.test/rrsets/changing/TXT?wait=true"
    reply = server.request("PUT", path, {"values": [value]})
    return reply.status_code, reply.text


def remove(store: Path) -> None:
    for side in SIDES:
        Path(f"{store}{side}").unlink(missing_ok=True)


def gone(store: Path) -> None:
    remove(store)


def directory(store: Path) -> None:
    remove(store)
    store.mkdir()


def empty(store: Path) -> None:
    remove(store)
    store.touch()


def of_another_program(store: Path) -> None:
    remove(store)
    db = sqlite3.connect(store)
    db.execute("CREATE TABLE recipes (name)")
    db.commit()
    db.close()


def garbage(store: Path) -> None:
    remove(store)
    store.write_bytes(os.urandom(40_000))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (gone, "is gone or empty"),
        (empty, "is gone or empty"),
        (directory, "is a directory"),
        (of_another_program, "belongs to another program"),
        (garbage, "restore a backup"),
    ],
)
def test_without_a_sound_store_dns_goes_on_and_the_api_says_what_to_do(
    server: Server, kept: Path, spoil: Callable[[Path], None], said: str
) -> None:
    store = server.data / "store.db"
    spoil(store)
    server.start(ready=False)
    until(lambda: any(said in fault for fault in server.faults()), server.faults, PATIENCE_S)
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    code, text = put(server, "lost")
    assert (code, str(store) in text, said in text) == (503, True, True)
    assert server.text("changing.example.test") == "before"
    # What is put back is used without a restart.
    if store.is_dir():
        store.rmdir()
    remove(store)
    for side in SIDES[::-1]:
        if (kept / f"store.db{side}").exists():
            # Moved, not copied: control looks every second, and must not see a part of it.
            draft = shutil.copyfile(kept / f"store.db{side}", store.with_name("draft"))
            draft.rename(f"{store}{side}")
    until(server.ready, server.faults, PATIENCE_S)
    assert put(server, "after")[0] == 200
    assert server.text("changing.example.test") == "after"


def test_a_store_that_loses_its_name_takes_no_change_until_it_has_it_again(server: Server) -> None:
    store = server.data / "store.db"
    put(server, "before")
    aside = store.with_name("aside.db")
    store.rename(aside)
    assert put(server, "lost")[0] == 503
    fill_with_another(store)
    code, text = put(server, "lost")
    assert (code, "not the file that was opened" in text) == (503, True)
    assert server.text("changing.example.test") == "before"
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    store.unlink()
    aside.rename(store)
    assert put(server, "after")[0] == 200
    until(server.ready)


def fill_with_another(store: Path) -> None:
    db = sqlite3.connect(store)
    db.execute("CREATE TABLE recipes (name)")
    db.commit()
    db.close()


@pytest.mark.parametrize("side", ["-wal", "-shm"])
def test_what_sqlite_keeps_beside_the_store_may_go_away_under_a_server(
    server: Server, side: str
) -> None:
    put(server, "before")
    Path(f"{server.data / 'store.db'}{side}").unlink()
    assert put(server, f"after{side}")[0] == 200
    server.kill()
    server.start()
    assert server.text("changing.example.test") == f"after{side}"
    assert put(server, "again")[0] == 200


def test_a_log_that_is_spoilt_while_nobody_writes_loses_nothing(server: Server) -> None:
    put(server, "settled")
    log = server.data / "store.db-wal"
    until(lambda: log.stat().st_size == 0)
    server.kill()
    log.write_bytes(os.urandom(9000))
    server.start()
    assert server.text("changing.example.test") == "settled"
    assert put(server, "again")[0] == 200


def test_a_read_only_disk_answers_dns_says_so_and_heals(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "60m") as disk,
        running_server(tmp_path, data_dir=disk / "data") as server,
    ):
        server.data = disk / "data"
        server.apply(document(free_port()))
        token = server.token
        server.kill()
        until(lambda: remounted(disk, "ro"), "somebody still writes there")
        server.start(ready=False)
        until(lambda: any("ead-only" in each for each in server.faults()), server.faults, 60)
        assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
        assert remounted(disk, "rw")
        until(server.ready, server.faults, PATIENCE_S)
        assert (server.token, put(server, "after")[0]) == (token, 201)


def remounted(disk: Path, how: str) -> bool:
    command = ["mount", "-o", f"remount,{how}", str(disk)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_a_backup_onto_a_full_disk_is_none_and_says_so(server: Server, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        fill(disk)
        copy = disk / "copy"
        words = ["backup", str(copy), "--data-dir", str(server.data)]
        done = subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, env=environment(), check=False
        )
        assert done.returncode == 4
        assert done.stderr.startswith(f"geodns: {copy} ")
        assert "disk" in done.stderr
        assert [path.name for path in disk.iterdir()] == ["ballast"]

"""A copy is made while the store is written to, and put back only when it is sound."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from geodns.cli import main
from geodns.daemon.places import hold
from geodns.errors import ConfigError, NotFound, Unavailable
from geodns.store.backup import backup, restore
from geodns.store.base import Write
from geodns.store.sqlite import SqliteStore


def fill(path: Path, count: int = 3) -> None:
    store = SqliteStore(path)
    for base in range(count):
        store.commit([Write("node", (f"n{base}",), {"weight": base})], base=base, actor="a")
    store.close()


def content(path: Path) -> object:
    store = SqliteStore(path)
    try:
        return store.read(), store.audit(before=None, limit=99)
    finally:
        store.close()


def test_a_copy_taken_amid_writes_is_one_revision_and_sound(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path)
    store = SqliteStore(path)
    ended = threading.Event()

    def write() -> None:
        revision = 3
        while not ended.is_set():
            both = [Write("node", (name,), {"weight": revision}) for name in ("x", "y")]
            revision = store.commit(both, base=revision, actor="a")

    writer = threading.Thread(target=write)
    writer.start()
    revisions = [backup(path, tmp_path / f"copy{i}").revision for i in range(3)]
    ended.set()
    writer.join()
    store.close()
    assert revisions == sorted(revisions)
    for number in range(3):
        copy = SqliteStore(tmp_path / f"copy{number}")
        revision, records = copy.read()
        copy.close()
        assert revision == revisions[number]
        if revision > 3:
            weights = {records["node", (name,)].body["weight"] for name in ("x", "y")}
            assert weights == {revision - 1}
    assert stat.S_IMODE((tmp_path / "copy0").stat().st_mode) == 0o600


def test_a_copy_put_back_is_everything_as_it_was(tmp_path: Path) -> None:
    path, file = tmp_path / "store.db", tmp_path / "copy"
    fill(path)
    before = content(path)
    assert backup(path, file).revision == 3
    store = SqliteStore(path)
    store.commit([Write("node", ("n0",), None)], base=3, actor="a")
    store.close()
    assert restore(file, path) == 3
    assert content(path) == before
    replaced = SqliteStore(tmp_path / "store.db.replaced")
    assert replaced.read()[0] == 4
    replaced.close()


def test_no_file_is_overwritten_and_no_store_is_made_up(tmp_path: Path) -> None:
    path, file = tmp_path / "store.db", tmp_path / "copy"
    with pytest.raises(NotFound):
        backup(path, file)
    with pytest.raises(NotFound):
        restore(file, path)
    fill(path)
    file.write_text("mine")
    with pytest.raises(ConfigError, match="exists"):
        backup(path, file)
    assert file.read_text() == "mine"


def test_a_copy_that_is_damaged_or_no_store_changes_nothing(tmp_path: Path) -> None:
    path, file = tmp_path / "store.db", tmp_path / "copy"
    fill(path)
    before = path.read_bytes()
    file.write_text("This is a letter. " * 500)
    with pytest.raises(Unavailable):
        restore(file, path)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["copy", "store.db"]


def test_a_store_is_not_restored_under_a_running_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = tmp_path / "store.db", tmp_path / "copy"
    fill(path)
    assert main(["backup", str(file), "--data-dir", str(tmp_path)]) == 0
    fill(tmp_path / "other.db")
    lock = hold(tmp_path)
    before = content(path)
    assert main(["restore", str(file), "--data-dir", str(tmp_path)]) == 2
    assert "already runs" in capsys.readouterr().err
    assert content(path) == before
    os.close(lock)
    assert main(["restore", str(file), "--data-dir", str(tmp_path)]) == 0


def test_the_doctor_verifies_records_and_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store.db"
    fill(path)
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 0
    assert "entries 1 to 3 verified" in capsys.readouterr().out
    store = SqliteStore(path)
    store._db.execute("UPDATE audit SET actor = 'mallory' WHERE number = 2")
    store.close()
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 4
    assert "entry 2 of the audit" in capsys.readouterr().err


def test_the_doctor_tells_of_damage_that_a_server_would_heal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store.db"
    fill(path)
    store = SqliteStore(path)
    store._db.execute("UPDATE document SET body = '{}' WHERE revision = 2")
    store.close()
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 4
    assert "1 records are not what was written" in capsys.readouterr().err
    store = SqliteStore(path)
    store.read()
    store.close()
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 0

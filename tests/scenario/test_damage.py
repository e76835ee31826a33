"""Files go bad: what was served last serves on, and control makes good what is broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.server import Server, running_server, serve_once, until

from .conftest import ADDRESSES, USER, answers

NAME = "www.example.test"
KINDS = {"zone": 1, "geo": 2, "view": 3, "pools": 4, "targets": 5}


@pytest.fixture
def server(server: Server) -> Server:
    """A server with two generations on disk, the second with one record more."""
    for owner in ("second", "third"):
        server.request("DELETE", f"zones/example.test/rrsets/{owner}/TXT?wait=true")
    change(server, "second")
    return server


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("spoil", [truncate, flip])
def test_sections_spoilt_while_running_hurt_nobody(
    server: Server, spoil: Callable[[Path], None]
) -> None:
    before = pids(server)
    lines = explained(server)
    for section in (server.data / "snapshot").iterdir():
        spoil(section)
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    assert len(explained(server)) == len(lines)
    assert server.api("GET", "nodes/lon")["id"] == "lon"
    change(server, "third")  # made of sections that are all spoilt
    assert server.text("third.example.test") == "third"
    assert pids(server) == before, "a process ended over it"


@pytest.mark.parametrize("kind", KINDS)
def test_a_spoilt_section_is_made_anew_after_a_restart(server: Server, kind: str) -> None:
    generation = generation_of(server)
    server.kill()
    flip(section_of(server, kind))
    server.start()
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    assert server.text("second.example.test") == "second"
    assert generation_of(server) > generation
    assert server.logged("was damaged: deleted, to be made anew")


def test_the_previous_generation_serves_until_a_good_one_is_made(server: Server) -> None:
    server.kill()
    flip(section_of(server, "zone"))
    server.start(ready=False)
    until(lambda: answers(server), "no answer")
    assert server.faults(timeout_s=0.01), "the API was up first"
    assert server.logged("is not served")
    server.await_ready()
    until(lambda: server.text("second.example.test") == "second")


def test_a_corrupt_manifest_gives_way_to_the_previous_one(server: Server) -> None:
    server.kill()
    truncate(server.data / "manifest")
    server.start(ready=False)
    until(lambda: answers(server), "no answer")
    assert server.faults(timeout_s=0.01), "the API was up first"
    assert server.logged("Manifest refused")
    server.await_ready()
    until(lambda: server.text("second.example.test") == "second")


def test_without_any_manifest_the_store_is_published_anew(server: Server) -> None:
    server.kill()
    truncate(server.data / "manifest")
    empty(server.data / "manifest.prev")
    server.start()
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    assert server.text("second.example.test") == "second"


def test_sections_that_are_lost_are_made_anew_after_a_restart(server: Server) -> None:
    server.kill()
    for section in (server.data / "snapshot").iterdir():
        section.unlink()
    server.start()
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    assert server.text("second.example.test") == "second"


@pytest.mark.parametrize("at_work", [True, False], ids=["at work", "between two runs"])
def test_an_old_manifest_in_place_of_a_newer_one_is_outdone(server: Server, at_work: bool) -> None:
    old = (server.data / "manifest").read_bytes()
    change(server, "third")
    change(server, "fourth")
    generation = generation_of(server)
    if not at_work:
        server.kill()
    (server.data / "manifest").write_bytes(old)
    if not at_work:
        server.start()
        until(lambda: server.text("fourth.example.test") == "fourth")
    change(server, "fifth")
    assert server.text("fourth.example.test") == "fourth"
    assert server.text("fifth.example.test") == "fifth"
    assert not at_work or generation_of(server) > generation
    for owner in ("fourth", "fifth"):
        server.request("DELETE", f"zones/example.test/rrsets/{owner}/TXT?wait=true")


def test_a_corrupt_geo_database_keeps_the_last_generation_serving(
    server: Server, tmp_path: Path, default_database: Path
) -> None:
    server.kill()
    database = tmp_path / "city.mmdb"
    shutil.copy(default_database, database)
    truncate(database)
    server.settings["geo_db"] = database
    server.start(ready=False)
    until(lambda: answers(server), "no answer")
    until(lambda: any("city.mmdb" in fault for fault in server.faults()), "/readyz does not tell")
    assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
    refused = server.request("PUT", "nodes/new", {"addresses": ["192.0.2.1"]})
    assert refused.status_code == 503
    assert "city.mmdb" in refused.text
    assert f"lon {ADDRESSES['lon']}" in "\n".join(explained(server))
    shutil.copy(default_database, database)
    server.await_ready()  # no restart needed
    del server.settings["geo_db"]


@pytest.mark.parametrize("spoil", [truncate, empty, Path.unlink])
def test_a_first_start_with_a_bad_geo_database_is_refused_in_one_line(
    tmp_path: Path, default_database: Path, spoil: Callable[[Path], None]
) -> None:
    database = tmp_path / "city.mmdb"
    shutil.copy(default_database, database)
    spoil(database)
    code, said = serve_once(tmp_path, geo_db=database)
    assert code == 2
    assert [line[:8] for line in said.splitlines()] == ["geodns: "]
    assert str(database) in said


def test_without_a_generation_a_bad_database_of_autonomous_systems_is_refused(
    tmp_path: Path,
) -> None:
    database = tmp_path / "asn.mmdb"
    database.write_bytes(b"no database at all")
    code, said = serve_once(tmp_path, asn_db=database)
    assert code == 2
    assert str(database) in said
    assert "Traceback" not in said


def test_a_stopped_health_process_is_replaced(server: Server) -> None:
    pid = server.pid_of("health")
    os.kill(pid, signal.SIGSTOP)
    until(lambda: server.pid_of("health") not in (0, pid), "health stays stopped")
    assert server.logged("health shows no heartbeat")


def test_a_generation_whose_manifest_cannot_be_written_leaves_the_old_one_whole(
    server: Server,
) -> None:
    obstacle = server.data / "manifest.new"
    obstacle.mkdir()
    path = "zones/example.test/rrsets/third/TXT?wait=true"
    refused = server.request("PUT", path, {"values": ["third"]})
    assert refused.status_code == 503
    assert "manifest" in refused.text
    pid = server.worker()
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.worker() != pid and answers(server), "the new worker has no generation")
    assert server.text("second.example.test") == "second"
    obstacle.rmdir()
    until(lambda: server.text("third.example.test") == "third", "it is not tried again")
    assert server.worker() != pid


def test_a_runtime_directory_that_is_cleared_is_made_anew(server: Server) -> None:
    old = pids(server)
    shutil.rmtree(server.runtime)
    until(lambda: (server.runtime / "status").exists(), "it stays away")
    until(lambda: not old & set(server.left()) and answers(server), "no answer")
    server.await_ready()
    change(server, "third")
    assert server.text("third.example.test") == "third"


def wipe(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(64))


@pytest.mark.parametrize("spoil", [empty, truncate, wipe, Path.unlink])
@pytest.mark.parametrize("name", ["status", "workers/0"])
def test_shared_memory_that_is_damaged_is_made_anew(
    server: Server, name: str, spoil: Callable[[Path], None]
) -> None:
    old = pids(server)
    spoil(server.runtime / name)
    until(lambda: not old & set(server.left()) and answers(server), "no answer")
    server.await_ready()
    change(server, "third")
    assert server.text("third.example.test") == "third"
    assert server.logged("was cleared or damaged")


def test_a_supervisor_out_of_descriptors_goes_on_and_recovers(server: Server) -> None:
    import resource

    assert server.process is not None
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    pid = server.worker()
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.logged("cannot be started"))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
    until(lambda: answers(server), "the worker is not back")


def test_a_server_asks_for_as_many_files_as_many_zones_need(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with running_server(tmp_path, start=False) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        try:
            server.start(ready=False)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        until(lambda: server.logged("serves DNS"))
        assert server.process is not None
        found, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        assert found == min(65_536, limits[1])


def change(server: Server, owner: str) -> None:
    path = f"zones/example.test/rrsets/{owner}/TXT?wait=true"
    server.api("PUT", path, {"values": [owner]})


def explained(server: Server) -> list[str]:
    lines: list[str] = server.api("GET", f"explain?name={NAME}&from={USER}")["lines"]
    return lines


def generation_of(server: Server) -> int:
    return int(server.api("GET", "status")["generation"])


def section_of(server: Server, kind: str) -> Path:
    manifest = json.loads((server.data / "manifest").read_text())
    found = [each for each in manifest["sections"] if each["kind"] == KINDS[kind]]
    return Path(server.data / "snapshot" / found[0]["hash"])


def pids(server: Server) -> set[int]:
    return {server.worker(), server.pid_of("control"), server.pid_of("health")}

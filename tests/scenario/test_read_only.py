"""The disk can only be read, or is gone: DNS goes on, the API says why nothing can be changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
from support.server import Server, free_port, running_server, serve_once, until

from .conftest import ADDRESSES, USER, answers, document
from .test_refused_starts import small_disk

NAME = "www.example.test"


def test_a_server_that_starts_on_a_read_only_disk_answers_and_says_why_it_cannot_be_changed(
    tmp_path: Path,
) -> None:
    with (
        small_disk(tmp_path / "disk", "64m") as disk,
        running_server(tmp_path, data_dir=disk / "data") as server,
    ):
        server.data = disk / "data"
        server.apply(document(free_port()))
        server.stop()
        remount(disk, "ro")
        server.start(ready=False)
        until(lambda: answers(server), "no answer")
        until(lambda: any("Read-only" in fault for fault in server.faults()), server.faults)
        assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
        assert httpx.get(f"http://127.0.0.1:{server.api_port}/livez").status_code == 200
        refused = put(server, "first")
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["Retry-After"] == "1"
        assert "Read-only" in refused.text
        remount(disk, "rw")
        server.await_ready()  # no restart needed
        assert put(server, "second").status_code in (200, 201)
        assert server.text("changed.example.test") == "second"
        server.stop()


def test_without_a_generation_a_read_only_disk_is_refused_in_one_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        (disk / "data" / "snapshot").mkdir(parents=True)
        remount(disk, "ro")
        code, said = serve_once(tmp_path, data_dir=disk / "data")
    assert code == 4
    assert len(said.splitlines()) == 1
    assert "Read-only" in said
    assert "--data-dir" in said


def test_a_store_that_was_deleted_under_a_server_is_told_and_takes_no_changes(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path) as server:
        server.apply(document(free_port()))
        aside = server.data.with_name("aside")
        token = server.token
        server.data.rename(aside)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.api_port}") as client:
            assert "Nothing can be saved" in client.get("/readyz").text
            assert client.get("/readyz?for=announce").status_code == 200
            refused = client.patch(
                "/api/v1/nodes/lon",
                json={"weight": 1},
                headers={"Authorization": f"Bearer {token}"},
            )
        assert refused.status_code == 503
        assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
        aside.rename(server.data)
        server.await_ready()
        assert put(server, "back").status_code in (200, 201)
        assert server.text("changed.example.test") == "back"


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def put(server: Server, text: str) -> httpx.Response:
    path = "zones/example.test/rrsets/changed/TXT?wait=true"
    reply: httpx.Response = server.request("PUT", path, {"values": [text]})
    return reply

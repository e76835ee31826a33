"""The disk of the data directory fills up: DNS goes on, the API says why it cannot."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.server import Server, free_port, running_server, until

from .conftest import ADDRESSES, USER, document
from .test_refused_starts import small_disk

NAME = "www.example.test"


def test_a_full_disk_refuses_changes_keeps_answers_and_recovers(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "60m") as disk,
        running_server(tmp_path, data_dir=disk / "data") as server,
    ):
        server.data = disk / "data"
        server.apply(document(free_port()))
        generation = server.api("GET", "status")["generation"]
        fill(disk)
        refused = [put(server, number) for number in range(30)]
        assert 503 in refused
        assert set(refused) <= {503, 200, 201}
        assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
        reply = server.request("DELETE", "zones/example.test/rrsets/static/TXT")
        assert reply.status_code == 503
        assert "Make room on the disk" in reply.text
        (disk / "ballast").unlink()
        # What was saved and could not be published is, without another change.
        server.await_ready()
        saved = max((n for n, code in enumerate(refused) if code != 503), default=None)
        if saved is not None:
            until(lambda: server.text("full.example.test") == f"v{saved}")
        assert put(server, 99) in (200, 201)
        assert server.text("full.example.test") == "v99"
        assert server.api("GET", "status")["generation"] > generation


def test_a_change_that_was_saved_is_published_when_there_is_room_again(tmp_path: Path) -> None:
    """Only the snapshot directory is full: the store takes the change, publishing fails."""
    with running_server(tmp_path) as server:
        server.apply(document(free_port()))
        server.kill()
        snapshot = server.data / "snapshot"
        kept = {path.name: path.read_bytes() for path in snapshot.iterdir()}
        for path in list(snapshot.iterdir()):
            path.unlink()
        snapshot.rmdir()
        size = sum(-(-len(octets) // 4096) * 4096 for octets in kept.values())
        with small_disk(snapshot, f"{size // 1024 + 4}k"):
            for name, octets in kept.items():
                (snapshot / name).write_bytes(octets)
            fill(snapshot)
            server.start()
            assert put(server, 1) == 503
            assert server.addresses(NAME, USER) == {ADDRESSES["lon"]}
            assert any("No space left" in fault for fault in server.faults())
            grow(snapshot, size // 1024 + 1024)
            until(lambda: server.text("full.example.test") == "v1")
            server.await_ready()
            server.stop()


def put(server: Server, number: int) -> int:
    path = "zones/example.test/rrsets/full/TXT?wait=true"
    return server.request("PUT", path, {"values": [f"v{number}"]}).status_code


def fill(disk: Path) -> None:
    """Take every block that is left."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        for size in (1 << 16, 4096, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                continue


def grow(disk: Path, size_k: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size_k}k", str(disk)], check=True)

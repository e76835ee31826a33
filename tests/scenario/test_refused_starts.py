"""What keeps a server from starting is said in clear lines, with the remedy and a status."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.server import COMMAND, free_port, running_server, serve_once

from .conftest import tool


def lines(said: str) -> list[str]:
    """What a person sees; every line must be ours."""
    found = said.splitlines()
    assert all(line.startswith("geodns: ") for line in found), said
    return [line.removeprefix("geodns: ") for line in found]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_dns_port_in_use_is_one_line_with_the_remedy(
    tmp_path: Path, kind: socket.SocketKind
) -> None:
    port = free_port()
    with socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        code, said = serve_once(tmp_path, dns=f"127.0.0.1:{port}")
    transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    assert code == 2
    assert len(lines(said)) == 1
    assert re.search(rf"{transport} 127\.0\.0\.1:{port} is in use\. .*ss -lnp.*{port}", said)


def test_a_dns_port_of_another_geodns_is_in_use_although_it_could_be_shared(
    tmp_path: Path,
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with running_server(tmp_path / "first", workers=2) as first:
        code, said = serve_once(tmp_path / "second", dns=f"127.0.0.1:{first.dns_port}")
        assert code == 2
        assert f"UDP 127.0.0.1:{first.dns_port} is in use." in lines(said)[0]


def test_an_api_port_in_use_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = serve_once(tmp_path, api=f"127.0.0.1:{port}")
    assert code == 2
    assert len(lines(said)) == 1
    assert f"TCP 127.0.0.1:{port} is in use." in said


@pytest.mark.parametrize("flag", ["--dns-port", "--api-port"])
def test_a_port_of_the_demo_in_use_is_one_line_with_the_flag(flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {name: free_port() for name in ("--dns-port", "--api-port", "--node-port")}
        ports[flag] = other.getsockname()[1]
        words = [f"{name}={port}" for name, port in ports.items()]
        done = subprocess.run(
            [*COMMAND, "demo", *words],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = lines(done.stderr)
    assert said.startswith(f"TCP 127.0.0.1:{ports[flag]} is in use.")
    assert said.endswith(f"choose another port with {flag}.")


def test_every_port_in_use_is_named_at_once(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.2", 0)) as two,
    ):
        endpoints = ["{}:{}".format(*each.getsockname()) for each in (one, two)]
        code, said = serve_once(tmp_path, dns=endpoints)
    assert code == 2
    assert len(lines(said)) == 2
    assert all(f"TCP {endpoint} is in use." in said for endpoint in endpoints)


def test_endpoints_of_one_server_may_overlap(tmp_path: Path) -> None:
    port = free_port()
    endpoints = [f"0.0.0.0:{port}", f"127.0.0.1:{port}"]
    with running_server(tmp_path, dns=endpoints) as server:
        server.dns_port = port
        assert server.ask("example.test").rcode() is not None


def test_a_port_that_is_not_permitted_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first <= 53:
        pytest.skip("every port is permitted here")
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        prefix = (tool("setpriv"), "--bounding-set=-net_bind_service", "--inh-caps=-all")
    code, said = serve_once(tmp_path, prefix=prefix, dns="127.0.0.1:53")
    assert code == 2
    assert len(lines(said)) == 1
    assert "UDP 127.0.0.1:53 is not permitted. " in said
    assert "CAP_NET_BIND_SERVICE" in said


def test_a_second_server_on_the_same_data_is_refused_by_pid(tmp_path: Path) -> None:
    with running_server(tmp_path) as first:
        assert first.process is not None
        code, said = serve_once(tmp_path)
        assert code == 2
        assert len(lines(said)) == 1
        assert f"(process {first.process.pid}) already runs on {first.data}. Stop it, or" in said
        assert first.ready()


def test_a_data_directory_that_cannot_be_made_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = serve_once(tmp_path, data_dir=tmp_path / "file" / "data")
    assert code == 4
    assert len(lines(said)) == 1
    assert "--data-dir" in said


@pytest.mark.parametrize("size_k", [4, 4356])
def test_too_small_a_runtime_directory_is_one_line(tmp_path: Path, size_k: int) -> None:
    """Room for nothing; room for the status table but no worker's page."""
    with small_disk(tmp_path / "memory", f"{size_k}k") as runtime:
        code, said = serve_once(tmp_path, runtime_dir=runtime)
    assert code == 4
    assert len(lines(said)) == 1
    assert str(runtime) in said
    assert "No space left" in said


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own, in memory, of a few kilobytes."""
    mount = shutil.which("mount", path="/usr/bin:/bin:/sbin")
    place.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if mount else None
    if done is None or done.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)

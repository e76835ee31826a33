"""Whom probes do not connect to, by whatever name."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geodns.health.observation import Observation
from geodns.health.probes import local as local_module
from geodns.health.probes.local import ApiPorts, Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

TYPES: dict[str, dict[str, Any]] = {
    "http": {},
    "https": {"host": "www.example.com"},
    "tcp": {},
    "tls": {"host": "www.example.com"},
    "udp": {"send": "x"},
    "dns": {"query": "www.example.com A"},
    "icmp": {"port": None},
    "grpc": {},
    "script": {"port": None, "argv": ["check"]},
}


class Canary:
    """A listener that nobody may reach."""

    def __init__(self) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        for one in (self.tcp, self.udp):
            one.setblocking(False)

    def reached(self) -> bool:
        for read in (self.tcp.accept, lambda: self.udp.recv(99)):
            try:
                read()
            except BlockingIOError:
                continue
            return True
        return False


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.tcp.close()
    made.udp.close()


def probed(kind: str, target: str, port: int, local: Local) -> Observation:
    fields = {"type": kind, "port": port, "timeout_s": 0.3} | TYPES[kind]
    monitor = Monitor.model_validate_json(json.dumps(fields))
    return asyncio.run(ProbeMaker(local)(target, monitor).observe())


def scripts(tmp_path: Path) -> Path:
    program = tmp_path / "check"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("target", ["169.254.169.254", "::ffff:169.254.169.254", "2852039166"])
def test_no_type_of_probe_goes_to_a_forbidden_address(
    kind: str, target: str, tmp_path: Path
) -> None:
    seen = probed(kind, target, 80, Local(scripts(tmp_path)))
    assert not seen.passed
    assert "not probed: " in seen.reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in ("icmp", "script")])
@pytest.mark.parametrize("target", ["127.0.0.1", "127.1", "2130706433", "localhost"])
def test_no_type_of_probe_goes_to_our_own_api(kind: str, target: str, canary: Canary) -> None:
    own = frozenset({canary.port})
    seen = probed(kind, target, canary.port, Local(own_ports=lambda: own))
    assert not seen.passed
    assert "is our own API" in seen.reason
    assert not canary.reached()


@pytest.mark.parametrize("wrapped", ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"])
def test_nor_by_a_wrapped_address(wrapped: str, canary: Canary) -> None:
    own = frozenset({canary.port})
    seen = probed("tcp", wrapped, canary.port, Local(own_ports=lambda: own))
    assert "is our own API" in seen.reason
    assert not canary.reached()


def test_the_same_port_of_another_machine_is_not_ours() -> None:
    # 192.0.2.0/24 is for documents (RFC 5737): no machine has it.
    seen = probed("udp", "192.0.2.1", 8053, Local(own_ports=lambda: frozenset({8053})))
    assert "API" not in seen.reason


def test_a_name_that_flips_is_asked_once_and_held_to_its_word(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def flipping(name: str, *_args: Any, **_kw: Any) -> list[Any]:
        asked.append(name)
        address = "127.0.0.1" if len(asked) % 2 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(local_module.socket, "getaddrinfo", flipping)
    assert probed("tcp", "flips.example", canary.port, Local()).passed
    assert asked == ["flips.example"]
    second = probed("tcp", "flips.example", canary.port, Local())
    assert second.reason == "not probed: 169.254.169.254 is a cloud's metadata service"


def test_one_forbidden_address_among_several_forbids_the_name(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
        for address in ("127.0.0.1", "169.254.169.254")
    ]
    monkeypatch.setattr(local_module.socket, "getaddrinfo", lambda *_args, **_kw: both)
    assert "not probed" in probed("tcp", "both.example", canary.port, Local()).reason
    assert not canary.reached()


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    seen = probed("tcp", "no such name", 80, Local())
    assert not seen.passed
    assert not seen.unable


def test_the_apis_port_is_read_from_the_data_directory_and_followed(tmp_path: Path) -> None:
    ports = ApiPorts(tmp_path)
    assert ports() == frozenset()
    (tmp_path / "api.json").write_text('{"api": "http://127.0.0.1:8053"}')
    assert ports() == {8053}
    (tmp_path / "next").write_text('{"api": "http://[::1]:9000"}')
    (tmp_path / "next").rename(tmp_path / "api.json")
    assert ports() == {9000}
    (tmp_path / "next").write_text("damaged")
    (tmp_path / "next").rename(tmp_path / "api.json")
    assert ports() == {9000}

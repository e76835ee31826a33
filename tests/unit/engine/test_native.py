"""Questions that the native engine leaves to the host."""

from __future__ import annotations

import select
import socket
from array import array
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import dns.message
import pytest
from support.build import ROME, config, node, zone
from support.engines import need, sections
from support.lab import Lab, question

from geodns.engine.native import QUESTIONS_BURST
from geodns.engine.page import COUNTERS
from geodns.geo.world import World

WHY = question("_explain.www.example.test", "TXT").to_wire()
PLAIN = question("www.example.test").to_wire()
LOOPBACK = (IPv4Address("127.0.0.0"), 8)


@pytest.fixture
def served(tmp_path: Path, tiny_world: World) -> Iterator[tuple[Any, socket.socket]]:
    """A native server whose host is the test, and a client of it."""
    need("native")
    from geodns import _native

    nodes = {"rome": node(ROME, "198.18.0.1")}
    made = config({"example.test": zone({"www": "web"})}, nodes, {"web": {"nodes": ["rome"]}})
    lab = Lab(tmp_path, tiny_world, made)
    with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(type=udp.type) as client:
        udp.setblocking(False)
        udp.bind(("127.0.0.1", 0))
        client.connect(udp.getsockname())
        client.settimeout(10)
        server = _native.Server(
            [(udp.fileno(), False)],
            [],
            lab.status.words,
            [array("Q", bytes(8 * len(COUNTERS))) for _ in range(2)],
            _native.Around(debug_sources=[LOOPBACK]),
            sections(lab),
        )
        yield server, client
        server.stop()


def test_the_host_is_called_until_it_has_taken_every_question(
    served: tuple[Any, socket.socket],
) -> None:
    server, client = served
    count = 3 * QUESTIONS_BURST
    for _ in range(count):
        client.send(WHY)
    client.send(PLAIN)
    assert dns.message.from_wire(client.recv(4096)).answer  # so all before it wait for the host
    taken = 0
    while is_readable(server, 0):
        for _ in range(QUESTIONS_BURST):
            asked = server.take()
            if asked is None:
                break
            assert (asked.packet, asked.resolver, asked.tcp) == (WHY, "127.0.0.1", False)
            server.answer(asked, WHY)
            taken += 1
    assert taken == count
    assert {client.recv(4096) for _ in range(count)} == {WHY}


def test_silence_of_the_host_is_silence(served: tuple[Any, socket.socket]) -> None:
    server, client = served
    client.send(WHY)
    assert is_readable(server, 10)
    server.answer(server.take(), None)
    client.send(PLAIN)
    assert client.recv(4096)[:2] == PLAIN[:2]


def is_readable(server: Any, patience_s: float) -> bool:
    """Whether questions wait; poll, for select knows no descriptors beyond 1,024."""
    ready = select.poll()
    ready.register(server, select.POLLIN)
    return bool(ready.poll(1000 * patience_s))

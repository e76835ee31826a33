"""The native threads on real sockets give the octets that the reference engine gives: batches,
reading ahead and pipelining change no answer, nor do a new generation or another health between.
"""

from __future__ import annotations

import random
import socket
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab

from differential.native.fleets import make_fleet
from differential.native.packets import Mint
from geodns.document.load import from_document
from geodns.engine.responder import Responder, Surroundings
from geodns.geo.world import World
from geodns.snapshot.status import Verdict, Word

native = pytest.importorskip("geodns._native", reason="no native engine was built")

SEEDS = (2, 5)
BURSTS, BURST = 60, 40
"""More at once than one batch holds."""
PATIENCE_S = 60
"""Of the client, and with it of the server, on a machine that others use, too."""
LOOPBACK = "127.0.0.1"
AROUND = Surroundings(nsid=b"lab")
"""Without cookies, in which the time is."""


def test_udp_and_tcp_answer_as_the_reference_engine_does(tmp_path: Path, world: World) -> None:
    rng = random.Random("sockets")
    fleets = [make_fleet(seed, asns=False) for seed in SEEDS]
    lab = Lab(tmp_path, world, from_document(fleets[0].document))
    mint = Mint(fleets, 1)
    with _serving(lab) as (server, udp, tcp):
        for turn in range(BURSTS):
            if turn == BURSTS // 2:
                lab.serve(from_document(fleets[1].document))
                server.load(_sections(lab))
            _change_health(rng, lab)
            reference = Responder(lab.generation, lab.status, AROUND)
            packets = [packet for packet, _, _ in mint.batch(BURST)]
            expected = [reference.respond(packet, LOOPBACK) for packet in packets]
            assert _over_udp(udp, packets, expected) == [each for each in expected if each]
            replies = [(each, reference.respond(each, LOOPBACK, tcp=True)) for each in packets]
            wanted = [(packet, reply) for packet, reply in replies if reply]
            assert _over_tcp(tcp, wanted) == [reply for _, reply in wanted]


@contextmanager
def _serving(lab: Lab) -> Iterator[tuple[Any, socket.socket, socket.socket]]:
    """A server, and a client of it for each transport."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((LOOPBACK, 0))
    tcp = socket.create_server((LOOPBACK, 0))
    counters = [array("Q", bytes(8 * 16)) for _ in range(2)]
    with udp, tcp:
        for each in (udp, tcp):
            each.setblocking(False)
        server = native.Server(
            [(udp.fileno(), False)],
            [tcp.fileno()],
            lab.status.table,
            counters,
            native.Around(nsid=b"lab"),
            _sections(lab),
            idle_s=PATIENCE_S,
        )
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking.connect(udp.getsockname())
        asking.settimeout(PATIENCE_S)
        with closing(asking), socket.create_connection(tcp.getsockname(), PATIENCE_S) as stream:
            yield server, asking, stream
        server.stop()


def _over_udp(
    client: socket.socket, packets: list[bytes], expected: list[bytes | None]
) -> list[bytes]:
    for packet in packets:
        client.send(packet)
    return [client.recv(65_535) for reply in expected if reply]


def _over_tcp(client: socket.socket, wanted: list[tuple[bytes, bytes]]) -> list[bytes]:
    client.sendall(b"".join(len(packet).to_bytes(2, "big") + packet for packet, _ in wanted))
    return [_exactly(client, int.from_bytes(_exactly(client, 2), "big")) for _ in wanted]


def _exactly(client: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        part = client.recv(size - len(octets))
        assert part, "the connection has ended"
        octets += part
    return octets


def _change_health(rng: random.Random, lab: Lab) -> None:
    for slot, tag in lab.slot_of.values():
        lab.status.write(slot, Word(tag, rng.choice((Verdict.UP, Verdict.DOWN))))


def _sections(lab: Lab) -> list[tuple[int, str, bytes]]:
    assert lab.manifest is not None
    return [(entry.kind, entry.name, lab.fetch(entry)) for entry in lab.manifest.sections]

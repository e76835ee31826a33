"""Odd packets in odd pieces over TCP: the native thread sends what the reference engine would."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from protocol.malformed.battery import CASES
from protocol.malformed.zone import document
from support.engines import need
from support.lab import Lab
from support.tcp import NativeTcp

from geodns.document.load import from_document
from geodns.engine.responder import Responder
from geodns.geo.world import World

CLIENTS, MESSAGES = 12, 400
PIECES = (1, 2, 3, 50, 700, 20_000, 100_000)
CLIENT = "127.0.0.1"
PATIENCE_S = 30.0


@pytest.fixture
def served(tmp_path: Path, tiny_world: World) -> Iterator[tuple[Lab, NativeTcp]]:
    need("native")
    lab = Lab(tmp_path, tiny_world, from_document({"geodns": 1, **document()}))
    clients = NativeTcp(lab, connections=CLIENTS, idle_s=PATIENCE_S)
    yield lab, clients
    clients.close()


def test_odd_packets_in_odd_pieces_get_the_replies_of_the_reference(
    served: tuple[Lab, NativeTcp],
) -> None:
    lab, clients = served
    told = {case.packet: lab.raw(case.packet, CLIENT, tcp=True) for case in CASES}
    answered = [packet for packet, reply in told.items() if reply is not None]
    assert isinstance(lab.responder, Responder)
    assert len(answered) > 300
    found = [_Talk(clients.client(), seed, answered) for seed in range(CLIENTS)]
    for talk in found:
        talk.join()
    for talk in found:
        wanted = b"".join(framed(told[packet] or b"") for packet in talk.asked)
        assert talk.heard == wanted, f"seed {talk.seed}"
    clients.until(lambda: clients.counted("tcp_closed") == CLIENTS)
    assert clients.counted("tcp") == CLIENTS * MESSAGES


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


class _Talk(threading.Thread):
    """One client: sends its messages in pieces of chance, reads when it likes, closes its side."""

    def __init__(self, sock: socket.socket, seed: int, packets: list[bytes]) -> None:
        super().__init__()
        self.seed, self.heard = seed, b""
        self._draw = random.Random(seed)
        self.asked = self._draw.choices(packets, k=MESSAGES)
        self._socket = sock
        self._socket.setblocking(True)
        self._sender = threading.Thread(target=self._send)
        self.start()

    def run(self) -> None:
        self._sender.start()
        draw = random.Random(-self.seed)
        while octets := self._socket.recv(draw.choice(PIECES)):
            self.heard += octets
        self._sender.join()

    def _send(self) -> None:
        stream = b"".join(map(framed, self.asked))
        while stream:
            size = self._draw.choice(PIECES)
            self._socket.sendall(stream[:size])
            stream = stream[size:]
        self._socket.shutdown(socket.SHUT_WR)

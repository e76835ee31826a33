"""The native engine in a whole server: its threads, its order over TCP, its neighbours."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest
from support.engines import need
from support.server import Server, free_port, running_server, until

from .conftest import document

NAME = "static.example.test"
WHY = "_explain.www.example.test"
WORKERS = 2
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    need("native")
    directory = tmp_path_factory.mktemp("native")
    with running_server(directory, workers=WORKERS) as server:
        server.apply(document(free_port("127.0.1.1")))
        yield server


def framed(name: str, number: int) -> bytes:
    query = dns.message.make_query(name, "TXT", use_edns=0)
    query.id = number
    wire = query.to_wire()
    return struct.pack(">H", len(wire)) + wire


def replies(stream: socket.socket, count: int) -> list[dns.message.Message]:
    return [dns.query.receive_tcp(stream, None)[0] for _ in range(count)]  # type: ignore[arg-type]


def counters(server: Server, number: int) -> dict[str, int]:
    return dict(server.api("GET", "status")["workers"][number]["counters"])


def test_auto_is_the_native_engine(server: Server) -> None:
    assert server.api("GET", "status")["engine"] == "native"
    assert server.logged("with the native engine")


def test_each_worker_has_one_thread_for_udp_and_one_for_tcp(server: Server) -> None:
    for number in range(WORKERS):
        tasks = Path(f"/proc/{server.worker(number)}/task").iterdir()
        names = Counter((task / "comm").read_text().strip() for task in tasks)
        assert names["geodns-udp"] == names["geodns-tcp"] == 1
        assert names.total() == 3, "these and Python's"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_system_spreads_queries_over_the_workers(server: Server, transport: str) -> None:
    before = [counters(server, number)[transport] for number in range(WORKERS)]
    for _ in range(60):  # each from another port
        assert server.ask(NAME, "TXT", tcp=transport == "tcp").answer
    grown = [counters(server, number)[transport] - before[number] for number in range(WORKERS)]
    assert min(grown) > 0
    assert sum(grown) == 60


def test_a_debug_name_over_tcp_keeps_its_place_among_other_queries(server: Server) -> None:
    names = [NAME, WHY, NAME, NAME, WHY, WHY, NAME]
    stream_of = b"".join(framed(name, number) for number, name in enumerate(names))
    with socket.create_connection((HOST, server.dns_port), 5) as stream:
        stream.sendall(stream_of)
        found = replies(stream, len(names))
    assert [reply.id for reply in found] == [*range(len(names))]
    for name, reply in zip(names, found, strict=True):
        assert ("generation" in str(reply.answer[0])) is (name == WHY)


def test_who_leaves_before_the_host_has_answered_harms_nobody(server: Server) -> None:
    for _ in range(50):
        with socket.create_connection((HOST, server.dns_port), 5) as stream:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.sendall(framed(WHY, 1) + framed(NAME, 2))
    with socket.create_connection((HOST, server.dns_port), 5) as stream:
        stream.sendall(framed(WHY, 3) + framed(NAME, 4))
        assert [reply.id for reply in replies(stream, 2)] == [3, 4]


def test_half_a_close_after_a_debug_name_is_answered_first(server: Server) -> None:
    with socket.create_connection((HOST, server.dns_port), 5) as stream:
        stream.sendall(framed(WHY, 1) + framed(NAME, 2))
        stream.shutdown(socket.SHUT_WR)
        assert [reply.id for reply in replies(stream, 2)] == [1, 2]
        assert stream.recv(1) == b""


def test_queries_over_tcp_are_counted_by_whoever_answers_them(server: Server) -> None:
    def total(name: str) -> int:
        return sum(counters(server, number)[name] for number in range(WORKERS))

    names = ("tcp", "noerror", "nxdomain", "tcp_open", "tcp_closed")
    before = {name: total(name) for name in names}
    for name in (NAME, WHY, "none.example.test"):
        server.ask(name, "TXT", tcp=True)
    until(lambda: total("tcp_closed") == before["tcp_closed"] + 3)
    grown = {name: total(name) - before[name] for name in names}
    assert grown == {"tcp": 3, "noerror": 2, "nxdomain": 1, "tcp_open": 3, "tcp_closed": 3}

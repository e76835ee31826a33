"""Clients that send rubbish, send slowly, or never read: everybody else is served on."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import dns.message
import dns.query
import pytest
from support.server import Server, free_port, running_server, until

from .conftest import document

NAME = "static.example.test"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Server]:
    """One worker of each engine in turn."""
    with running_server(tmp_path_factory.mktemp("server"), engine=engine) as server:
        server.apply(document(free_port("127.0.1.1")))
        yield server


@pytest.fixture(autouse=True)
def same_worker(server: Server) -> Iterator[None]:
    """Whatever a test sends, the worker stays the same process and answers."""
    pid = server.worker()
    yield
    assert server.ask(NAME, "TXT").answer
    assert server.worker() == pid, f"the worker ended:\n{server.log.read_text()[-2000:]}"
    assert not server.logged("could not be answered"), "a query was answered by an exception"


def query(name: str = NAME, rtype: str = "TXT", number: int = 0) -> bytes:
    message = dns.message.make_query(name, rtype, use_edns=0, payload=1232)
    message.id = number
    return message.to_wire()


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


def connected(server: Server, timeout_s: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.dns_port), timeout_s)


def read(stream: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = stream.recv(size - len(octets))
        assert more, "the server closed"
        octets += more
    return octets


def read_reply(stream: socket.socket) -> bytes:
    return read(stream, int.from_bytes(read(stream, 2), "big"))


def garbage(seed: int, count: int) -> Iterator[bytes]:
    """Random octets, whole queries with octets altered, cut short, and lengthened."""
    draw = random.Random(seed)
    wholes = [query(), query("_explain.www.example.test"), query("www.example.test", "A")]
    for _ in range(count):
        kind = draw.randrange(4)
        if kind == 0:
            yield draw.randbytes(draw.randrange(80))
            continue
        packet = bytearray(draw.choice(wholes))
        for _ in range(draw.randrange(1, 6) if kind < 3 else 0):
            packet[draw.randrange(len(packet))] = draw.randrange(256)
        yield bytes(packet[: draw.randrange(len(packet))] if kind == 2 else packet)
        if kind == 3:
            yield bytes(packet) + draw.randbytes(draw.randrange(1, 600))


def test_twenty_thousand_malformed_datagrams_stop_nobody(server: Server) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        for number, packet in enumerate(garbage(1, 20_000)):
            udp.sendto(packet, ("127.0.0.1", server.dns_port))
            if number % 500 == 0:  # in step with the worker, so that none is lost unseen
                assert server.ask(NAME, "TXT", timeout_s=5).answer


def test_malformed_messages_over_tcp_stop_nobody(server: Server) -> None:
    for packet in garbage(2, 300):
        with connected(server) as stream:
            stream.sendall(framed(packet))


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\0", b"\xff\xff", framed(query())[:-1]])
def test_half_a_message_and_a_hang_up_stop_nobody(server: Server, octets: bytes) -> None:
    with connected(server) as stream:
        stream.sendall(octets)


def test_a_length_beyond_what_follows_waits_without_holding_others_up(server: Server) -> None:
    with connected(server) as stream:
        stream.sendall(b"\xff\xff" + bytes(40_000))
        assert server.ask(NAME, "TXT", tcp=True).answer


def test_a_message_sent_octet_by_octet_is_answered(server: Server) -> None:
    with connected(server) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(query(number=77)):
            stream.sendall(bytes([octet]))
            time.sleep(0.001)
        assert read_reply(stream)[:2] == (77).to_bytes(2, "big")


def test_five_hundred_queries_in_one_segment_are_all_answered_in_order(server: Server) -> None:
    with connected(server) as stream:
        stream.sendall(b"".join(framed(query(number=number)) for number in range(500)))
        ids = [int.from_bytes(read_reply(stream)[:2], "big") for _ in range(500)]
    assert ids == list(range(500))


def test_queries_followed_by_a_half_close_are_all_answered(server: Server) -> None:
    """What ``dig`` does not do and simple clients do: send, close their side, then read."""
    with connected(server) as stream:
        wires = [framed(query("big.example.test", number=number)) for number in range(200)]
        stream.sendall(b"".join(wires))
        stream.shutdown(socket.SHUT_WR)
        ids = [int.from_bytes(read_reply(stream)[:2], "big") for _ in range(200)]
        assert ids == list(range(200))
        assert stream.recv(1) == b""


def test_three_hundred_idle_connections_do_not_keep_a_new_one_out(server: Server) -> None:
    with ExitStack() as idle:
        for _ in range(300):
            idle.enter_context(connected(server))
        started_s = time.monotonic()
        assert server.ask(NAME, "TXT", tcp=True).answer
        assert time.monotonic() - started_s < 1


def test_clients_that_never_read_hold_nobody_up(server: Server) -> None:
    with ExitStack() as deaf:
        wires = b"".join(framed(query("big.example.test", number=n)) for n in range(1000))
        for _ in range(20):
            stream = deaf.enter_context(connected(server))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.setblocking(False)
            stream.send(wires)
        for _ in range(20):
            assert server.ask(NAME, "TXT", tcp=True).answer
            assert server.ask(NAME, "TXT").answer


def test_a_slow_reader_gets_every_reply(server: Server) -> None:
    count = 400
    with connected(server) as stream:
        stream.sendall(b"".join(framed(query("big.example.test", number=n)) for n in range(count)))
        ids = []
        for number in range(count):
            ids.append(int.from_bytes(read_reply(stream)[:2], "big"))
            if number % 50 == 0:
                time.sleep(0.05)
    assert ids == list(range(count))


def test_an_idle_connection_is_closed(server: Server) -> None:
    with connected(server, timeout_s=15) as stream:
        stream.sendall(framed(query()))
        read_reply(stream)
        started_s = time.monotonic()
        assert stream.recv(1) == b""
        assert 8 < time.monotonic() - started_s < 13


def test_a_query_from_port_zero_is_dropped_and_a_reply_is_never_answered(server: Server) -> None:
    """Both would make two servers talk to each other for ever."""
    reply = bytearray(query())
    reply[2] |= 0x80
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.2)
        udp.sendto(reply, ("127.0.0.1", server.dns_port))
        with pytest.raises(TimeoutError):
            udp.recv(4096)


def test_replies_that_nobody_takes_do_not_disturb_the_others(server: Server) -> None:
    """The client's port is closed before the reply arrives: ICMP errors come back."""
    for number in range(200):
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.sendto(query(number=number), ("127.0.0.1", server.dns_port))
    until(lambda: server.ask(NAME, "TXT").answer)

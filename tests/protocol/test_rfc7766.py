"""RFC 7766 and RFC 9210: TCP, on real sockets, the clock in the test's hand."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections import Counter
from collections.abc import Iterator

import dns.message
import pytest
from support.lab import Lab, question

from geodns.engine import tcp as engine_tcp
from geodns.engine.tcp import TcpServer


class Loop:
    """A TCP server turned by the test."""

    def __init__(self, lab: Lab) -> None:
        self.now_s = 1000.0
        self.counted: Counter[str] = Counter()
        self.asked: list[bytes] = []
        self.lab = lab
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0))
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # soon full; inherited by connections
            self.listener.setsockopt(socket.SOL_SOCKET, buffer, 65_536)
        self.listener.setblocking(False)
        self.server = TcpServer(
            self.selector, self._respond, lambda name: self.counted.update([name]), self._now
        )
        self.selector.register(
            self.listener, selectors.EVENT_READ, lambda _: self.server.accept(self.listener)
        )
        self.clients: list[socket.socket] = []

    def _now(self) -> float:
        return self.now_s

    def _respond(self, packet: bytes, peer: str) -> bytes | None:
        assert peer == "127.0.0.1"
        self.asked.append(packet)
        return self.lab.raw(packet, peer, tcp=True)

    def client(self) -> socket.socket:
        client = socket.create_connection(self.listener.getsockname())
        client.settimeout(5)
        self.clients.append(client)
        self.turn()
        return client

    def turn(self) -> None:
        """Do what there is to do, until there is nothing."""
        while events := self.selector.select(0.005):
            for key, mask in events:
                key.data(mask)

    def read(self, client: socket.socket) -> list[bytes]:
        """The whole messages that have come, and b"" if the server has closed."""
        octets, closed = b"", False
        client.setblocking(False)
        while not closed:
            self.turn()
            try:
                more = client.recv(1 << 20)
            except BlockingIOError:
                break
            except ConnectionResetError:
                more = b""
            octets, closed = octets + more, not more
        messages = []
        while octets:
            end = 2 + int.from_bytes(octets[:2], "big")
            assert len(octets) >= end, "a part of a message"
            messages.append(octets[2:end])
            octets = octets[end:]
        return messages + [b""] * closed

    def close(self) -> None:
        for sock in (*self.clients, self.listener):
            sock.close()
        self.server.close()
        self.selector.close()


@pytest.fixture
def loop(lab: Lab) -> Iterator[Loop]:
    loop = Loop(lab)
    yield loop
    loop.close()


def framed(*queries: dns.message.Message) -> bytes:
    wires = (query.to_wire() for query in queries)
    return b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)


def ids(replies: list[bytes]) -> list[int]:
    return [int.from_bytes(reply[:2], "big") for reply in replies]


QUERY = question("mail.example.test")
HUGE = question("huge.example.test", "TXT")
HUGE_QUESTION = b"\4huge\7example\4test\0"


def test_section_8_a_message_has_two_octets_of_length_in_front(loop: Loop) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    (octets,) = loop.read(client)
    assert QUERY.is_response(dns.message.from_wire(octets))


def test_section_8_octets_may_come_one_by_one(loop: Loop) -> None:
    client = loop.client()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in framed(QUERY, QUERY):
        client.sendall(bytes([octet]))
        loop.turn()
    assert ids(loop.read(client)) == [QUERY.id] * 2


def test_section_6_2_1_a_connection_serves_many_queries(loop: Loop) -> None:
    client = loop.client()
    for _ in range(5):
        client.sendall(framed(QUERY))
        assert ids(loop.read(client)) == [QUERY.id]
    assert loop.counted == {"tcp_open": 1}


def test_section_6_2_1_1_pipelined_queries_are_all_answered(loop: Loop) -> None:
    client = loop.client()
    queries = [question("huge.example.test", "TXT") for _ in range(200)]
    client.sendall(framed(*queries))
    assert ids(loop.read(client)) == [query.id for query in queries]


def test_section_6_2_1_1_other_clients_do_not_wait_for_one_that_does_not_read(loop: Loop) -> None:
    slow, quick = loop.client(), loop.client()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    slow.setblocking(False)
    stream, sent = framed(HUGE) * 100_000, 0
    with contextlib.suppress(BlockingIOError):  # until both its directions are full
        while sent < len(stream):
            sent += slow.send(stream[sent : sent + 50_000])
            loop.turn()
    assert 0 < sent < len(stream)
    asked = len(loop.asked)
    quick.sendall(framed(QUERY))
    assert ids(loop.read(quick)) == [QUERY.id]
    assert len(loop.asked) == asked + 1, "the slow one is not read on"


def test_section_6_2_1_1_one_that_reads_late_gets_all_it_asked_for(loop: Loop) -> None:
    client = loop.client()
    client.sendall(framed(*[HUGE] * 400))  # a megabyte of replies
    octets = b""
    while octets.count(HUGE_QUESTION) < 400:
        loop.turn()
        octets += client.recv(1 << 20)


def test_section_6_2_3_an_idle_connection_is_closed_after_a_while(loop: Loop) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    assert ids(loop.read(client)) == [QUERY.id]
    loop.now_s += engine_tcp.IDLE_S - 0.1
    loop.server.expire()
    assert loop.read(client) == []
    loop.now_s += 0.2
    loop.server.expire()
    assert loop.read(client) == [b""]
    assert loop.counted["tcp_closed"] == 1


def test_section_6_2_3_half_a_message_keeps_nobody_alive(loop: Loop) -> None:
    """RFC 9210 section 5: a client that sends an octet now and then must not hold its place."""
    client = loop.client()
    for octet in framed(QUERY)[:8]:
        client.sendall(bytes([octet]))
        loop.turn()
        loop.now_s += engine_tcp.IDLE_S / 4
        loop.server.expire()
        if loop.read(client) == [b""]:
            break
    assert loop.counted["tcp_closed"] == 1


def test_rfc9210_section_4_2_beyond_the_limit_the_longest_idle_gives_way(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_tcp, "CONNECTIONS_MAX", 3)
    first, second, third = (loop.client() for _ in range(3))
    loop.now_s += 1
    first.sendall(framed(QUERY))  # so the second has been idle the longest
    assert ids(loop.read(first)) == [QUERY.id]
    fourth = loop.client()
    assert loop.read(second) == [b""]
    for client in (first, third, fourth):
        client.sendall(framed(QUERY))
        assert ids(loop.read(client)) == [QUERY.id]


def test_section_6_2_4_a_client_may_close_its_side_and_still_be_answered(loop: Loop) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    client.shutdown(socket.SHUT_WR)
    replies = loop.read(client)
    assert ids([reply for reply in replies if reply]) == [QUERY.id]
    assert replies[-1] == b""


def test_section_6_2_4_a_client_that_goes_away_takes_only_itself(loop: Loop) -> None:
    gone, here = loop.client(), loop.client()
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close is a reset
    gone.sendall(framed(HUGE))
    gone.close()
    loop.turn()
    here.sendall(framed(QUERY))
    assert ids(loop.read(here)) == [QUERY.id]


@pytest.mark.parametrize("message", [b"", b"\0" * 11, b"\0\0\x80" + b"\0" * 9])
def test_section_8_what_gets_no_reply_gets_no_connection_either(loop: Loop, message: bytes) -> None:
    """Too short for a header, or itself a reply: nothing to wait for."""
    client = loop.client()
    client.sendall(len(message).to_bytes(2, "big") + message)
    assert loop.read(client) == [b""]


def test_section_8_a_message_of_65535_octets_is_read_whole(loop: Loop) -> None:
    client = loop.client()
    packet = QUERY.to_wire() + bytes(65_535 - len(QUERY.to_wire()))
    client.sendall(b"\xff\xff" + packet + framed(QUERY))
    replies = loop.read(client)
    assert [reply[3] & 15 for reply in replies] == [1, 0]  # FORMERR: octets behind the message


def test_section_5_a_malformed_query_does_not_end_the_connection(loop: Loop) -> None:
    client = loop.client()
    client.sendall(b"\0\x0c" + b"\0\1" + bytes(10) + framed(QUERY))
    assert [reply[3] & 15 for reply in loop.read(client)] == [1, 0]


def test_section_7_replies_of_one_connection_keep_their_order(loop: Loop) -> None:
    client = loop.client()
    queries = [QUERY, HUGE, question("nothing.example.test"), question("www.sub.parent.test")] * 5
    for number, query in enumerate(queries):
        query.id = number
        client.sendall(framed(query))
    assert ids(loop.read(client)) == [*range(len(queries))]

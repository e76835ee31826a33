"""RFC 7766 and RFC 9210: TCP, on real sockets, of both engines."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import dns.message
import pytest
from support.lab import Lab, question
from support.tcp import Clients, NativeTcp, ReferenceTcp

from geodns.engine.tcp import CONNECTIONS_MAX


@pytest.fixture
def serve(lab: Lab) -> Iterator[Callable[[int], Clients]]:
    """Serves so many connections at once with the lab's engine."""
    made: list[Clients] = []

    def serve(connections: int) -> Clients:
        made.append((NativeTcp if lab.engine == "native" else ReferenceTcp)(lab, connections))
        return made[-1]

    yield serve
    for clients in made:
        clients.close()


@pytest.fixture
def loop(serve: Callable[[int], Clients]) -> Clients:
    return serve(CONNECTIONS_MAX)


def framed(*queries: dns.message.Message) -> bytes:
    wires = (query.to_wire() for query in queries)
    return b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)


def ids(replies: list[bytes]) -> list[int]:
    return [int.from_bytes(reply[:2], "big") for reply in replies]


QUERY = question("mail.example.test")
HUGE = question("huge.example.test", "TXT")
HUGE_QUESTION = b"\4huge\7example\4test\0"


def test_section_8_a_message_has_two_octets_of_length_in_front(loop: Clients) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    (octets,) = loop.read(client)
    assert QUERY.is_response(dns.message.from_wire(octets))


def test_section_8_octets_may_come_one_by_one(loop: Clients) -> None:
    client = loop.client()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in framed(QUERY, QUERY):
        client.sendall(bytes([octet]))
        loop.turn()
    assert ids(loop.read(client, 2)) == [QUERY.id] * 2


def test_section_6_2_1_a_connection_serves_many_queries(loop: Clients) -> None:
    client = loop.client()
    for _ in range(5):
        client.sendall(framed(QUERY))
        assert ids(loop.read(client)) == [QUERY.id]
    assert (loop.counted("tcp_open"), loop.counted("tcp_closed")) == (1, 0)


def test_section_6_2_1_1_pipelined_queries_are_all_answered(loop: Clients) -> None:
    client = loop.client()
    queries = [question("huge.example.test", "TXT") for _ in range(200)]
    client.sendall(framed(*queries))
    assert ids(loop.read(client, 200)) == [query.id for query in queries]


def test_section_6_2_1_1_other_clients_do_not_wait_for_one_that_does_not_read(
    loop: Clients,
) -> None:
    slow, quick = loop.client(), loop.client()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    slow.setblocking(False)
    stream, sent = framed(HUGE) * 100_000, 0
    asked = -1
    while asked != loop.counted("tcp"):  # until both its directions are full
        asked = loop.counted("tcp")
        with contextlib.suppress(BlockingIOError):
            while sent < len(stream):
                sent += slow.send(stream[sent : sent + 50_000])
                loop.turn()
        loop.pass_time(0.05)
    assert 0 < sent < len(stream)
    quick.sendall(framed(QUERY))
    assert ids(loop.read(quick)) == [QUERY.id]
    loop.until(lambda: loop.counted("tcp") > asked)
    assert loop.counted("tcp") == asked + 1, "the slow one is not read on"


def test_section_6_2_1_1_one_that_reads_late_gets_all_it_asked_for(loop: Clients) -> None:
    client = loop.client()
    client.sendall(framed(*[HUGE] * 400))  # a megabyte of replies
    octets = b""
    client.setblocking(False)
    while octets.count(HUGE_QUESTION) < 400:
        loop.turn()
        with contextlib.suppress(BlockingIOError):
            octets += client.recv(1 << 20)


def test_section_6_2_3_an_idle_connection_is_closed_after_a_while(loop: Clients) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    assert ids(loop.read(client)) == [QUERY.id]
    loop.pass_time(0.7 * loop.idle_s)
    assert loop.is_quiet(client)
    loop.pass_time(0.3 * loop.idle_s)
    assert loop.read(client) == [b""]
    loop.until(lambda: loop.counted("tcp_closed") == 1)


def test_section_6_2_3_half_a_message_keeps_nobody_alive(loop: Clients) -> None:
    """RFC 9210 section 5: a client that sends an octet now and then must not hold its place."""
    client = loop.client()
    for octet in framed(QUERY)[:8]:
        with contextlib.suppress(ConnectionError):
            client.sendall(bytes([octet]))
        loop.pass_time(loop.idle_s / 4)
    loop.until(lambda: loop.counted("tcp_closed") == 1)


def test_rfc9210_section_4_2_beyond_the_limit_the_longest_idle_gives_way(
    serve: Callable[[int], Clients],
) -> None:
    loop = serve(3)
    first, second, third = (loop.client() for _ in range(3))
    loop.pass_time(0.01)
    first.sendall(framed(QUERY))  # so the second has been idle the longest
    assert ids(loop.read(first)) == [QUERY.id]
    fourth = loop.client()
    assert loop.read(second) == [b""]
    for client in (first, third, fourth):
        client.sendall(framed(QUERY))
        assert ids(loop.read(client)) == [QUERY.id]


def test_section_6_2_4_a_client_may_close_its_side_and_still_be_answered(loop: Clients) -> None:
    client = loop.client()
    client.sendall(framed(QUERY))
    client.shutdown(socket.SHUT_WR)
    first, end = loop.read(client, 2)
    assert ids([first]) == [QUERY.id]
    assert end == b""


def test_section_6_2_4_a_client_that_goes_away_takes_only_itself(loop: Clients) -> None:
    gone, here = loop.client(), loop.client()
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close is a reset
    gone.sendall(framed(HUGE))
    gone.close()
    loop.turn()
    here.sendall(framed(QUERY))
    assert ids(loop.read(here)) == [QUERY.id]


@pytest.mark.parametrize("message", [b"", b"\0" * 11, b"\0\0\x80" + b"\0" * 9])
def test_section_8_what_gets_no_reply_gets_no_connection_either(
    loop: Clients, message: bytes
) -> None:
    """Too short for a header, or itself a reply: nothing to wait for."""
    client = loop.client()
    client.sendall(len(message).to_bytes(2, "big") + message)
    assert loop.read(client) == [b""]


def test_section_8_a_message_of_65535_octets_is_read_whole(loop: Clients) -> None:
    client = loop.client()
    packet = QUERY.to_wire() + bytes(65_535 - len(QUERY.to_wire()))
    client.sendall(b"\xff\xff" + packet + framed(QUERY))
    replies = loop.read(client, 2)
    assert [reply[3] & 15 for reply in replies] == [1, 0]  # FORMERR: octets behind the message


def test_section_5_a_malformed_query_does_not_end_the_connection(loop: Clients) -> None:
    client = loop.client()
    client.sendall(b"\0\x0c" + b"\0\1" + bytes(10) + framed(QUERY))
    assert [reply[3] & 15 for reply in loop.read(client, 2)] == [1, 0]


def test_section_7_replies_of_one_connection_keep_their_order(loop: Clients) -> None:
    client = loop.client()
    queries = [QUERY, HUGE, question("nothing.example.test"), question("www.sub.parent.test")] * 5
    for number, query in enumerate(queries):
        query.id = number
        client.sendall(framed(query))
    assert ids(loop.read(client, len(queries))) == [*range(len(queries))]

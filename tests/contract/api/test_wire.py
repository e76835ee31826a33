"""HTTP octet by octet: what is refused, in what words, and what it costs to be slow or many."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.wire import Peer, Reply, web_server

from geodns.api.service import Service
from geodns.api.wire import connection
from geodns.api.wire.head import FIELDS_MAX, HEAD_MAX_OCTETS

Address = tuple[str, int]
HOST = b"Host: api.test\r\n"


def get(path: str = "/livez", *fields: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), HOST, b"".join(fields))


@pytest.fixture(scope="module")
def address(shared: Any) -> Iterator[Address]:
    """The example, served as the control process serves it."""
    shared.service = Service(shared.store, shared.publisher, shared.geo)
    with web_server(shared.new_app()) as address:
        yield address


@pytest.fixture(scope="module")
def bearer(shared: Any) -> bytes:
    return b"Authorization: Bearer " + shared.token.encode() + b"\r\n"


def is_problem(reply: Reply, status: int) -> bool:
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "application/problem+json"
    problem = json.loads(reply.body)
    assert problem["status"] == status
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert problem["reasons"][0]["detail"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["date"].endswith("GMT")
    return True


CHUNKED = b"Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "nonsense": (400, b"hello there\r\n\r\n"),
    "binary": (400, b"\0\1\2\3"),
    "the hello of TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "no version": (400, b"GET /livez\r\n" + HOST + b"\r\n"),
    "bad version": (400, b"GET /livez HTTP/x\r\n" + HOST + b"\r\n"),
    "HTTP/2 at once": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "version 3": (505, b"GET /livez HTTP/3.0\r\n" + HOST + b"\r\n"),
    "no host": (400, b"GET /livez HTTP/1.1\r\n\r\n"),
    "two hosts": (400, get("/livez", HOST)),
    "a host that is none": (400, b"GET /livez HTTP/1.1\r\nHost: a b/c\r\n\r\n"),
    "bare LF": (400, b"GET /livez HTTP/1.1\nHost: x\n\n"),
    "bare LF in a field": (400, get("/livez", b"X: a\nY: b\r\n")),
    "bare CR in a field": (400, get("/livez", b"X: a\rY: b\r\n")),
    "NUL in a field": (400, get("/livez", b"X: a\0b\r\n")),
    "a folded line": (400, get("/livez", b"X: a\r\n b\r\n")),
    "a folded first line": (400, b"GET /livez HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n"),
    "space before the colon": (400, get("/livez", b"X : a\r\n")),
    "no colon": (400, get("/livez", b"X\r\n")),
    "no name": (400, get("/livez", b": a\r\n")),
    "both lengths": (400, get("/livez", b"Content-Length: 3\r\n", CHUNKED) + b"0\r\n\r\n"),
    "two lengths": (400, get("/livez", b"Content-Length: 3\r\nContent-Length: 4\r\n")),
    "the same length twice": (400, get("/livez", b"Content-Length: 0\r\nContent-Length: 0\r\n")),
    "negative length": (400, get("/livez", b"Content-Length: -1\r\n")),
    "length with a plus": (400, get("/livez", b"Content-Length: +1\r\n")),
    "length in hex": (400, get("/livez", b"Content-Length: 0x1\r\n")),
    "a length of 30 digits": (400, get("/livez", b"Content-Length: " + b"9" * 30 + b"\r\n")),
    "another coding": (501, get("/livez", b"Transfer-Encoding: gzip, chunked\r\n")),
    "two codings": (501, get("/livez", CHUNKED, CHUNKED)),
    "chunked in HTTP/1.0": (400, b"GET /livez HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    "coding with a tab": (400, get("/livez", b"Transfer-Encoding: \x0bchunked\r\n")),
    "a target that is no path": (400, b"GET livez HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target with a fragment": (400, get("/livez#x")),
    "a target that is too long": (414, get("/" + "a" * 9000)),
    "a head that is too long": (431, get("/livez", b"X: " + b"a" * HEAD_MAX_OCTETS + b"\r\n")),
    "a head without end": (431, b"GET /livez HTTP/1.1\r\nX: " + b"a" * 2 * HEAD_MAX_OCTETS),
    "too many fields": (431, get("/livez", b"X: a\r\n" * FIELDS_MAX)),
    "empty lines only": (400, b"\r\n" * 1000),
    "connect": (405, b"CONNECT api.test:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_not_http_is_a_problem_and_ends_the_connection(address: Address, what: str) -> None:
    status, octets = MALFORMED[what]
    with Peer(address) as peer:
        reply = peer.ask(octets)
        assert is_problem(reply, status)
        assert reply.headers["connection"] == "close"
        assert peer.is_closed()
    with Peer(address) as peer:
        assert peer.ask(get()).status == 200


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PROPFIND", "FOO", "DELETE", "PATCH"])
def test_other_methods_are_a_problem_that_names_the_possible(address: Address, method: str) -> None:
    with Peer(address) as peer:
        reply = peer.ask(method.encode() + get()[3:])
        assert is_problem(reply, 405)
        assert reply.headers["allow"] == "GET, HEAD"
        assert peer.ask(get()).status == 200


CHUNKS = {
    "not hex": b"zz\r\nabc\r\n0\r\n\r\n",
    "longer than it says": b"2\r\nabc\r\n0\r\n\r\n",
    "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "negative": b"-1\r\nabc\r\n0\r\n\r\n",
    "a size without end": b"1" * 40_000,
    "an extension without end": b"3;" + b"a" * 40_000,
}


@pytest.mark.parametrize("what", CHUNKS)
def test_a_bad_chunk_is_a_problem(address: Address, bearer: bytes, what: str) -> None:
    fields = bearer + CHUNKED + b"Content-Type: application/json\r\n"
    with Peer(address) as peer:
        head = b"PUT /api/v1/nodes/a HTTP/1.1\r\n" + HOST + fields + b"\r\n"
        assert is_problem(peer.ask(head + CHUNKS[what]), 400)
        assert peer.is_closed()


def test_what_follows_a_chunked_body_in_one_go_is_not_taken_for_a_request(
    address: Address,
) -> None:
    """To a proxy in front of us it may have been part of the body."""
    with Peer(address) as peer:
        body = b"0\r\n\n" + get("/nowhere")
        assert peer.ask(get("/livez", CHUNKED) + body).status == 200
        assert peer.is_closed()


def test_requests_one_after_another_are_answered_in_order(address: Address) -> None:
    paths = ["/livez", "/nowhere", "/openapi.json", "/api/v1/nodes", "/livez"]
    with Peer(address) as peer:
        peer.send(b"\r\n".join(get(path) for path in paths))
        assert [peer.reply().status for _ in paths] == [200, 404, 200, 401, 200]


def test_a_request_octet_by_octet_is_answered(address: Address) -> None:
    with Peer(address) as peer:
        for octet in get():
            peer.send(bytes([octet]))
        assert peer.reply().status == 200


def test_absolute_form_is_the_same_path_and_as_well_guarded(address: Address) -> None:
    with Peer(address) as peer:
        assert peer.ask(get("http://elsewhere.test/livez")).status == 200
        assert peer.ask(get("http://elsewhere.test/api/v1/nodes")).status == 401
        assert peer.ask(get("http://elsewhere.test")).status == 404


def test_http_1_0_is_answered_and_closed(address: Address) -> None:
    with Peer(address) as peer:
        assert peer.ask(b"GET /livez HTTP/1.0\r\n\r\n").status == 200
        assert peer.is_closed()


def test_head_is_get_without_the_content(address: Address, bearer: bytes) -> None:
    with Peer(address) as peer:
        for path in ("/openapi.json", "/api/v1/nodes", "/api/v1/nodes/fra1", "/docs"):
            whole = peer.ask(get(path, bearer))
            head = peer.ask(b"HEAD" + get(path, bearer)[3:], "HEAD")
            assert (head.status, head.body) == (200, b"")
            assert head.headers["content-length"] == str(len(whole.body))
        assert peer.ask(b"HEAD" + get("/api/v1/events", bearer)[3:], "HEAD").status == 200
        assert peer.ask(get()).status == 200


def test_a_body_is_asked_for_only_once_it_is_wanted(address: Address, bearer: bytes) -> None:
    fields = b"Expect: 100-continue\r\nContent-Length: 2\r\nContent-Type: application/json\r\n"
    head = b"PATCH /api/v1/nodes/fra1 HTTP/1.1\r\n" + HOST + fields
    with Peer(address) as peer:
        peer.send(head + bearer + b"\r\n")
        assert peer.sock.recv(4096).startswith(b"HTTP/1.1 100 ")
        assert peer.ask(b"{}").status == 200
    with Peer(address) as peer:
        assert peer.ask(head + b"\r\n").status == 401


def test_who_ends_their_side_still_reads_the_reply(address: Address) -> None:
    with Peer(address) as peer:
        peer.send(get("/openapi.json"))
        peer.sock.shutdown(socket.SHUT_WR)
        assert peer.reply().status == 200
        assert peer.is_closed()


@pytest.mark.parametrize("token", [True, False])
def test_64_mb_in_chunks_are_refused_and_the_reply_can_be_read(
    address: Address, bearer: bytes, token: bool
) -> None:
    head = b"PUT /api/v1/nodes/a HTTP/1.1\r\n" + HOST + CHUNKED
    head += b"Content-Type: application/json\r\n" + (bearer if token else b"") + b"\r\n"
    chunk = b"100000\r\n" + b"[" * 2**20 + b"\r\n"
    with Peer(address) as peer:
        peer.send(head)
        for _ in range(64):
            peer.send(chunk)
        assert is_problem(peer.reply(), 413 if token else 401)


# --- Slow ones ---


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_TIMEOUT_S", "IDLE_TIMEOUT_S", "READING_TIMEOUT_S", "LINGER_S"):
        monkeypatch.setattr(connection, name, 0.3)


@pytest.mark.usefixtures("hurried")
def test_a_head_that_comes_too_slowly_is_a_problem(address: Address) -> None:
    with Peer(address) as peer:
        peer.send(b"GET /livez HTTP/1.1\r\n")
        started_s = time.monotonic()
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                peer.send(b"X: a\r\n")

        thread = threading.Thread(target=drip)
        thread.start()
        assert is_problem(peer.reply(), 408)
        stop.set()
        thread.join()
        assert time.monotonic() - started_s < 5


@pytest.mark.usefixtures("hurried")
def test_who_says_nothing_or_nothing_more_is_closed(address: Address) -> None:
    with Peer(address) as silent, Peer(address) as satisfied:
        assert satisfied.ask(get()).status == 200
        assert satisfied.is_closed()
        assert silent.is_closed()


@pytest.mark.usefixtures("hurried")
def test_who_does_not_read_is_closed(address: Address) -> None:
    with Peer(address) as deaf:
        size = len(deaf.ask(get("/openapi.json")).body)
        deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.send(get("/openapi.json") * 100)
        time.sleep(2)
        assert sum(iter(lambda: deaf.take(65_536), 0)) < 100 * size


# --- Many ---


def test_the_longest_idle_gives_way_to_the_next(shared: Any) -> None:
    with (
        web_server(shared.new_app(), connections=8, connections_per_source=5) as address,
        ExitStack() as stack,
    ):
        first = [stack.enter_context(Peer(address)) for _ in range(5)]
        for peer in first:
            assert peer.ask(get()).status == 200
        first[1].send(b"GET /li")
        with Peer(address) as sixth:
            assert sixth.ask(get()).status == 200
        assert first[0].is_closed()
        first[1].send(b"vez HTTP/1.1\r\n" + HOST + b"\r\n")
        assert first[1].reply().status == 200


def test_who_is_being_answered_never_gives_way(prod: Any) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    with (
        web_server(slow, connections=8, connections_per_source=2) as address,
        ExitStack() as stack,
    ):
        busy = [stack.enter_context(Peer(address)) for _ in range(2)]
        for peer in busy:
            peer.send(get())
        time.sleep(0.2)
        with Peer(address) as third:
            assert third.is_closed()
        for peer in busy:
            peer.sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.sock.recv(1)

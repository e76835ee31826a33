"""The client against the API over a real socket: errors come back as what they were."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import uvicorn

from geodns.api.service import Service
from geodns.errors import (
    ConfigError,
    Conflict,
    GeodnsError,
    NotFound,
    Stale,
    Unavailable,
    UnsafePlan,
)
from geodns.net import Client


@pytest.fixture
def url(prod: Any) -> Iterator[str]:
    """The base URL of the example, served by uvicorn."""
    listener = socket.create_server(("127.0.0.1", 0))
    # A fresh service: its lock and tasks belong to the loop that serves it.
    prod.service = Service(prod.store, prod.publisher, prod.geo)
    config = uvicorn.Config(prod.new_app(), log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(url: str, prod: Any) -> Iterator[Client]:
    with Client(url, prod.token) as client:
        yield client


def test_an_answer_has_status_body_and_headers(client: Client) -> None:
    answer = client.request("GET", "/api/v1/nodes/fra1")
    assert (answer.status, answer.body["id"]) == (200, "fra1")
    assert answer.headers["ETag"] == '"1"'
    assert client.request("GET", "/metrics").body.startswith("# HELP")
    gone = client.request("DELETE", "/api/v1/zones/example.com/steers/www")
    assert (gone.status, gone.body) == (204, None)


ERRORS: list[tuple[type[GeodnsError], int, str, str, dict[str, Any]]] = [
    (NotFound, 2, "GET", "nodes/none", {}),
    (ConfigError, 2, "PUT", "nodes/a", {"body": {"weight": -1}}),
    (ConfigError, 2, "GET", "nodes", {"headers": {"Authorization": "Bearer x"}}),
    (ConfigError, 2, "GET", "nodes", {"params": {"limit": "0"}}),
    (Conflict, 3, "DELETE", "nodes/fra1", {}),
    (Stale, 3, "PATCH", "nodes/fra1", {"body": {}, "headers": {"If-Match": '"9"'}}),
    (UnsafePlan, 3, "PUT", "pools/web", {"body": {"nodes": ["fra1"]}}),
    (Unavailable, 4, "GET", "status", {}),
]


@pytest.mark.parametrize(("kind", "exit_code", "method", "path", "options"), ERRORS)
def test_errors_come_back_as_what_they_were(
    prod: Any,
    client: Client,
    kind: type[GeodnsError],
    exit_code: int,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    prod.observer.crash = True
    with pytest.raises(GeodnsError) as caught:
        client.request(method, f"/api/v1/{path}", **options)
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code
    assert all(reason.detail for reason in caught.value.reasons)


def test_all_reasons_come_back(client: Client) -> None:
    with pytest.raises(ConfigError) as caught:
        client.request("PUT", "/api/v1/pools/p", {"nodes": ["fra1", "mil9"], "answers": 0})
    with pytest.raises(ConfigError) as other:
        client.request("PUT", "/api/v1/pools/p", {"nodes": ["fra1", "mil9"], "monitor": "wep"})
    assert [reason.pointer for reason in caught.value.reasons] == ["/answers", "/nodes/1"]
    reasons = {reason.pointer: reason for reason in other.value.reasons}
    assert reasons["/nodes/1"].hint == "Did you mean mil1?"
    assert reasons["/monitor"].value == "wep"


def test_nobody_there_is_told_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", "token")
    with pytest.raises(Unavailable, match=r"cannot reach .*: is `geodns serve` running\?"):
        client.request("GET", "/api/v1/nodes")


def test_proxies_of_the_environment_are_not_used(
    url: str, prod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Client(url, prod.token).request("GET", "/livez").status == 200


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """The URL of a server that says just this to whoever connects, then waits for the end."""
    ends: list[Callable[[], None]] = []

    def serve(octets: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        ended = threading.Event()

        def run() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(octets)
                if octets:
                    peer.shutdown(socket.SHUT_WR)
                ended.wait(10)

        thread = threading.Thread(target=run)
        thread.start()
        ends.extend((ended.set, thread.join, listener.close))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for end in ends:
        end()


def reply(status: int, content: bytes, media_type: str) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\n"
    return (
        f"{head}Location: http://evil.test/\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + (content)
    )


@pytest.mark.parametrize(
    ("status", "content", "media_type", "kind"),
    [
        (502, b"<html>", "text/html", Unavailable),
        (502, b"[]", "application/json", Unavailable),
        (503, b"", "", Unavailable),
        (500, b'{"reasons": "x"}', "application/problem+json", Unavailable),
        (422, b'{"reasons": [1, {}]}', "application/problem+json", ConfigError),
        (422, b'{"detail": "no"}', "application/problem+json", ConfigError),
        (302, b"", "", ConfigError),
        (200, b"{", "application/json", Unavailable),
        (200, b"[" * 100_000, "application/json", Unavailable),
        (409, b'{"type": 7}', "application/problem+json", Conflict),
    ],
)
def test_whatever_answers_there_is_an_error_of_ours(
    answering: Any, status: int, content: bytes, media_type: str, kind: type[GeodnsError]
) -> None:
    client = Client(answering(reply(status, content, media_type)), "token")
    with client, pytest.raises(GeodnsError) as caught:
        client.request("GET", "/x")
    assert type(caught.value) is kind


def test_a_reply_without_end_is_given_up(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.net.ANSWER_MAX_BYTES", 1000)
    client = Client(answering(reply(200, b"x" * 2000, "text/plain")))
    with client, pytest.raises(Unavailable, match="more than 1000"):
        client.request("GET", "/x")


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "did not answer PUT /x in time"),
        (b"SSH-2.0-x\r\n", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke off"),
        (reply(200, b"x" * 9, "text/plain")[:-4], "4 octets are missing"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off"),
    ],
)
def test_a_connection_that_fails_later_is_told_apart(
    answering: Any, octets: bytes, told: str
) -> None:
    client = Client(answering(octets), answer_timeout_s=0.5)
    with client, pytest.raises(Unavailable, match=told) as caught:
        client.request("PUT", "/x", {})
    assert "cannot reach" not in str(caught.value)


def test_a_kept_connection_that_was_closed_is_made_anew(client: Client) -> None:
    assert client.request("GET", "/livez").status == 200
    kept = client._connection._kept
    assert kept is not None
    assert kept.sock is not None
    kept.sock.shutdown(socket.SHUT_RDWR)
    assert client.request("GET", "/livez").status == 200


def test_a_body_tells_how_much_of_it_has_gone_out(client: Client) -> None:
    told: list[tuple[int, int]] = []
    body = {"addresses": ["192.0.2.1"], "labels": {"x": "y" * 60}, "at": "FRA" + " " * 200_000}
    with suppress(ConfigError):
        client.request("PUT", "/api/v1/nodes/a", body, sent=lambda *each: told.append(each))
    assert told[0][0] == 2**16
    assert told[-1][0] == told[-1][1] > 200_000


@pytest.mark.parametrize("url", ["", "localhost:8053", "ftp://x", "http://", "http://[::1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Client(url)


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "é"])
def test_a_token_cannot_carry_other_fields(token: str) -> None:
    with pytest.raises(ConfigError):
        Client("http://127.0.0.1:1", token)


# --- What only a socket shows ---


def test_a_large_body_is_refused_on_the_wire(client: Client) -> None:
    with pytest.raises(ConfigError, match="larger than"):
        client.request("PUT", "/api/v1/nodes/a", {"x": "y" * 2_200_000})


@pytest.mark.parametrize("path", ["/%61pi/v1/nodes", "/api%2Fv1/nodes", "/api/%761/nodes"])
def test_another_spelling_of_a_path_is_guarded_too(url: str, path: str) -> None:
    assert httpx.get(url + path, trust_env=False).status_code == 401


def test_a_slash_in_a_name_ends_it_however_it_is_encoded(client: Client) -> None:
    with pytest.raises(NotFound):
        client.request("GET", "/api/v1/zones/example.com/rrsets/0%2F0.in/PTR")


def test_a_client_that_hangs_up_leaves_nothing_behind(
    url: str, prod: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "geodns")
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(
            b"PUT /api/v1/nodes/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer " + prod.token.encode() + b"\r\nContent-Length: 100\r\n\r\n{"
        )
    deadline_s = time.monotonic() + 5
    while "PUT /api/v1/nodes/a" not in caplog.text and time.monotonic() < deadline_s:
        time.sleep(0.005)
    assert "PUT /api/v1/nodes/a" in caplog.text
    assert prod.service.config.nodes.keys() == {"fra1", "mil1", "nyc1", "sin1"}
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

"""The client against the API over a real socket: errors come back as what they were."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
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


def answering(status: int, content: bytes, media_type: str) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": media_type, "Location": "http://evil.test/"}
        return httpx.Response(status, content=content, headers=headers)

    return Client("http://api.test", "token", transport=httpx.MockTransport(handle))


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
    status: int, content: bytes, media_type: str, kind: type[GeodnsError]
) -> None:
    with pytest.raises(GeodnsError) as caught:
        answering(status, content, media_type).request("GET", "/x")
    assert type(caught.value) is kind


def test_a_reply_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.net.ANSWER_MAX_BYTES", 1000)
    with pytest.raises(Unavailable, match="more than 1000"):
        answering(200, b"x" * 2000, "text/plain").request("GET", "/x")


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_connection_that_fails_later_is_told_apart(failure: type[Exception]) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise failure("broken")

    client = Client("http://api.test", transport=httpx.MockTransport(handle))
    with pytest.raises(Unavailable) as caught:
        client.request("PUT", "/x", {})
    assert "cannot reach" not in str(caught.value)


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

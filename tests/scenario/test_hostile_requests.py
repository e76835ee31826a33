"""HTTP clients that do their worst at once: DNS does not notice, memory stays, secrets too."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from support.server import Server, command_of, free_port, running_server

from .conftest import document

MEGABYTE = 2**20
GROWTH_MAX_MB = 80
ROUNDS = 3


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        server.apply(document(free_port("127.0.1.1")))
        yield server


def connected(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.api_port), 10)


def long_bodies(server: Server) -> None:
    """64 MB in chunks to the document, by who may and by who may not."""
    for token in (server.token, "gdns_admin_wrong"):
        head = "PUT /api/v1/document HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b"[" * MEGABYTE)
        with connected(server) as sock:
            sock.sendall(head.encode())
            with suppress(OSError):
                for _ in range(64):
                    sock.sendall(chunk)
            assert sock.recv(100).split()[1] in (b"413", b"401", b"429")


def bad_json(server: Server) -> None:
    """Deep, and wide: five million empty lists."""
    wide = b"[" + b"[]," * 5_000_000 + b"0]"
    for octets in (b"[" * 2_000_000, b'{"a":' * 400_000, wide):
        reply = server._client.put(
            "/api/v1/document",
            content=octets,
            headers={
                "Authorization": f"Bearer {server.token}",
                "Content-Type": "application/json",
            },
            timeout=60,
        )
        assert reply.status_code == 422


def slow_heads(server: Server) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(300)]
        for _ in range(4):
            for sock in slow:
                with suppress(OSError):
                    sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 1000)
            time.sleep(0.2)


def wrong_tokens(server: Server) -> None:
    with ExitStack() as stack:
        guessers = [stack.enter_context(connected(server)) for _ in range(40)]
        for number in range(400):
            head = (
                f"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer w{number}\r\n\r\n"
            )
            guessers[number % 40].sendall(head.encode())
        for guesser in guessers:
            assert guesser.recv(100).split()[1] in (b"401", b"429")


def nonsense(server: Server) -> None:
    for octets in (b"\0" * 100_000, b"GET / HTTP/1.1\n\n", b"A" * 100_000, b"\x16\x03\x01") * 50:
        with connected(server) as sock, suppress(OSError):
            sock.sendall(octets)
            assert sock.recv(100).split()[1] in (b"400", b"431")


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.slow
def test_all_abuse_at_once_costs_little_memory_and_dns_nothing(server: Server) -> None:
    control = server.pid_of("control")
    Path(f"/proc/{control}/clear_refs").write_text("5")
    before_mb = peak_mb(control)
    failed: list[BaseException] = []

    def go_on(abuse: Callable[[Server], None]) -> None:
        try:
            for _ in range(ROUNDS):
                abuse(server)
        except BaseException as error:
            failed.append(error)

    kinds = (long_bodies, bad_json, slow_heads, wrong_tokens, nonsense)
    threads = [threading.Thread(target=go_on, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    asked = 0
    while any(thread.is_alive() for thread in threads):
        assert server.ask("static.example.test", "TXT", timeout_s=5).answer
        asked += 1
        time.sleep(0.01)
    assert not failed
    assert asked > 20
    assert server.pid_of("control") == control
    assert peak_mb(control) - before_mb < GROWTH_MAX_MB
    assert server.api("GET", "status")["ready"]


def test_no_secret_is_in_logs_process_lists_or_what_anybody_may_read(server: Server) -> None:
    secret = server.token
    hook = {"url": "https://hooks.example.test/path-of-hook", "secret": "whsec_aHVzaGh1c2hodXNo"}
    server.api("PUT", "webhooks/ops", hook)
    made = server.api("POST", "tokens", {"id": "reading", "role": "reader"})
    server.request("GET", f"nodes/{secret}", params={"limit": secret})
    server._client.get("/api/v1/nodes", headers={"Authorization": f"Bearer {secret}x"})
    assert server.process is not None
    pids = [server.process.pid, *server.descendants()]
    seen = {
        "log": server.log.read_text().replace(f"nodes/{secret}", ""),
        "processes": b" ".join(map(command_of, pids)).decode(),
        "metrics": server._client.get("/metrics").text,
        "readiness": server._client.get("/readyz").text,
        "export": server.request("GET", "document").text,
        "tokens": server.request("GET", "tokens").text,
        "audit": server.request("GET", "audit").text,
        "webhook": server.request("GET", "webhooks/ops").text,
    }
    for place, text in seen.items():
        for hidden in (secret, made["secret"], hook["secret"], "path-of-hook"):
            assert hidden not in text, f"{place} tells {hidden[:12]}…"


def test_what_the_server_writes_is_for_its_owner_only(server: Server) -> None:
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert {"store.db", "admin.token", "api.json"} <= {path.name for path in files}
    assert [path for path in files if path.stat().st_mode & 0o077] == []

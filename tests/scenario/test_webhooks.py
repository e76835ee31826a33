"""Webhooks through the whole server: signed, tried again, once each, over a death of control."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.server import until

from .conftest import ADDRESSES, Fleet

SECRET = b"a secret of thirty-two characters"


class Receiver:
    """Keeps what it takes; refuses the first so many attempts."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.refused: list[str] = []
        self.taken: list[tuple[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(dict(self.headers), octets))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/hook/very-secret"

    def take(self, headers: dict[str, str], octets: bytes) -> int:
        fields = {name.lower(): value for name, value in headers.items()}
        signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + octets
        digest = hmac.new(SECRET, signed, hashlib.sha256).digest()
        assert fields["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        if len(self.refused) < self.refuses:
            self.refused.append(fields["webhook-id"])
            return 503
        self.taken.append((fields["webhook-id"], json.loads(octets)))
        return 204

    def told(self, node: str, after: str) -> list[Any]:
        found = [body for _, body in self.taken if body["type"] == "transition"]
        return [each for each in found if (each["data"]["nodes"], each["data"]["after"]) ==
                ([node], after)]  # fmt: skip


@contextmanager
def receiving(refuses: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(refuses)
    thread = threading.Thread(target=receiver.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.http.shutdown()
        receiver.http.server_close()
        thread.join()


def test_a_fall_and_a_return_are_told_once_each_over_a_death_of_control(fleet: Fleet) -> None:
    server = fleet.server
    with receiving(refuses=1) as receiver:
        server.api("PUT", "webhooks/ops", {"url": receiver.url, "secret": SECRET.decode()})
        fleet.nodes["nyc"].stop()
        until(lambda: bool(receiver.told("nyc", "down")))
        (fell,) = receiver.told("nyc", "down")
        assert receiver.refused == [receiver.taken[0][0]], "tried again by the same id"
        assert fell["data"]["address"] == ADDRESSES["nyc"]
        assert fell["data"]["reason"]
        assert fell["data"]["lasted_s"] > 0
        until(lambda: server.api("GET", "webhooks/ops")["status"]["waiting"] == 0)
        before = server.pid_of("control")
        os.kill(before, signal.SIGKILL)
        fleet.nodes["nyc"].start()
        until(lambda: server.pid_of("control") not in (0, before))
        until(lambda: bool(receiver.told("nyc", "up")))
        told = {identity for identity, _ in receiver.taken}
        bodies = {json.dumps(body, sort_keys=True) for _, body in receiver.taken}
        assert len(told) == len(bodies), "what is repeated after a crash has the same id"
        until(server.ready)
        shown = server.api("GET", "webhooks/ops")
        assert "very-secret" not in json.dumps(shown)
        server.api("DELETE", "webhooks/ops")

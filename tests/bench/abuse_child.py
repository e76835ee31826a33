"""Clients that do their worst to an API: ``python -m tests.bench.abuse_child PORT TOKEN``.

From a line on stdin to the next: bodies of 64 MB in chunks, with a token and without, JSON that
is nested deep and JSON that is one long list of nothing, heads that never end, wrong tokens,
nonsense. When stdin ends it tells how often each was done, as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress

MEGABYTE = 2**20
BODY_MB = 64
SLOW_HEADS = 500
CONNECTIONS = 40
DEPTH = 1_000_000
PATIENCE_S = 5.0

PUT = b"PUT /api/v1/document HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Abuser:
    """Does one kind of harm after another, each kind in a thread of its own."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._bearer = b"Authorization: Bearer %s\r\n" % token.encode()
        self._at_work = threading.Event()
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        """Obey stdin until it ends."""
        kinds = (self._body, self._body_of_nobody, self._deep, self._wide, self._wrong, self._rude)
        for kind in kinds:
            threading.Thread(target=self._again, args=(kind,), daemon=True).start()
        threading.Thread(target=self._slow_heads, daemon=True).start()
        for _ in sys.stdin:
            if self._at_work.is_set():
                self._at_work.clear()
            else:
                self._at_work.set()

    def _again(self, kind: Callable[[], None]) -> None:
        name = kind.__name__.strip("_")
        while self._at_work.wait():
            with suppress(OSError):
                kind()
            self.done[name] += 1

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), PATIENCE_S)

    def _send(self, head: bytes, chunk: bytes, times: int) -> None:
        with self._connected() as sock:
            sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            framed = b"%x\r\n%s\r\n" % (len(chunk), chunk)
            with suppress(OSError):  # it has seen enough, and says so
                for _ in range(times):
                    sock.sendall(framed)
                sock.sendall(b"0\r\n\r\n")
            sock.recv(65_536)

    def _body(self) -> None:
        self._send(PUT + self._bearer, b" " * MEGABYTE, BODY_MB)

    def _body_of_nobody(self) -> None:
        self._send(PUT, b" " * MEGABYTE, BODY_MB)

    def _deep(self) -> None:
        self._send(PUT + self._bearer, b'{"a":' * (DEPTH // 5), 5)

    def _wide(self) -> None:
        self._send(PUT + self._bearer, b"[" + b"[]," * (15 * MEGABYTE // 3) + b"0]", 1)

    def _wrong(self) -> None:
        """400 wrong tokens from as many connections as a script would have."""
        with ExitStack() as stack:
            peers = [stack.enter_context(self._connected()) for _ in range(CONNECTIONS)]
            for number in range(400):
                token = b"gdns_admin_%043d" % number
                head = b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                peers[number % CONNECTIONS].sendall(head + token + b"\r\n\r\n")
                if number >= CONNECTIONS:
                    peers[number % CONNECTIONS].recv(65_536)
                self.done["wrong tokens"] += 1

    def _rude(self) -> None:
        for octets in (b"\0" * 5000, b"GET / HTTP/1.1\nHost: x\n\n", b"A" * 70_000):
            with self._connected() as sock:
                sock.sendall(octets)
                sock.recv(65_536)

    def _slow_heads(self) -> None:
        """As many heads as it takes, each with a field more every half second."""
        open_ones: list[socket.socket] = []
        while self._at_work.wait():
            with suppress(OSError):
                while len(open_ones) < SLOW_HEADS:
                    open_ones.append(self._connected())
                    open_ones[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                    self.done["slow heads"] += 1
            open_ones = [sock for sock in open_ones if _drip(sock)]
            time.sleep(0.5)


def _drip(sock: socket.socket) -> bool:
    with suppress(OSError):
        sock.sendall(b"X: %s\r\n" % (b"a" * 300))
        return True
    sock.close()
    return False


if __name__ == "__main__":
    abuser = Abuser(int(sys.argv[1]), sys.argv[2])
    abuser.run()
    sys.stdout.write(json.dumps(abuser.done) + "\n")
    sys.stdout.flush()

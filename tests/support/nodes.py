"""Edge nodes for a test: real HTTP servers on loopback addresses, stopped and started at will."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HttpNode:
    """One node: ``stop`` closes its listening socket, ``status`` is what it answers."""

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port, self.status = address, port, 200
        self._server: ThreadingHTTPServer | None = None

    @property
    def running(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(node.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        assert self._server is None
        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def http_nodes(addresses: dict[str, str], port: int) -> Iterator[dict[str, HttpNode]]:
    """Nodes by name, all running."""
    nodes = {name: HttpNode(address, port) for name, address in addresses.items()}
    try:
        for node in nodes.values():
            node.start()
        yield nodes
    finally:
        for node in nodes.values():
            node.stop()

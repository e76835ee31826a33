"""An edge node of the demo: a real HTTP server on a loopback address, in a process of its own.

A process, so that it can be stopped as a real one can: ``kill -STOP`` makes it hang,
``kill -CONT`` brings it back, ``kill`` ends it.
"""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from geodns.errors import ConfigError, Reason


class _Handler(BaseHTTPRequestHandler):
    """``/healthz`` says ok; every other path says which node this is."""

    server_version = "geodns-demo"
    node = ""

    def do_GET(self) -> None:
        body = b"ok\n" if self.path == "/healthz" else f"This is node {self.node}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Eight nodes probed every second have nothing to say about it."""


class _Node(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever has hung up, as checks have on a node that was stopped, is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def start_node(node: str, address: str, port: int) -> int:
    """Start a node's process; returns its pid. It ends when its parent does.

    Errors: ConfigError when the port is taken.
    """
    handler = type("Handler", (_Handler,), {"node": node})
    try:
        server = _Node((address, port), handler)
    except OSError as error:
        hint = "Choose another port for the demo's nodes with --node-port."
        detail = f"HTTP {address}:{port} cannot be bound: {error.strerror}."
        raise ConfigError([Reason("", "port_in_use", detail, port, hint)]) from None
    parent = os.getpid()
    pid = os.fork()
    if pid:
        server.server_close()
        return pid
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _serve(server, parent)
    finally:
        os._exit(0)


def _serve(server: _Node, parent: int) -> None:
    server.timeout = 1.0
    while os.getppid() == parent:
        server.handle_request()

"""Where the control process meets its clients: web server, TLS, and the file that says where."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geodns.api.wire.server import WebServer
from geodns.api.wire.tls import Tls
from geodns.daemon.places import API_FILE
from geodns.settings import Settings
from geodns.snapshot.manifest import write_durably

log = logging.getLogger("geodns.control")


class Front:
    """Serves the application, and keeps its certificate up to date."""

    def __init__(
        self,
        settings: Settings,
        data_dir: Path,
        app: Any,
        api_socket: socket.socket,
    ) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._socket = api_socket
        self._tls = tls_of(settings)
        self._server = WebServer(
            app,
            api_socket,
            connections=settings.api_connections,
            connections_per_source=settings.api_connections_per_source,
            is_secure=self._tls is not None,
            context=self._tls.context if self._tls else lambda: None,
            state=self._tls.state if self._tls else dict,
        )

    async def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled; ``started`` is called when requests are heard."""
        if self._tls is not None:
            await asyncio.to_thread(self._tls.reload)
        self._write_file()
        await self._server.serve(started)

    async def watch(self, told_to_look: asyncio.Event) -> None:
        """Take a new certificate when its files change, or when we are told to look."""
        if self._tls is None:
            return
        while True:
            told = asyncio.ensure_future(told_to_look.wait())
            changed = asyncio.ensure_future(self._tls.changes())
            try:
                await asyncio.wait((told, changed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                told.cancel()
                changed.cancel()
            told_to_look.clear()
            if await asyncio.to_thread(self._tls.reload):
                self._write_file()

    def _write_file(self) -> None:
        """Tell clients on this machine where the API and the DNS listen, and whom to trust."""
        content: dict[str, Any] = {
            "api": api_url(self._socket, secure=self._tls is not None),
            "dns": [str(endpoint) for endpoint in self._settings.dns],
            "pid": os.getppid(),
        }
        if self._tls is not None and self._tls.current is not None:
            content["certificate"] = self._tls.current.pem
        path = self._data_dir / API_FILE
        try:
            write_durably(path, json.dumps(content).encode())
        except OSError as error:
            log.error("%s cannot be written: %s", path, error)


def tls_of(settings: Settings) -> Tls | None:
    """What the settings say of TLS; None for plain HTTP."""
    if settings.api_tls_cert is None:
        return None
    return Tls(settings.api_tls_cert, settings.api_tls_key, settings.api_tls_client_ca)


def api_url(api_socket: socket.socket, *, secure: bool) -> str:
    """Where a client on this machine reaches the API."""
    host, port = api_socket.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    scheme = "https" if secure else "http"
    return f"{scheme}://[{local}]:{port}" if ":" in local else f"{scheme}://{local}:{port}"

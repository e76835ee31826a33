"""The compile process, as who gives it orders sees it: started when needed, and when it has died.

A child with one socket: no named semaphores and no helper beside it, so that whoever is killed
leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from geodns.errors import GeodnsError, Unavailable
from geodns.model.config import Config
from geodns.settings import logs
from geodns.snapshot.manifest import Manifest
from geodns.snapshot.order import Order
from geodns.snapshot.parcels import Sender

TRIES = 2
"""Processes that an order may end. Source: no reference; what ends two would end the third."""


class CompileProcess:
    """Compiles one order after the other."""

    def __init__(self, data_dir: Path, geo_db: Path, asn_db: Path | None) -> None:
        self._place = data_dir, geo_db, asn_db
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._sender = Sender()
        self._closed = False

    async def compile(self, order: Order, before: Manifest | None) -> Manifest:
        """Compile one generation.

        Errors: as `Compiler.compile` and `load_world`; Unavailable if no process survives it.
        """
        made = await asyncio.to_thread(self._compile, order, before)
        if isinstance(made, GeodnsError):
            raise made
        return made

    def close(self) -> None:
        """End the process, even at work: it writes files whole or not at all."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
        with self._turn:
            self._bury()

    def _compile(self, order: Order, before: Manifest | None) -> Manifest | GeodnsError:
        how, bare = "", replace(order, config=Config())
        with self._turn:
            for _ in range(TRIES):
                try:
                    link = self._link or self._start()
                    link.send((self._sender.pack(order.config), bare, before))
                    made: Manifest | GeodnsError = link.recv()
                except (EOFError, ConnectionError):
                    how = self._bury()
                else:
                    return made
        return Unavailable(f"The compile process ended {how}, twice. Is there enough memory?")

    def _start(self) -> Connection:
        if self._closed:
            raise Unavailable("The server is stopping.")
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-m", "geodns.snapshot.compiler", str(theirs.fileno())]
                command.append(logs.form_here)
                inherited = [theirs.fileno()]
                self._process = subprocess.Popen(
                    command, pass_fds=inherited, stdin=subprocess.DEVNULL
                )
        except OSError as error:
            raise Unavailable(f"The compile process cannot be started: {error}.") from None
        self._link = Connection(ours.detach())
        self._sender = Sender()
        self._link.send(self._place)
        return self._link

    def _bury(self) -> str:
        """Let go of a process that is ending, and say how it did."""
        if self._link is not None:
            self._link.close()  # one that still runs ends by this
        process, self._process, self._link = self._process, None, None
        if process is None:
            return ""
        code = process.wait()
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        return f"by signal {-code}"

"""One `geodns serve` on loopback, as a user starts it, ended by its pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.bench.processes import family, workers

COMMAND = Path(sys.executable).parent / "geodns"
START_S, STOP_S = 120.0, 10.0
"""A City database is compiled in some ten seconds."""

MEMORY = Path("/dev/shm")

COMPILED = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(MEMORY / "geodns-bench-compiled"),
}
"""Byte code is kept from the first start on, as an installation has it, whatever ours does."""


class Server:
    """Runs from `__enter__` to `__exit__` on a data directory that outlives it."""

    def __init__(
        self, data_dir: Path, geo_db: Path | None = None, more: Sequence[str] = ()
    ) -> None:
        self._data_dir = data_dir
        self.dns = ("127.0.0.1", free_port())
        self._api = f"127.0.0.1:{free_port()}"
        options = ["--data-dir", str(data_dir), "--dns", f"127.0.0.1:{self.dns[1]}"]
        options += ["--api", self._api, "--log-level", "warning"]
        self._runtime_dir = tempfile.mkdtemp(prefix="geodns-bench-", dir=MEMORY)
        options += ["--runtime-dir", self._runtime_dir]
        options += ["--geo-db", str(geo_db)] if geo_db else []
        self._command = [str(COMMAND), "serve", *options, *more]
        self._process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start the process; it answers a little later."""
        log = self._data_dir.with_suffix(".log")
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=os.environ | COMPILED,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._runtime_dir, ignore_errors=True)

    @property
    def data_dir(self) -> Path:
        """Where its files are."""
        return self._data_dir

    @property
    def pids(self) -> dict[str, int]:
        """Its processes by role."""
        assert self._process is not None
        return family(self._process.pid)

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        assert self._process is not None
        return workers(self._process.pid)

    @property
    def api_port(self) -> int:
        """Where the API listens."""
        return int(self._api.rpartition(":")[2])

    @property
    def token(self) -> str:
        """What lets its owner do everything."""
        return (self._data_dir / "admin.token").read_text().strip()

    def api(self) -> httpx.Client:
        """A client with one kept connection, once the API is up."""
        if self._client is None:
            self._until_up()
            self._client = httpx.Client(
                base_url=f"http://{self._api}/api/v1/",
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=START_S,
                trust_env=False,
            )
        return self._client

    def put(self, path: str, body: Any) -> None:
        """Write a resource. Errors: RuntimeError with the API's words."""
        answer = self.api().put(path, json=body)
        if answer.is_error:
            raise RuntimeError(f"PUT {path}: {answer.status_code} {answer.text}")

    def until_ready(self) -> None:
        """Wait until generation, workers and first verdicts are there."""
        self._until_up("readyz")

    def _until_up(self, page: str = "livez") -> None:
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended; {self._data_dir.with_suffix('.log')}")
            try:
                if httpx.get(f"http://{self._api}/{page}", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise TimeoutError(f"/{page} is not up after {START_S:g} s")


def free_port() -> int:
    """A port that was free a moment ago for UDP and TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])

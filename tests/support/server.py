"""A whole server for a test: real processes, real sockets, ended by their own pids."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import httpx

from support.lab import addresses_of, question

COMMAND = (sys.executable, "-c", "import sys; from geodns.cli import main; sys.exit(main())")
PATIENCE_S = 20.0
"""How long a busy machine may take for what an idle one does in a second or two."""


class Server:
    """One ``geodns serve`` over a directory; it can be killed and started again.

    Shape: ``settings`` become flags; ports stay the same from start to start.
    """

    def __init__(self, directory: Path, **settings: object) -> None:
        self.data, self.runtime = directory / "data", directory / "run"
        self.log = directory / "log"
        self.host, self.dns_port, self.api_port = "127.0.0.1", free_port(), free_port()
        self.settings: dict[str, object] = {
            "data_dir": self.data,
            "runtime_dir": self.runtime,
            "dns": f"127.0.0.1:{self.dns_port}",
            "api": f"127.0.0.1:{self.api_port}",
            "nsid": "scenario",
        }
        self.settings |= settings
        self.process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.api_port}", timeout=15)
        self._seen: dict[int, str] = {}

    # -- Its life

    def start(self, *, ready: bool = True) -> Server:
        """Start it, by default until /readyz says so."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", *flags(self.settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
            )
        if ready:
            self.await_ready()
        return self

    def await_ready(self) -> None:
        until(self.ready, f"the server is not ready: {self.faults()}")
        self.descendants()

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended:\n{self.log.read_text()}"
        return not self.faults()

    def faults(self, timeout_s: float = 5.0) -> list[str]:
        """What /readyz says is in the way; empty when it is ready."""
        try:
            reply = self._client.get("/readyz", timeout=timeout_s)
        except httpx.HTTPError as error:
            return [str(error)]
        reasons = [reason["detail"] for reason in reply.json().get("reasons", ())]
        return [] if reply.status_code == 200 else reasons

    def stop(self) -> int:
        """SIGTERM; the exit status, once all its processes are gone."""
        assert self.process is not None
        self.descendants()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.await_gone()
        return code

    def kill(self) -> None:
        """SIGKILL to all of it at once."""
        assert self.process is not None
        for pid in (self.process.pid, *self.descendants()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self.await_gone()

    def await_gone(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until no process of it is left."""
        until(lambda: not self.left(), lambda: f"still there: {self.left()}", patience_s)

    def left(self) -> dict[int, str]:
        """Processes of ours that still run, with what they were started as."""
        return {pid: what for pid, what in self._seen.items() if identity(pid) == what}

    def close(self) -> None:
        """End whatever is left of it, kindly first."""
        self._client.close()
        if self.process is not None and self.process.poll() is None:
            self.descendants()
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        for pid in self.left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # -- Its processes

    def descendants(self) -> list[int]:
        """All processes under the supervisor, and remember them."""
        assert self.process is not None
        parents = {
            pid: parent_of(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        }
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        self._seen |= {pid: what for pid in found if (what := identity(pid))}
        return found[1:]

    def pid_of(self, module: str) -> int:
        """The process of ``control`` or ``health``; 0 while there is none."""
        names = {"control": b"geodns.daemon.control", "health": b"geodns.health.process"}
        pids = [pid for pid in self.descendants() if names[module] in command_of(pid)]
        return pids[0] if pids else 0

    def process_of_lock(self) -> int:
        """The server that says the data directory is its own."""
        return int((self.data / "lock").read_text() or 0)

    def worker(self, number: int = 0) -> int:
        """The pid that a worker shows on its page."""
        return self.page(number)[1]

    def page(self, number: int = 0) -> tuple[int, ...]:
        """The first words of a worker's page: magic, pid, generation, heartbeat."""
        with (self.runtime / "workers" / str(number)).open("rb") as file:
            return struct.unpack("<4Q", file.read(32))

    # -- Talking to it

    @property
    def token(self) -> str:
        return (self.data / "admin.token").read_text().strip()

    def request(
        self, method: str, path: str, body: object = None, **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            options["json"] = body
        return self._client.request(method, f"/api/v1/{path}", headers=headers, **options)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of a reply that must be a good one."""
        reply = self.request(method, path, body)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def apply(self, document: Mapping[str, object]) -> None:
        """Make a document the configuration, and wait until it is served."""
        self.api("PUT", "document?wait=true", {"geodns": 1, **document})

    def ask(
        self,
        name: str,
        rtype: str = "A",
        subnet: str | None = None,
        *,
        tcp: bool = False,
        host: str | None = None,
        timeout_s: float = 2.0,
        **options: Any,
    ) -> dns.message.Message:
        """One question, one reply, no retry."""
        query = question(name, rtype, subnet, **options)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, host or self.host, timeout_s, self.dns_port)

    def addresses(self, name: str, subnet: str | None = None, **options: Any) -> set[str]:
        """The addresses of one answer."""
        return addresses_of(self.ask(name, subnet=subnet, **options))

    def text(self, name: str, subnet: str | None = None, *, tcp: bool = True) -> str:
        """The strings of a TXT answer, one a line."""
        answer = self.ask(name, "TXT", subnet, tcp=tcp).answer
        items = (item for rrset in answer for item in rrset)
        return "\n".join(b"".join(item.strings).decode() for item in items)

    def logged(self, words: str) -> bool:
        return words in self.log.read_text()


@contextmanager
def running_server(directory: Path, *, start: bool = True, **settings: object) -> Iterator[Server]:
    """A server that is ready; its log is printed if the test fails."""
    server = Server(directory, **settings)
    try:
        if start:
            server.start()
        yield server
    except BaseException:
        print(server.log.read_text() if server.log.exists() else "no log")  # noqa: T201
        raise
    finally:
        server.close()


def serve_once(
    directory: Path, *, prefix: Sequence[str] = (), **settings: object
) -> tuple[int, str]:
    """Start a server that is expected to refuse: its exit status and what it said."""
    server = Server(directory, **settings)
    command = [*prefix, *COMMAND, "serve", *flags(server.settings)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment(), check=False
    )
    return done.returncode, done.stderr


def flags(settings: Mapping[str, object]) -> list[str]:
    """Settings as a person would type them."""
    given: list[str] = []
    for name, value in settings.items():
        values = value if isinstance(value, list | tuple) else [value]
        given += [f"--{name.replace('_', '-')}={one}" for one in values]
    return given


def environment() -> dict[str, str]:
    """Ours, without what would set a server's settings."""
    return {name: text for name, text in os.environ.items() if not name.startswith("GEODNS_")}


PORTS = range(10_240, 32_768)
"""Below what the kernel gives to sockets that ask for any port: no client can take it meanwhile."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port free for UDP and TCP just now."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        with tcp, udp, suppress(OSError):
            tcp.bind((host, port))
            udp.bind((host, port))
            return port


def until(
    condition: Callable[[], object],
    complaint: str | Callable[[], str] = "it did not happen",
    patience_s: float = PATIENCE_S,
) -> float:
    """Wait for something; how many seconds it took."""
    started_s = time.monotonic()
    while not condition():
        if time.monotonic() - started_s > patience_s:
            raise AssertionError(complaint if isinstance(complaint, str) else complaint())
        time.sleep(0.005)
    return time.monotonic() - started_s


# -- /proc


def parent_of(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def identity(pid: int) -> str:
    """What tells a process from a later one of the same pid; empty once it has ended."""
    fields = _stat(pid)
    if not fields or fields[0] in "ZX":
        return ""
    return f"{fields[19]} {command_of(pid)[-160:]!r}"


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _stat(pid: int) -> list[str]:
    """The fields of proc(5)'s stat from the state on: state, ppid, … starttime is the 20th."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

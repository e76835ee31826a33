"""Other makers' servers on loopback: Knot DNS and NSD, each with the zones of a world."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from support.server import PATIENCE_S, free_port, until

HOST = "127.0.0.1"
PROGRAMS = {"knot": "knotd", "nsd": "nsd"}
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

KNOT = """
server:
  rundir: "{directory}"
  listen: {host}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
log:
  - target: stderr
    any: warning
database:
  storage: "{directory}"
template:
  - id: default
    storage: "{directory}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
{zones}
"""
NSD = """
server:
  ip-address: {host}@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: ""
  xfrdir: "{directory}"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  cookie-secret-file: ""
  server-count: 1
  ipv4-edns-size: 1232
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
{zones}
"""
ZONE = {
    "knot": '  - domain: "{apex}"\n    file: "{file}"',
    "nsd": 'zone:\n  name: "{apex}"\n  zonefile: "{file}"',
}


class Peer:
    """One running server; on any free port, or as name servers on 53 of an address."""

    def __init__(
        self, maker: str, directory: Path, zones: Mapping[str, str], host: str = ""
    ) -> None:
        """``zones`` are master files by apex."""
        directory.mkdir(parents=True)
        self.maker, self.log = maker, directory / "log"
        self.host, self.port = (host, 53) if host else (HOST, free_port())
        files = {apex: directory / f"zone{number}" for number, apex in enumerate(zones)}
        for apex, file in files.items():
            file.write_text(zones[apex], encoding="ascii")
        listed = "\n".join(ZONE[maker].format(apex=a, file=f) for a, f in files.items())
        form = {"knot": KNOT, "nsd": NSD}[maker]
        conf = directory / "conf"
        conf.write_text(
            form.format(directory=directory, host=self.host, port=self.port, zones=listed)
        )
        program = program_of(maker)
        assert program is not None
        command = [program, "-c", str(conf)] + (["-d"] if maker == "nsd" else [])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.connect((self.host, self.port))
        self._udp.settimeout(PATIENCE_S)
        self._tcp: socket.socket | None = None

    def await_zones(self, queries: Iterable[bytes]) -> None:
        """Wait until queries for the SOA of each zone are answered with it."""
        for query in queries:
            until(partial(self._serves, query), self._excuse)

    def ask(self, packet: bytes, *, tcp: bool = False) -> bytes:
        """The reply to a packet."""
        if tcp:
            try:
                return self._ask_tcp(packet)
            except (OSError, EOFError):  # it had closed the idle connection
                self._hang_up()
                return self._ask_tcp(packet)
        self._udp.send(packet)
        while True:
            reply = self._udp.recv(65_535)
            if reply[:2] == packet[:2]:
                return reply

    def close(self) -> None:
        self._hang_up()
        self._udp.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

    def _serves(self, query: bytes) -> bool:
        assert self.process.poll() is None, self._excuse()
        with suppress(OSError):
            reply = self._ask_tcp(query)
            return reply[3] & 15 == 0 and reply[6:8] == b"\0\1"
        self._hang_up()
        time.sleep(0.02)
        return False

    def _excuse(self) -> str:
        return f"{self.maker} does not serve: {self.log.read_text(errors='replace')}"

    def _ask_tcp(self, packet: bytes) -> bytes:
        if self._tcp is None:
            self._tcp = socket.create_connection((self.host, self.port), PATIENCE_S)
        self._tcp.sendall(len(packet).to_bytes(2, "big") + packet)
        size = int.from_bytes(self._read(self._tcp, 2), "big")
        return self._read(self._tcp, size)

    def _read(self, sock: socket.socket, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            octets += (more := sock.recv(size - len(octets)))
            if not more:
                raise ConnectionResetError
        return octets

    def _hang_up(self) -> None:
        if self._tcp is not None:
            self._tcp.close()
            self._tcp = None


def program_of(maker: str) -> str | None:
    """Where a server's program is; daemons are not on everybody's path."""
    return shutil.which(PROGRAMS[maker], path=PATH)


def missing() -> list[str]:
    """Programs that the comparison needs and that are not here."""
    return [program for maker, program in PROGRAMS.items() if program_of(maker) is None]


@contextmanager
def running_peers(directory: Path, zones: Mapping[str, str]) -> Iterator[list[Peer]]:
    """All peers that are installed, serving these zones."""
    with ExitStack() as stack:
        peers = []
        for maker in PROGRAMS:
            if program_of(maker) is not None:
                peer = Peer(maker, directory / maker, zones)
                stack.callback(peer.close)
                peers.append(peer)
        yield peers

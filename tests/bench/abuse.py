"""Row abuse: clients do their worst to the API; what it costs in memory, what DNS notices.

PowerDNS, if it is installed, is sent one of the bodies for comparison.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench import peers
from tests.bench.crowd import PROMISED_MS, Crowd, in_words, notice, one_core_server
from tests.bench.figures import Figure
from tests.bench.processes import PROC, memory_mb
from tests.bench.server import free_port
from tests.bench.workshop import Workshop

ROUNDS, ALONE_S = 7, 10.0
PROMISED_MB = 80.0
BODY_MB = 64
MEGABYTE = 2**20


def run(workshop: Workshop) -> list[Figure]:
    """Peak memory of the control process, queries lost, p99."""
    with one_core_server(workshop, "abuse") as server:
        control = server.pids["control"]
        before_mb = memory_mb(control)["Rss"]
        forget_peak(control)
        crowd = Crowd("abuse_child", server.api_port, server.token)
        crowd.nod()  # all it can at first, with nobody else at work
        time.sleep(ALONE_S)
        crowd.nod()
        noticed = notice(workshop, server, crowd.nod, ROUNDS)
        told = crowd.end()
        grown_mb = peak_mb(control) - before_mb
        if server.pids["control"] != control:
            raise RuntimeError("the control process did not survive")
        server.until_ready()
    note = f"from {before_mb:.0f} MB; {in_words(told)}"
    return [
        Figure("abuse", "control grows, at its peak", "MB", [grown_mb], PROMISED_MB, note=note),
        Figure("abuse", "queries lost", "", noticed.lost, 0, "max", noticed.note),
        Figure("abuse", "p99 moves", "ms", noticed.moved_ms, PROMISED_MS),
        *_powerdns(workshop),
    ]


def forget_peak(pid: int) -> None:
    """The peak of memory is counted from now on. Source: proc(5), clear_refs."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """Most memory since `forget_peak`. Units: 10^6 octets."""
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) * 1024 / 1e6


# -- PowerDNS


def _powerdns(workshop: Workshop) -> list[Figure]:
    """What one body of 64 MB costs it."""
    if "PowerDNS" not in peers.installed():
        return []
    with _running(workshop.directory / "peer-powerdns-api") as (pid, port):
        before_mb = memory_mb(pid)["Rss"]
        forget_peak(pid)
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as sock:
            head = (
                "POST /api/v1/servers/localhost/zones HTTP/1.1\r\nHost: x\r\nX-API-Key: bench\r\n"
            )
            head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            sock.sendall(head.encode())
            for _ in range(BODY_MB):
                sock.sendall(b"%x\r\n%s\r\n" % (MEGABYTE, b" " * MEGABYTE))
            sock.recv(65_536)
        grown_mb = peak_mb(pid) - before_mb
    return [Figure("abuse", f"PowerDNS, one body of {BODY_MB} MB: grows", "MB", [grown_mb])]


@contextmanager
def _running(directory: Path) -> Iterator[tuple[int, int]]:
    """PowerDNS with its API, no size of bodies set but its own."""
    directory.mkdir(parents=True, exist_ok=True)
    [modules] = [path.parent for path in Path("/usr/lib").glob("*/pdns/libgeoipbackend.so")]
    (directory / "geo.yaml").write_text("domains: []\n")
    dns, web = free_port(), free_port()
    (directory / "pdns.conf").write_text(f"""\
socket-dir={directory}
local-address=127.0.0.1
local-port={dns}
module-dir={modules}
launch=geoip
geoip-zones-file={directory}/geo.yaml
webserver=yes
webserver-port={web}
api=yes
api-key=bench
guardian=no
daemon=no
setuid=
setgid=
loglevel=3
security-poll-suffix=
""")
    with (directory / "log").open("wb") as log:
        command = ["/usr/sbin/pdns_server", f"--config-dir={directory}"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _until_listens(web)
        yield process.pid, web
    finally:
        process.terminate()
        process.wait(10)


def _until_listens(port: int) -> None:
    end_s = time.monotonic() + 10
    while time.monotonic() < end_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("PowerDNS does not listen")

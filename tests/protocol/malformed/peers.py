"""geodns, and other makers' servers that are installed, each with the zone on loopback."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support.server import PATIENCE_S, free_port, running_server, until

from .wire import HOST, serves
from .zone import ORIGIN, document, master_file

PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

BIND = """
options {{
  directory "{directory}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port {port} {{ {host}; }}; listen-on-v6 {{ none; }};
  recursion no; minimal-responses yes; dnssec-validation no; notify no;
  max-udp-size 1232; edns-udp-size 1232; tcp-clients 1000;
}};
controls {{ }};
zone "{origin}" {{ type primary; file "{directory}/zone"; }};
"""
KNOT = """
server:
  rundir: "{directory}"
  listen: {host}@{port}
  udp-workers: 1
  udp-max-payload: 1232
log:
  - target: stderr
    any: warning
database:
  storage: "{directory}"
template:
  - id: default
    storage: "{directory}"
    global-module: mod-cookies
zone:
  - domain: {origin}
    file: zone
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
  answer-cookie: yes
  server-count: 1
  tcp-count: 1000
  ipv4-edns-size: 1232
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {origin}
  zonefile: zone
"""


class Maker(NamedTuple):
    """One server: its program, its options, and what its configuration looks like."""

    program: str
    options: tuple[str, ...]
    configuration: str


MAKERS = {
    "BIND": Maker("named", ("-g", "-n", "1", "-c"), BIND),
    "Knot": Maker("knotd", ("-c",), KNOT),
    "NSD": Maker("nsd", ("-d", "-c"), NSD),
}


def program_of(maker: str) -> str | None:
    """Where its program is; daemons are not on everybody's path."""
    return shutil.which(MAKERS[maker].program, path=PATH)


@contextmanager
def running_geodns(directory: Path, engine: str = "auto") -> Iterator[int]:
    """The port of a geodns that serves the zone."""
    directory.mkdir(parents=True, exist_ok=True)
    with running_server(directory, workers=1, engine=engine) as server:
        server.apply(document())
        yield server.dns_port


@contextmanager
def running_peer(maker: str, directory: Path) -> Iterator[int]:
    """The port of another server that serves the zone.

    Errors: AssertionError with what it said, if it does not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _, options, form = MAKERS[maker]
    port, conf, log = free_port(), directory / "conf", directory / "log"
    (directory / "zone").write_text(master_file())
    conf.write_text(form.format(directory=directory, host=HOST, port=port, origin=ORIGIN))
    program = program_of(maker)
    assert program is not None, f"{maker} is not installed"
    with log.open("wb") as output:
        process = subprocess.Popen([program, *options, str(conf)], stdout=output, stderr=output)
    try:
        said = lambda: f"{maker} does not serve:\n{log.read_text(errors='replace')}"  # noqa: E731
        until(lambda: process.poll() is not None or serves(port), said)
        assert process.poll() is None, said()
        yield port
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""Other servers with geographic answers, on the same zone and nodes: gdnsd, Knot, PowerDNS.

gdnsd steers as we do, to the nearest of all nodes for each network of the database. Knot and
PowerDNS know countries and continents only; their tables name a node for each of those here.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.ask import Asker
from tests.bench.blast import Target
from tests.bench.fleet import ZONE, Document
from tests.bench.processes import pin
from tests.bench.server import free_port

PROGRAMS = {"gdnsd": "gdnsd", "Knot": "knotd", "PowerDNS": "pdns_server"}
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
START_S, STOP_S = 60.0, 15.0

COUNTRIES = {
    "EU": ("GB", "IE", "FR", "ES", "PT", "NO", "DE", "RU", "IT", "SE", "PL", "NL"),
    "NA": ("US", "CA", "MX"),
    "SA": ("BR", "AR", "CO", "CL"),
    "AF": ("EG", "MA", "ZA", "NG", "KE"),
    "AS": ("JP", "KR", "CN", "TW", "IN", "ID", "TR", "SA", "IL"),
    "OC": ("AU", "NZ"),
    "AN": (),
}
"""Continents, and those of their countries that have a node of their own in the tables."""

RECORDS = f"""\
@ 3600 IN SOA ns1.{ZONE}. host.{ZONE}. 1 7200 900 604800 30
@ 3600 IN NS ns1
ns1 3600 IN A 192.0.2.53
static 300 IN A 192.0.2.1
"""

PeerContext = AbstractContextManager[Target]


def installed() -> list[str]:
    """The peers that this machine has."""
    return [name for name, program in PROGRAMS.items() if _program(program)]


@contextmanager
def peer(
    name: str,
    directory: Path,
    database: Path,
    fleet: Document,
    core: int,
    under: Sequence[str] = (),
) -> Iterator[Target]:
    """A peer at work on one core, perhaps under another program.

    Errors: RuntimeError when it does not start.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    port = free_port()
    command = _PREPARE[name](directory, database, fleet["nodes"], port)
    program = _program(command[0])
    assert program is not None
    with (directory / "log").open("wb") as log:
        words = ["taskset", "-c", str(core), *under, program, *command[1:]]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _until_answers(process, port, directory)
        pin([process.pid], core)
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_answers(process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    asker = Asker(("127.0.0.1", port), f"static.{ZONE}")
    end_s = time.monotonic() + START_S
    while asker.address() is None:
        if process.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError(f"{process.args!r} does not answer; see {directory / 'log'}")
        time.sleep(0.01)
    asker.close()


def _program(name: str) -> str | None:
    return shutil.which(name, path=SYSTEM_PATH)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "ascii")


# -- gdnsd


def _gdnsd(directory: Path, database: Path, nodes: dict[str, Any], port: int) -> list[str]:
    places = ((name, node["location"]) for name, node in nodes.items())
    coords = ", ".join(f"{name} => [{at['lat']}, {at['lon']}]" for name, at in places)
    addresses = ", ".join(f"{name} => {node['addresses'][0]}" for name, node in nodes.items())
    for part in ("run", "state"):
        (directory / part).mkdir()
    _write(
        directory / "config",
        f"""\
options => {{
  listen => 127.0.0.1:{port}, udp_threads => 1, tcp_threads => 1, edns_client_subnet => true,
  run_dir => {directory}/run, state_dir => {directory}/state }}
plugins => {{ geoip => {{
  maps => {{ m => {{ geoip2_db => {database}, datacenters => [{", ".join(nodes)}],
    auto_dc_coords => {{ {coords} }} }} }},
  resources => {{ www => {{ map => m, service_types => up, dcmap => {{ {addresses} }} }} }} }} }}
""",
    )
    _write(directory / "zones" / ZONE, f"{RECORDS}www 30 DYNA geoip!www\n")
    return [PROGRAMS["gdnsd"], "-c", str(directory), "start"]


# -- Knot DNS with mod-geoip


def _knot(directory: Path, database: Path, nodes: dict[str, Any], port: int) -> list[str]:
    for part in ("run", "db"):
        (directory / part).mkdir()
    _write(
        directory / "knot.conf",
        f"""\
server:
    listen: 127.0.0.1@{port}
    rundir: {directory}/run
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
    user: root:root
database:
    storage: {directory}/db
mod-geoip:
  - id: geo
    config-file: {directory}/geo.conf
    ttl: 30
    mode: geodb
    geodb-file: {database}
    geodb-key: [ continent/code, country/iso_code ]
zone:
  - domain: {ZONE}
    file: {directory}/zone
    journal-content: none
    zonefile-load: whole
    module: mod-geoip/geo
""",
    )
    table = "".join(
        f'  - geo: "{continent};{country}"\n    A: {address}\n'
        for continent, country, address in _by_country(nodes)
    )
    _write(directory / "geo.conf", f"www.{ZONE}:\n{table}")
    first = next(iter(nodes.values()))["addresses"][0]
    _write(directory / "zone", f"$ORIGIN {ZONE}.\n{RECORDS}www 30 IN A {first}\n")
    return [PROGRAMS["Knot"], "-c", str(directory / "knot.conf")]


# -- PowerDNS with the geoip backend


def _powerdns(directory: Path, database: Path, nodes: dict[str, Any], port: int) -> list[str]:
    [modules] = [path.parent for path in Path("/usr/lib").glob("*/pdns/libgeoipbackend.so")]
    _write(
        directory / "pdns.conf",
        f"""\
socket-dir={directory}
local-address=127.0.0.1
local-port={port}
receiver-threads=1
distributor-threads=1
edns-subnet-processing=yes
guardian=no
daemon=no
module-dir={modules}
loglevel=3
setuid=
setgid=
security-poll-suffix=
launch=geoip
geoip-zones-file={directory}/geo.yaml
geoip-database-files=mmdb:{database}
""",
    )
    first = next(iter(nodes.values()))["addresses"][0]
    names = {f"ns1.{ZONE}": "192.0.2.53", f"static.{ZONE}": "192.0.2.1"}
    names |= {
        f"{country.lower()}.{continent.lower()}.geo.{ZONE}".replace("*.", ""): address
        for continent, country, address in _by_country(nodes)
    }
    names[f"unknown.geo.{ZONE}"] = first
    records = "".join(f"    {name}:\n    - a: {address}\n" for name, address in names.items())
    _write(
        directory / "geo.yaml",
        f"""\
domains:
- domain: {ZONE}
  ttl: 30
  records:
    {ZONE}:
    - soa: ns1.{ZONE} host.{ZONE} 1 7200 900 604800 30
    - ns: ns1.{ZONE}
{records}\
  services:
    www.{ZONE}: [ '%co.%cn.geo.{ZONE}', '%cn.geo.{ZONE}', 'unknown.geo.{ZONE}' ]
""",
    )
    return [PROGRAMS["PowerDNS"], f"--config-dir={directory}"]


def _by_country(nodes: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Continent, country (`*` for the rest of it) and the address of some node."""
    keys = [(continent, code) for continent, codes in COUNTRIES.items() for code in (*codes, "*")]
    for (continent, country), node in zip(keys, nodes.values(), strict=False):
        yield continent, country, node["addresses"][0]


_PREPARE: dict[str, Callable[[Path, Path, dict[str, Any], int], list[str]]] = {
    "gdnsd": _gdnsd,
    "Knot": _knot,
    "PowerDNS": _powerdns,
}

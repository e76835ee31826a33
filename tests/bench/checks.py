"""Row checks: what watching a large fleet costs the health process.

10,000 plain http checks every 10 s, and 1,000 https checks with a full handshake each every 10 s,
by the real watcher in a process of its own. One web server in another process is all nodes; its
CPU is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from tests.bench.figures import Figure, percentile, short
from tests.bench.server import free_port
from tests.bench.workshop import Workshop

NODES = Path(__file__).with_name("checked.py")
PROMISED_PERCENT = 50.0
PROMISED_LATENESS_MS = 250.0
HTTP, HTTPS = 10_000, 1_000
HOST = "www.example.com"


def run(_workshop: Workshop) -> list[Figure]:
    """Both fleets, one after the other."""
    with tempfile.TemporaryDirectory() as directory:
        return [*_http(Path(directory)), *_https(Path(directory))]


def _http(directory: Path) -> list[Figure]:
    with _nodes() as port:
        found = _watch(directory, {"type": "http", "port": port, "interval_s": 10}, HTTP)
    return _figures("10,000 http every 10 s", found, HTTP)


def _https(directory: Path) -> list[Figure]:
    authority = trustme.CA()
    certificate = directory / "server.pem"
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
    with _nodes(str(certificate)) as port:
        rules = {
            "type": "https",
            "port": port,
            "host": HOST,
            "ca": authority.cert_pem.bytes().decode(),
            "interval_s": 10,
        }
        found = _watch(directory, rules, HTTPS)
    return _figures("1,000 https every 10 s", found, HTTPS)


@contextmanager
def _nodes(*certificate: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, str(NODES), str(port), *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield port
        finally:
            process.kill()


def _watch(directory: Path, monitor: dict[str, Any], count: int) -> dict[str, Any]:
    (directory / "status").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.checks_child", str(directory)]
    done = subprocess.run(
        [*command, json.dumps(monitor), str(count)], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _figures(what: str, found: dict[str, Any], count: int) -> list[Figure]:
    if found["up"] != count:
        raise RuntimeError(f"{count - found['up']} of {count} healthy nodes were not found up")
    note = f"{short(found['ms_each'])} ms a check, {short(found['checks_per_s'])} a second"
    late = percentile(found["lateness_ms"], 0.5)
    return [
        Figure("checks", what, "% of a core", [found["core_percent"]], PROMISED_PERCENT, note=note),
        Figure(
            "checks",
            f"{what}, lateness",
            "ms",
            found["lateness_ms"],
            PROMISED_LATENESS_MS,
            judged="p99",
            note=f"median {short(late)} ms",
        ),
    ]

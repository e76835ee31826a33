"""A thousand targets at once that drip, flood, lie and bomb: bounded time and memory."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from support import hostile

from geodns.health.observation import Observation, Probe
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

TARGETS = 1000
TIMEOUT_S = 2.0
LATE_S = 0.1
TLS_LATE_S = 0.3  # a thousand handshakes at once are more than two cores do in the timeout
MEMORY_KB = 150_000

Found = dict[str, list[tuple[float, Observation]]]
"""How long each probe took, and what it saw, by kind of misbehaviour."""


@contextmanager
def servers(*arguments: str) -> Iterator[dict[str, int]]:
    """The hostile servers; their ports by kind."""
    process = subprocess.Popen(
        [sys.executable, hostile.__file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


def observe_all(ports: dict[str, int], kind: str, count: int) -> Found:
    """All probed at once."""
    local = Local()
    probes = []
    for number in range(count):
        name = list(ports)[number % len(ports)]
        fields = {"type": kind, "port": ports[name], "timeout_s": TIMEOUT_S}
        if kind == "https":
            fields |= {"host": "www.example.com", "verify": False}
        monitor = Monitor.model_validate(fields | {"expect": {"body": "ok"}})
        probes.append((name, ProbeMaker(local)("127.0.0.1", monitor)))

    async def one(name: str, probe: Probe) -> tuple[str, float, Observation]:
        started_s = time.monotonic()
        seen = await probe.observe()
        return name, time.monotonic() - started_s, seen

    async def scene() -> list[tuple[str, float, Observation]]:
        return await asyncio.gather(*(one(name, probe) for name, probe in probes))

    found = defaultdict(list)
    for name, elapsed_s, seen in asyncio.run(scene()):
        found[name].append((elapsed_s, seen))
    return found


@pytest.fixture(autouse=True)
def descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * TARGETS:
        pytest.skip("too few descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * TARGETS), hard))


def latest_s(found: Found) -> float:
    return max(elapsed_s for seen in found.values() for elapsed_s, _ in seen)


def best_of_three(kind: str, *arguments: str) -> Found:
    """The least late of up to three runs: others on the machine make verdicts late, too."""
    tries = []
    for _ in range(3):
        with servers(*arguments) as ports:
            tries.append(observe_all(ports, kind, TARGETS))
        if latest_s(tries[-1]) <= TIMEOUT_S + LATE_S:
            break
    return min(tries, key=latest_s)


def test_a_thousand_hostile_targets_cost_bounded_time_and_memory() -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = best_of_three("http")
    assert latest_s(found) <= TIMEOUT_S + LATE_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MEMORY_KB
    passed = {name for name, seen in found.items() if any(one.passed for _, one in seen)}
    assert passed == {"honest"}
    assert all(one.passed for _, one in found["honest"])


def test_the_same_over_tls(tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    trustme.CA().issue_cert("www.example.com").private_key_and_cert_chain_pem.write_to_path(
        certificate
    )
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = best_of_three("https", "--tls", str(certificate))
    assert latest_s(found) <= TIMEOUT_S + TLS_LATE_S
    # OpenSSL itself holds some 50 kB for each session.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 2 * MEMORY_KB
    passed = {name for name, seen in found.items() if any(one.passed for _, one in seen)}
    assert passed <= {"honest"}

"""A fleet of three real nodes behind one real server, shared by the tests of a file."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dns.exception
import pytest
from support.nodes import HttpNode, http_nodes
from support.server import Server, free_port, running_server, until

USER = "81.2.69.0/24"
"""A network in London, by the database we ship."""

SITES = {"lon": (51.5, -0.1), "fra": (50.1, 8.7), "nyc": (40.7, -74.0)}
ADDRESSES = {"lon": "127.0.1.1", "fra": "127.0.1.2", "nyc": "127.0.1.3"}
NAMESERVERS = [{"name": "ns1.example.test.", "addresses": ["127.0.0.1"]}]


@dataclass
class Fleet:
    """A server and the nodes it watches."""

    server: Server
    nodes: Mapping[str, HttpNode]

    def serving(self, name: str = "www.example.test", subnet: str = USER) -> str:
        """The one node whose address is the answer; empty for none."""
        found = self.server.addresses(name, subnet)
        return ",".join(node for node, address in ADDRESSES.items() if address in found)


def document(port: int, **pools: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the fleet: ``www`` by all nodes, other names by their own pools."""
    monitor = {"type": "http", "port": port, "path": "/healthz", "interval_s": 1, "timeout_s": 0.5}
    web = {"nodes": list(SITES), "monitor": "web"}
    return {
        "zones": {
            "example.test": {
                "nameservers": NAMESERVERS,
                "steers": {"www": {"pool": "web"}, **{pool: {"pool": pool} for pool in pools}},
                "rrsets": {
                    "static": {"TXT": ["here"]},
                    "*.wild": {"A": ["192.0.2.7"]},
                    "big": {"TXT": [f'"{number:03}{"x" * 200}"' for number in range(10)]},
                },
            }
        },
        "monitors": {"web": monitor},
        "pools": {"web": web, **pools},
        "nodes": {
            node: {"addresses": [ADDRESSES[node]], "location": {"lat": lat, "lon": lon}}
            for node, (lat, lon) in SITES.items()
        },
    }


@pytest.fixture(scope="module")
def shared_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two workers, three nodes, one zone."""
    port = free_port("127.0.1.1")
    directory = tmp_path_factory.mktemp("server")
    with http_nodes(ADDRESSES, port) as nodes, running_server(directory, workers=2) as server:
        server.apply(
            document(
                port,
                shut={"nodes": ["lon"], "monitor": "web", "all_down": "closed"},
                spare={"nodes": ["lon", "fra"], "monitor": "web", "fallback": "last"},
                last={"nodes": ["nyc"], "monitor": "web"},
            )
        )
        yield Fleet(server, nodes)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker over the same zone; its nodes are not there."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        server.apply(document(free_port("127.0.1.1")))
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The shared server, up and ready, whatever the test before did."""
    assert shared_server.process is not None
    if shared_server.process.poll() is not None:
        shared_server.await_gone()
        shared_server.start()
    shared_server.await_ready()
    return shared_server


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Iterator[Fleet]:
    """The shared fleet with every node up, whatever the test before did."""
    forget_flaps(shared_fleet.server)
    settle(shared_fleet)
    yield shared_fleet
    for node in shared_fleet.nodes.values():
        if not node.running:
            node.start()


def forget_flaps(server: Server) -> None:
    """Hold nothing against nodes that fell in the test before: twice is flapping."""
    if any(target["state"] == "down" for target in server.api("GET", "status")["targets"]):
        pid = server.pid_of("health")
        os.kill(pid, signal.SIGKILL)
        (server.data / "verdicts").unlink(missing_ok=True)
        until(lambda: server.pid_of("health") not in (0, pid), "no new health")


def settle(fleet: Fleet) -> None:
    def all_up() -> bool:
        status = fleet.server.api("GET", "status")
        return [target["state"] for target in status["targets"]] == ["up"] * len(ADDRESSES)

    until(all_up, "not all nodes came up")


def answers(server: Server) -> bool:
    """Whether a name of the zone is answered right now."""
    try:
        return bool(server.ask("static.example.test", "TXT", timeout_s=0.05).answer)
    except (dns.exception.Timeout, OSError):
        return False


def tool(name: str) -> str:
    """A program of the system; without it the test is skipped, but not where all must run."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return path

"""A server with the native engine, seen from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from support.build import ROME, node, zone
from support.server import Server, free_port, running_server

from geodns.engine.native import reads_snapshots

pytest.importorskip("geodns._native", reason="no native engine was built")
if not reads_snapshots():
    pytest.skip("snapshots of version 2 await their port to Rust", allow_module_level=True)

DOCUMENT = {
    "zones": {
        "example.test": zone(
            {"www": "web"},
            {"static": {"TXT": ["here"]}, "big": {"TXT": [f"{'x' * 250}{n}" for n in range(9)]}},
        )
    },
    "nodes": {"rome": node(ROME, "198.18.0.1"), "second": node(ROME, "198.18.0.2")},
    "pools": {"web": {"nodes": ["rome", "second"], "order": "listed", "spread": "first"}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On all addresses, of which loopback has many."""
    port = free_port()
    directory = tmp_path_factory.mktemp("native")
    with running_server(directory, engine="native", dns=[f"[::]:{port}"]) as server:
        server.dns_port = port
        server.apply(DOCUMENT)
        yield server


def test_the_engine_is_told_wherever_one_looks(server: Server) -> None:
    assert server.api("GET", "status")["engine"] == "native"
    assert server._client.get("/readyz").json()["engine"] == "native"
    assert 'engine="native"' in server._client.get("/metrics").text
    assert server.logged("with the native engine")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "::1"])
def test_replies_leave_from_the_address_that_was_asked(server: Server, host: str) -> None:
    # dnspython takes no reply from another address than the one it asked.
    assert server.addresses("www.example.test", host=host) == {"198.18.0.1"}


def test_a_new_generation_is_served_once_the_api_says_so(server: Server) -> None:
    for number in range(5):
        path = "zones/example.test/rrsets/fresh/TXT?wait=true"
        server.api("PUT", path, {"values": [str(number)], "ttl": 1})
        assert server.text("fresh.example.test", tcp=False) == str(number)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_debug_names_are_answered_by_the_host(server: Server, host: str) -> None:
    query = dns.message.make_query("_explain.www.example.test", "TXT")
    reply = dns.query.udp(query, host, 2, server.dns_port)
    assert "www.example.test A = rome" in str(reply.answer[0])
    query = dns.message.make_query("id.server", "TXT", "CH")
    assert "scenario" in str(dns.query.udp(query, host, 2, server.dns_port).answer[0])


def test_what_does_not_fit_is_truncated_and_whole_over_tcp(server: Server) -> None:
    assert server.ask("big.example.test", "TXT").flags & dns.flags.TC
    assert len(server.ask("big.example.test", "TXT", tcp=True).answer[0]) == 9


def test_queries_are_counted_by_what_became_of_them(server: Server) -> None:
    def counters() -> dict[str, int]:
        return dict(server.api("GET", "status")["workers"][0]["counters"])

    before = counters()
    for name in ("static.example.test", "none.example.test", "out.invalid"):
        server.ask(name, "TXT")
    server.ask("static.example.test", "TXT", tcp=True)
    after = counters()
    grown = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert {key: grown[key] for key in ("udp", "tcp", "noerror", "nxdomain", "refused")} == {
        "udp": 3,
        "tcp": 1,
        "noerror": 2,
        "nxdomain": 1,
        "refused": 1,
    }


def test_a_killed_worker_is_back_within_a_quarter_of_a_second(server: Server) -> None:
    os.kill(server.worker(), signal.SIGKILL)
    started_s = time.monotonic()
    server.ask("static.example.test", "TXT", timeout_s=5)  # it waits in the socket's queue
    assert time.monotonic() - started_s < 1  # 0.25 on a machine of one's own
    assert server.addresses("www.example.test") == {"198.18.0.1"}


def test_the_reference_engine_serves_when_it_is_asked_for(tmp_path: Path) -> None:
    with running_server(tmp_path, engine="python") as server:
        server.apply(DOCUMENT)
        assert server.api("GET", "status")["engine"] == "python"
        assert server.addresses("www.example.test") == {"198.18.0.1"}

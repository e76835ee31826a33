"""What a server tells of itself while it is abused: bounded metrics, and a log that can be read."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from support.engines import ENGINES, need
from support.server import Server, running_server, until

FLEET = {
    "zones": {
        "example.test": {
            "nameservers": ["ns1.example.net"],
            "steers": {"www": {"pool": "web", "rules": [{"geos": ["EU"], "pool": "eu"}]}},
            "rrsets": {"mail": {"A": ["192.0.2.1"]}},
        }
    },
    "nodes": {
        "fra": {"at": "FRA", "addresses": ["192.0.2.10", "2001:db8::10"]},
        "nyc": {"at": "JFK", "addresses": ["192.0.2.11"]},
    },
    "pools": {"web": {"nodes": ["fra", "nyc"]}, "eu": {"nodes": ["fra"]}},
}
ABUSES = 1000
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def scrape(server: Server) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    reply = server._client.get("/metrics")
    assert reply.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(reply.text)
        for sample in family.samples
    }


def dns(samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> dict[Any, float]:
    """The counters that do not depend on who answers and when."""
    same = re.compile(
        "geodns_(dns_(requests|responses|dropped)|node_answers)_total|.*size_bytes_.*"
    )
    return {key: value for key, value in samples.items() if same.fullmatch(key[0])}


def ask_all(server: Server, rng: random.Random) -> None:
    """Odd packets of all kinds: random names, types, classes, opcodes, and no DNS at all."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect((server.host, server.dns_port))
        client.settimeout(5)
        for number in range(ABUSES):
            label = f"x{number}-{rng.randrange(10**9)}".encode()
            name = bytes([len(label)]) + label + b"\7example\4test\0"
            flags = rng.choice([0, 0, 0, 0x0100, number % 16 << 11])
            asked = struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0)
            asked += rng.choice([name, b"\3www\7example\4test\0", b"\4none\0"])
            asked += struct.pack(">HH", rng.choice([1, 28, number]), rng.choice([1, 1, 3, number]))
            client.send(asked if number % 50 else asked[: number % 12])
            if number % 50:
                client.recv(4096)
        client.send(struct.pack(">HHHHHH", 1, 0x8000, 1, 0, 0, 0))  # a reply is not answered
    server.ask("www.example.test", subnet="93.184.216.0/24", tcp=True)
    server.ask("www.example.test", subnet="8.8.8.0/24")


@pytest.fixture(scope="module")
def counted() -> dict[str, dict[Any, float]]:
    return {}


@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_is_asked_makes_no_series(
    tmp_path: Path, engine: str, counted: dict[str, dict[Any, float]]
) -> None:
    need(engine)
    with running_server(tmp_path, engine=engine) as server:
        server.apply(FLEET)
        ask_all(server, random.Random("abuse"))
        until(lambda: dns(scrape(server)) == dns(scrape(server)))
        counted[engine] = dns(scrape(server))
        before = scrape(server).keys()
        requests = sum(v for (name, _), v in counted[engine].items() if "requests" in name)
        answers = sum(v for (name, _), v in counted[engine].items() if "node_answers" in name)
        assert requests == ABUSES - ABUSES // 50 + 2
        assert answers > ABUSES / 20
        ask_all(server, random.Random("more abuse"))
        for number in range(ABUSES // 4):
            server._client.get(f"/x{number}")
            server.request("GET", f"nodes/n{number}")
        grown = scrape(server).keys() - before
        routes = {("route", "none"), ("route", "/api/v1/nodes/{id}")}
        # A bucket or a cell of type and family that chance had left out; no more.
        assert len([key for key in grown if not routes & set(key[1])]) < 50, grown
        zones = {dict(labels).get("zone") for _, labels in scrape(server)} - {None}
        assert zones == {"none", "example.test."}


def test_both_engines_count_the_same(counted: dict[str, dict[Any, float]]) -> None:
    if set(counted) != set(ENGINES):
        pytest.skip("only one engine was asked")
    ours, theirs = (counted[engine] for engine in ENGINES)
    assert {key: value for key, value in ours.items() if value} == {
        key: value for key, value in theirs.items() if value
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_every_line_of_an_abused_servers_log_is_an_object(tmp_path: Path, engine: str) -> None:
    need(engine)
    hostile = "x\ny\r\x1b[31m\u2028\udcff"
    with running_server(tmp_path, engine=engine, log_format="json", log_level="debug") as server:
        server.apply(FLEET)
        ask_all(server, random.Random("abuse"))
        refused = server.request("PUT", "nodes/new", {"at": hostile[:-1], "addresses": ["nowhere"]})
        assert refused.status_code == 422
        odd = {"Authorization": "Bearer gd_not-the-secret"}
        assert server._client.get("/api/v1/nodes", headers=odd).status_code == 401
        with socket.create_connection((server.host, server.api_port)) as raw:
            raw.sendall(b"PUT /api/v1/nodes/\x1b[31m HTTP/9.9\r\nx: \xff\xfe\n\n\0\0\r\n\r\n")
            raw.recv(4096)
        for pid in (server.worker(), server.pid_of("health"), server.pid_of("control")):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not server.ready())
        until(server.ready)
        secret = server.token
        server.stop()
    lines = [json.loads(line) for line in server.log.read_bytes().splitlines()]
    assert all(INSTANT.fullmatch(line["time"]) and line["message"] for line in lines)
    assert {"supervisor", "health", "control"} <= {line["process"] for line in lines}
    [write] = [line for line in lines if line.get("path") == "/api/v1/nodes/new"]
    assert (write["method"], write["status"], write["actor"]) == ("PUT", 422, "admin")
    assert write["request_id"] == refused.headers["X-Request-Id"]
    text = server.log.read_text()
    assert secret not in text
    assert "not-the-secret" not in text

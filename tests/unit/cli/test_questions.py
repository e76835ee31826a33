"""explain, query, status, geo and version."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.edns
import dns.message
import dns.rrset
import pytest

Commands = Callable[..., Any]


def test_explain_asks_all_it_was_told_and_prints_the_lines(run: Commands, server: Path) -> None:
    words = ("explain", "www.example.com", "AAAA", "--from", "203.0.113.0/24")
    explained = run(*words, "--resolver", "192.0.2.53", "-o", "json").data
    assert explained["asked"] == {
        "name": "www.example.com",
        "type": "AAAA",
        "from": "203.0.113.0/24",
        "resolver": "192.0.2.53",
    }
    assert run(*words).out == (
        "01 www.example.com A = fra1 192.0.2.10\n02 subject \\x1b[31m by ECS\n"
    )


def test_explain_refuses_what_the_api_refuses(run: Commands, server: Path) -> None:
    refused = run("explain", "www.example.com", "--from", "nowhere")
    assert (refused.code, refused.out) == (2, "")
    assert "from" in refused.err


# --- query: dnspython is the other party ---


def answer(wire: bytes) -> bytes:
    query = dns.message.from_wire(wire)
    reply = dns.message.make_response(query)
    question = query.question[0]
    reply.answer.append(dns.rrset.from_text(question.name, 30, "IN", "A", "192.0.2.10"))
    options = [
        dns.edns.ECSOption(option.address, option.srclen, 18)
        for option in query.options
        if isinstance(option, dns.edns.ECSOption)
    ]
    reply.use_edns(0, payload=1232, options=options)
    return reply.to_wire()


@pytest.fixture
def responder() -> Iterator[int]:
    """The port of a server that answers one query."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(10)

        def serve() -> None:
            wire, client = udp.recvfrom(4096)
            udp.sendto(answer(wire), client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield udp.getsockname()[1]
        thread.join()


def test_query_prints_what_dig_would(run: Commands, responder: int) -> None:
    server = f"127.0.0.1:{responder}"
    words = ("query", "www.example.com", "--from", "203.0.113.0/24", "--server", server)
    lines = run(*words).out.splitlines()
    assert lines[:5] == [
        ";; status: NOERROR, flags: qr rd",
        ";; client subnet: 203.0.113.0/24, scope /18",
        "",
        ";; ANSWER SECTION:",
        "www.example.com. 30 IN A 192.0.2.10",
    ]
    assert lines[-1].startswith(f";; from 127.0.0.1 port {responder} in ")


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])
def test_query_finds_the_server_of_the_data_directory(
    run: Commands, responder: int, tmp_path: Path, listening: str
) -> None:
    word = {"api": "http://127.0.0.1:1", "dns": [f"{listening}:{responder}"], "pid": 1}
    (tmp_path / "api.json").write_text(json.dumps(word))
    asked = run("query", "www.example.com", "-o", "json", "--data-dir", str(tmp_path))
    assert asked.data["answers"] == ["www.example.com. 30 IN A 192.0.2.10"]
    assert asked.data["scope"] is None


def test_query_of_a_dead_server_is_unavailable(run: Commands) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
    asked = run("query", "www.example.com", "--server", f"127.0.0.1:{port}")
    assert (asked.code, asked.out) == (4, "")


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1:99999", "[::1", "1.2.3"])
def test_query_refuses_what_is_no_server(run: Commands, server: str) -> None:
    assert run("query", "www.example.com", "--server", server).code == 2


# --- status ---


def test_status_shows_counters_that_count(run: Commands, server: Path) -> None:
    out = run("status").out
    assert "engine      python\n" in out
    assert "udp=3\n" in out


def test_status_of_an_empty_server_says_what_to_type_until_it_is_complete(
    run: Commands, server: Path
) -> None:
    steps = [
        ("geodns zone add ", ("zone", "add", "example.com", "nameservers=ns1.example.net")),
        ("geodns node add ", ("node", "add", "fra1", "addresses=192.0.2.1", "labels.tier=edge")),
        ("geodns pool add ", ("pool", "add", "web", "select.tier=edge")),
        ("geodns steer www.example.com ", ("steer", "www.example.com", "web")),
        ("geodns monitor add ", ("monitor", "add", "web", "type=tcp", "port=443")),
    ]
    for hint, words in steps:
        assert f"Next: {hint}" in run("status").out
        assert run(*words).code == 0
    assert "Next:" not in run("status").out


def test_what_status_advises_to_type_works_as_it_stands(run: Commands, server: Path) -> None:
    for _ in range(3):
        advice = run("status").out.rpartition("Next: geodns ")[2].split()
        assert run(*advice).code == 0, advice


# --- geo ---


def test_geo_lookup_asks_the_server(run: Commands, server: Path) -> None:
    found = run("geo", "lookup", "192.0.2.1", "-o", "json").data
    assert (found["place"], found["database"]) == ("EU-DE 50.11,8.68", "test-city 2026-11")
    assert "place     not known\n" in run("geo", "lookup", "198.51.100.1").out


def test_geo_works_without_a_server(run: Commands, default_database: Path) -> None:
    found = run("geo", "lookup", "8.8.8.8", "-o", "json").data
    assert found["place"].startswith("NA-US ")
    assert found == run("geo", "lookup", "8.8.8.8", "--geo-db", str(default_database), "-o",
                        "json").data  # fmt: skip
    about = run("geo", "info", "-o", "json").data
    assert found["database"] == f"{about['name']} {about['built'][:7]}"


def test_geo_refuses_what_is_no_address_or_no_database(run: Commands, tmp_path: Path) -> None:
    assert run("geo", "lookup", "example.com").code == 2
    (tmp_path / "x.mmdb").write_bytes(b"no database")
    refused = run("geo", "info", "--geo-db", str(tmp_path / "x.mmdb"))
    assert (refused.code, "x.mmdb" in refused.err) == (2, True)


def test_version_names_the_engines(run: Commands) -> None:
    about = run("version", "-o", "json").data
    assert set(about) == {"geodns", "engine", "native", "python"}
    assert about["engine"] == ("python" if about["native"] == "not built" else "native")
    assert run("--version").out == run("version").out

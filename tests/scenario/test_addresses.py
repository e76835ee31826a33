"""Wildcard listeners: a reply leaves from the address that was asked."""

from __future__ import annotations

import socket
from pathlib import Path

import dns.message
import pytest
from support.server import Server, free_port, running_server

from .conftest import document

NAME = "static.example.test"
LOOPBACKS = ("127.0.0.1", "127.0.0.5", "127.9.8.7")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def reply_source(server: Server, address: str, *, tcp: bool = False) -> str:
    """Where the reply to a query for ``address`` comes from; the socket takes it from anywhere."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    query = dns.message.make_query(NAME, "TXT")
    if tcp:
        assert server.ask(NAME, "TXT", tcp=True, host=address).answer
        return address  # TCP has no other
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.settimeout(2)
        udp.sendto(query.to_wire(), (address, server.dns_port))
        octets, source = udp.recvfrom(4096)
    assert dns.message.from_wire(octets).answer
    return str(source[0])


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_replies_leave_from_the_address_that_was_asked(
    tmp_path: Path, host: str, engine: str
) -> None:
    asked = list(LOOPBACKS)
    if host == "::":
        if not has_ipv6():
            pytest.skip("no IPv6 here")
        asked.append("::1")
    port = free_port()
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with running_server(tmp_path, dns=shown, workers=2, engine=engine) as server:
        server.dns_port = port
        server.apply(document(free_port()))
        for address in asked:
            sources = {reply_source(server, address) for _ in range(8)}
            assert sources == {address}
            assert reply_source(server, address, tcp=True) == address


def test_an_ipv4_user_of_the_ipv6_socket_is_steered_by_the_ipv4_address(
    tmp_path: Path, engine: str
) -> None:
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    port = free_port()
    with running_server(tmp_path, dns=f"[::]:{port}", engine=engine) as server:
        server.dns_port = port
        server.apply(document(free_port()))
        told = server.text("_explain.www.example.test")
        assert "subject 127.0.0.1" in told
        assert "ffff" not in told

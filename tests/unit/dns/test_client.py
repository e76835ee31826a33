"""Asking a server on the loopback that says what the test tells it to say."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from geodns.dns.client import ask
from geodns.errors import ConfigError, Unavailable

Answer = Callable[[dns.message.QueryMessage, str], bytes | None]
Serve = Callable[[Answer], tuple[str, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers by one function of query and transport; gives its address."""
    with ExitStack() as stack:

        def run(server: socketserver.BaseServer) -> None:
            stack.enter_context(server)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)

        def start(answer: Answer) -> tuple[str, int]:
            udp, tcp = pair(answer)
            run(udp)
            run(tcp)
            return "127.0.0.1", udp.server_address[1]

        yield start


def pair(answer: Answer) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    """Servers on one port; the one that UDP is given may be taken for TCP."""
    while True:
        udp = socketserver.UDPServer(("127.0.0.1", 0), udp_handler(answer))
        try:
            return udp, socketserver.TCPServer(udp.server_address, tcp_handler(answer))
        except OSError:
            udp.server_close()


def udp_handler(answer: Answer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            octets, sock = self.request
            reply = answer(dns.message.from_wire(octets), "udp")
            if reply is not None:
                sock.sendto(reply, self.client_address)

    return Handler


def tcp_handler(answer: Answer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reply = answer(dns.message.from_wire(self.request.recv(4096)[2:]), "tcp")
            if reply is not None:
                self.request.sendall(len(reply).to_bytes(2, "big") + reply)

    return Handler


def full_reply(query: dns.message.QueryMessage, _: str) -> bytes:
    (sent,) = query.options
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    owner = str(query.question[0].name)
    reply.answer.append(dns.rrset.from_text(owner, 30, "IN", "A", "192.0.2.1"))
    reply.authority.append(dns.rrset.from_text("test.", 60, "IN", "NS", "ns.test."))
    reply.additional.append(dns.rrset.from_text("ns.test.", 60, "IN", "A", "192.0.2.53"))
    ecs = dns.edns.ECSOption(sent.address, sent.srclen, 20)
    ede = dns.edns.EDEOption(dns.edns.EDECode.NO_REACHABLE_AUTHORITY, "failing open")
    reply.use_edns(0, payload=1232, options=[ecs, ede])
    return reply.to_wire()


def test_a_reply_is_told_part_by_part(serve: Serve) -> None:
    reply = ask("www.test", "a", serve(full_reply), "203.0.113.77/24")
    assert reply.rcode == "NOERROR"
    assert reply.flags == ("qr", "aa", "rd")
    assert reply.answers == ("www.test. 30 IN A 192.0.2.1",)
    assert reply.authority == ("test. 60 IN NS ns.test.",)
    assert reply.additional == ("ns.test. 60 IN A 192.0.2.53",)
    assert reply.scope == 20
    assert reply.ede == ("22 (No Reachable Authority): failing open",)
    assert 0 < reply.elapsed_ms < 2000
    assert "flags QR AA RD" in reply.text


def test_records_keep_the_order_of_the_wire(serve: Serve) -> None:
    def answer(query: dns.message.QueryMessage, _: str) -> bytes:
        rdata = b"".join(
            b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\xc0\x00\x02" + bytes((last,))
            for last in (3, 1, 2)
        )
        head = dns.message.make_response(query).to_wire()
        question = head[12 : 12 + len(b"\x03www\x04test\x00") + 4]
        return head[:4] + b"\x00\x01\x00\x03\x00\x00\x00\x00" + question + rdata

    reply = ask("www.test", "A", serve(answer))
    assert [line.split()[-1] for line in reply.answers] == ["192.0.2.3", "192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize(
    ("subnet", "sent"),
    [
        ("203.0.113.77/24", "ECS 203.0.113.0/24 scope/0"),
        ("203.0.113.77", "ECS 203.0.113.77/32 scope/0"),
        ("2001:db8:1:2::/48", "ECS 2001:db8:1::/48 scope/0"),
        ("0.0.0.0/0", "ECS 0.0.0.0/0 scope/0"),
    ],
)
def test_the_subnet_goes_into_ecs(serve: Serve, subnet: str, sent: str) -> None:
    seen: list[str] = []

    def answer(query: dns.message.QueryMessage, _: str) -> bytes:
        seen.extend(option.to_text() for option in query.options)
        return dns.message.make_response(query).to_wire()

    ask("www.test", "A", serve(answer), subnet)
    assert seen == [sent]


def test_without_subnet_no_ecs_is_sent_and_no_scope_seen(serve: Serve) -> None:
    def answer(query: dns.message.QueryMessage, _: str) -> bytes:
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.BADCOOKIE if query.options else dns.rcode.NXDOMAIN)
        return reply.to_wire()

    reply = ask("www.test", "A", serve(answer))
    assert (reply.rcode, reply.scope, reply.answers, reply.ede) == ("NXDOMAIN", None, (), ())


def transport_reply(query: dns.message.QueryMessage, transport: str) -> bytes:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC if transport == "udp" else 0
    if transport == "tcp":
        reply.answer.append(dns.rrset.from_text("www.test.", 0, "IN", "TXT", '"by tcp"'))
    return reply.to_wire()


@pytest.mark.parametrize("tcp", [False, True])
def test_truncation_leads_to_tcp(serve: Serve, tcp: bool) -> None:
    reply = ask("www.test", "TXT", serve(transport_reply), tcp=tcp)
    assert reply.answers == ('www.test. 0 IN TXT "by tcp"',)
    assert "tc" not in reply.flags


def test_silence_is_unavailable_and_names_the_server(serve: Serve) -> None:
    host, port = serve(lambda *_: None)
    with pytest.raises(Unavailable, match=rf"No reply from {host}:{port} within 0\.05 s"):
        ask("www.test", "A", (host, port), timeout_s=0.05)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_closed_port_is_unavailable_at_once(tcp: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with pytest.raises(Unavailable, match=f"Nothing listens on 127.0.0.1:{port}"):
        ask("www.test", "A", ("127.0.0.1", port), timeout_s=30, tcp=tcp)


@pytest.mark.parametrize("octets", [b"", b"\x00", bytes(40), b"\xff" * 40])
def test_nonsense_by_tcp_is_unavailable(serve: Serve, octets: bytes) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:\d+ sent no proper reply"):
        ask("www.test", "A", serve(lambda *_: octets), tcp=True)


def test_a_forged_reply_is_ignored(serve: Serve) -> None:
    def answer(query: dns.message.QueryMessage, _: str) -> bytes:
        reply = dns.message.make_response(query)
        reply.id ^= 1
        return reply.to_wire()

    with pytest.raises(Unavailable, match="No reply"):
        ask("www.test", "A", serve(answer), timeout_s=0.05)


@pytest.mark.parametrize(
    ("name", "rtype", "host", "subnet", "code"),
    [
        ("a..b", "A", "127.0.0.1", None, "bad_name"),
        ("www.test", "NONSENSE", "127.0.0.1", None, "unknown_type"),
        ("www.test", "TYPE99999", "127.0.0.1", None, "unknown_type"),
        ("www.test", "A", "localhost", None, "bad_address"),
        ("www.test", "A", "127.0.0.1", "203.0.113.0/33", "bad_subnet"),
        ("www.test", "A", "127.0.0.1", "fe80::1%lo", "bad_subnet"),
        ("www.test", "A", "127.0.0.1", "DE", "bad_subnet"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    name: str, rtype: str, host: str, subnet: str | None, code: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        ask(name, rtype, (host, 9), subnet)
    assert [reason.code for reason in refusal.value.reasons] == [code]

"""DNS probes against a name server made with dnspython."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from geodns.health.observation import Observation
from geodns.health.probes.local import Local
from geodns.health.probes.make import ProbeMaker
from geodns.model.monitor import Monitor

Answer = Callable[[dns.message.Message, bool], bytes]


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """A name server on 127.0.0.1, UDP and TCP; its port."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())

    def by_udp() -> None:
        while True:
            octets, peer = udp.recvfrom(9999)
            if octets == b"end":
                return
            udp.sendto(answer(dns.message.from_wire(octets), False), peer)

    def by_tcp() -> None:
        while True:
            client, _ = tcp.accept()
            with client:
                octets = client.recv(9999)
                if not octets:
                    return
                reply = answer(dns.message.from_wire(octets[2:]), True)
                client.sendall(len(reply).to_bytes(2, "big") + reply)

    threads = [threading.Thread(target=work) for work in (by_udp, by_tcp)]
    for thread in threads:
        thread.start()
    try:
        yield tcp.getsockname()[1]
    finally:
        udp.sendto(b"end", udp.getsockname())
        socket.create_connection(tcp.getsockname()).close()
        for thread in threads:
            thread.join()
        tcp.close()
        udp.close()


def reply(query: dns.message.Message, *records: str, rcode: str = "NOERROR") -> dns.message.Message:
    made = dns.message.make_response(query)
    made.set_rcode(dns.rcode.from_text(rcode))
    name = query.question[0].name
    for record in records:
        kind, _, data = record.partition(" ")
        made.answer.append(dns.rrset.from_text(name, 60, "IN", kind, data))
    return made


def plain(query: dns.message.Message, _tcp: bool) -> bytes:
    return reply(query, "A 192.0.2.1", "A 192.0.2.2").to_wire()


def missing(query: dns.message.Message, _tcp: bool) -> bytes:
    return reply(query, rcode="NXDOMAIN").to_wire()


def truncating(query: dns.message.Message, tcp: bool) -> bytes:
    if tcp:
        return reply(query, "A 192.0.2.9").to_wire()
    made = reply(query)
    made.flags |= dns.flags.TC
    return made.to_wire()


def other_id(query: dns.message.Message, _tcp: bool) -> bytes:
    made = reply(query)
    made.id ^= 1
    return made.to_wire()


def observe(answer: Answer, **fields: Any) -> Observation:
    with serving(answer) as port:
        body = {"type": "dns", "port": port, "query": "www.example.com A", "timeout_s": 1}
        monitor = Monitor.model_validate(body | fields)
        return asyncio.run(ProbeMaker(Local())("127.0.0.1", monitor).observe())


@pytest.mark.parametrize(
    ("answer", "expect", "passed", "reason"),
    [
        (plain, {}, True, "NOERROR"),
        (plain, {"answer": "192.0.2.2"}, True, "NOERROR"),
        (
            plain,
            {"answer": "192.0.2.3"},
            False,
            "NOERROR, but the answer is 192.0.2.1, 192.0.2.2, wanted 192.0.2.3",
        ),
        (missing, {}, False, "NXDOMAIN, wanted NOERROR"),
        (missing, {"rcode": "NXDOMAIN"}, True, "NXDOMAIN"),
        (truncating, {"answer": "192.0.2.9"}, True, "NOERROR"),
        (other_id, {}, False, "not a reply to the question"),
        (lambda _q, _t: b"\0" * 11, {}, False, "not DNS: ShortHeader"),
        (lambda q, _t: q.to_wire(), {}, False, "not a reply to the question"),
    ],
)
def test_the_reply_is_judged(
    answer: Answer, expect: dict[str, Any], passed: bool, reason: str
) -> None:
    seen = observe(answer, expect=expect)
    assert (seen.passed, seen.reason) == (passed, reason)


def test_data_is_compared_by_its_meaning() -> None:
    def six(query: dns.message.Message, _tcp: bool) -> bytes:
        return reply(query, "AAAA 2001:db8::1").to_wire()

    wanted = {"answer": "2001:DB8:0:0::1"}
    assert observe(six, query="www.example.com AAAA", expect=wanted).passed

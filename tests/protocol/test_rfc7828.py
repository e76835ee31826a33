"""RFC 7828: edns-tcp-keepalive."""

from __future__ import annotations

import dns.edns
import dns.message
import pytest
from support.lab import Lab, question

from geodns.engine.responder import Surroundings
from geodns.engine.tcp import IDLE_S


def keepalive(lab: Lab, asked: bool, *, tcp: bool, name: str = "mail.example.test") -> list[bytes]:
    responder = lab.responding(Surroundings())
    query = question(name)
    query.use_edns(0, options=[dns.edns.GenericOption(11, b"")] if asked else [])
    reply = dns.message.from_wire(responder.respond(query.to_wire(), "192.0.2.1", tcp=tcp) or b"")
    return [option.to_wire() for option in reply.options if option.otype == 11]


@pytest.mark.parametrize("name", ["mail.example.test", "nothing.example.test", "example.org"])
def test_section_3_3_2_who_asks_over_tcp_is_told_how_long(lab: Lab, name: str) -> None:
    (told,) = keepalive(lab, True, tcp=True, name=name)
    assert len(told) == 2  # section 3.1: units of 100 ms
    assert int.from_bytes(told, "big") / 10 == IDLE_S


def test_section_3_3_2_who_does_not_ask_is_not_told(lab: Lab) -> None:
    assert keepalive(lab, False, tcp=True) == []


def test_section_3_3_1_over_udp_it_is_ignored(lab: Lab) -> None:
    assert keepalive(lab, True, tcp=False) == []


def test_section_3_1_the_wait_told_is_the_setting_in_units_of_100_ms(lab: Lab) -> None:
    responder = lab.responding(Surroundings(keepalive=25))
    query = question("mail.example.test")
    query.use_edns(0, options=[dns.edns.GenericOption(11, b"")])
    reply = dns.message.from_wire(responder.respond(query.to_wire(), "192.0.2.1", tcp=True) or b"")
    assert [option.to_wire() for option in reply.options] == [b"\0\x19"]

"""RFC 5001: NSID."""

from __future__ import annotations

import dns.edns
import dns.message
import pytest
from support.lab import Lab, question

from geodns.engine.responder import Surroundings

NAMES = ["mail.example.test", "nothing.example.test", "www.sub.parent.test", "example.org"]


def options(lab: Lab, nsid: bytes, name: str, *asked: dns.edns.Option) -> list[tuple[int, bytes]]:
    responder = lab.responding(Surroundings(nsid=nsid))
    query = question(name)
    query.use_edns(0, options=list(asked))
    reply = dns.message.from_wire(responder.respond(query.to_wire(), "192.0.2.1") or b"")
    return [(int(option.otype), option.to_wire()) for option in reply.options]


NSID = dns.edns.GenericOption(3, b"")


@pytest.mark.parametrize("name", NAMES)
def test_section_2_1_who_asks_is_told(lab: Lab, name: str) -> None:
    assert options(lab, b"fra-1", name, NSID) == [(3, b"fra-1")]


@pytest.mark.parametrize("name", NAMES)
def test_section_2_2_who_does_not_ask_is_not_told(lab: Lab, name: str) -> None:
    assert options(lab, b"fra-1", name) == []


def test_section_2_1_a_server_without_a_name_says_nothing(lab: Lab) -> None:
    assert options(lab, b"", NAMES[0], NSID) == []


def test_section_2_1_whatever_the_client_puts_in_is_ignored(lab: Lab) -> None:
    asked = dns.edns.GenericOption(3, b"unwanted")
    assert options(lab, b"fra-1", NAMES[0], asked) == [(3, b"fra-1")]


def test_section_2_1_asked_twice_it_is_told_once(lab: Lab) -> None:
    assert options(lab, b"fra-1", NAMES[0], NSID, NSID) == [(3, b"fra-1")]


def test_section_3_1_the_name_is_octets(lab: Lab) -> None:
    assert options(lab, bytes(range(128)), NAMES[0], NSID) == [(3, bytes(range(128)))]


def test_section_2_1_a_truncated_reply_tells_it_too(lab: Lab) -> None:
    responder = lab.responding(Surroundings(nsid=b"fra-1"))
    query = question("huge.example.test", "TXT")
    query.use_edns(0, options=[NSID])
    reply = dns.message.from_wire(responder.respond(query.to_wire(), "192.0.2.1") or b"")
    assert reply.flags & dns.flags.TC
    assert [option.to_wire() for option in reply.options] == [b"fra-1"]

"""RFC 7873: cookies, on the wire; how they are made is RFC 9018's."""

from __future__ import annotations

import struct
from collections.abc import Callable

import dns.edns
import dns.message
import dns.rcode
import pytest
from support.lab import Lab, question

from geodns.engine.cookies import CookieJar
from geodns.engine.responder import Surroundings

NOW_S = 1_700_000_000
MINE = b"\1\2\3\4\5\6\7\x08"
Ask = Callable[..., dns.message.Message]


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """Asks with cookies, from a documentation address."""
    jar = CookieJar([b"s" * 16], lambda: NOW_S)
    responder = lab.responding(Surroundings(jar=jar))

    def ask(*cookies: bytes, name: str = "mail.example.test", tcp: bool = False):
        query = question(name)
        query.use_edns(0, options=[dns.edns.GenericOption(10, cookie) for cookie in cookies])
        octets = responder.respond(query.to_wire(), "192.0.2.1", tcp=tcp)
        assert octets is not None
        return dns.message.from_wire(octets)

    return ask


@pytest.fixture
def respond(lab: Lab) -> Callable[[bytes], bytes | None]:
    jar = CookieJar([b"s" * 16], lambda: NOW_S)
    responder = lab.responding(Surroundings(jar=jar))
    return lambda packet: responder.respond(packet, "192.0.2.1")


def cookie_of(reply: dns.message.Message) -> bytes:
    (option,) = reply.options
    assert option.otype == 10
    return option.to_wire()


def test_section_5_2_1_without_a_cookie_none_is_sent(ask: Ask) -> None:
    reply = ask()
    assert (reply.rcode(), reply.options, len(reply.answer)) == (dns.rcode.NOERROR, (), 1)


@pytest.mark.parametrize("size", [*range(8), *range(9, 16), 41, 64])
def test_section_5_2_2_another_length_is_malformed(ask: Ask, size: int) -> None:
    reply = ask(bytes(size))
    assert (reply.rcode(), reply.answer) == (dns.rcode.FORMERR, [])


def test_section_5_2_3_a_client_cookie_is_answered_with_both(ask: Ask) -> None:
    reply = ask(MINE)
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)
    assert cookie_of(reply)[:8] == MINE
    assert len(cookie_of(reply)) == 24


@pytest.mark.parametrize("size", range(8, 33))
def test_section_5_2_4_a_servers_cookie_not_ours_counts_as_none(ask: Ask, size: int) -> None:
    """The server is free to answer; the client learns the right one."""
    reply = ask(MINE + bytes(size))
    assert (reply.rcode(), len(reply.answer)) == (dns.rcode.NOERROR, 1)
    assert cookie_of(reply) == cookie_of(ask(MINE))


def test_section_5_2_5_our_own_cookie_comes_back(ask: Ask) -> None:
    issued = cookie_of(ask(MINE))
    assert cookie_of(ask(issued)) == issued


def test_section_5_2_of_several_cookies_the_first_counts(ask: Ask) -> None:
    assert cookie_of(ask(MINE, b"other678"))[:8] == MINE
    assert ask(MINE, bytes(3)).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("name", ["nothing.example.test", "example.org", "www.sub.parent.test"])
def test_section_5_2_3_every_kind_of_reply_has_it(ask: Ask, name: str) -> None:
    assert cookie_of(ask(MINE, name=name))[:8] == MINE


def test_section_5_2_3_over_tcp_too(ask: Ask) -> None:
    assert cookie_of(ask(MINE, tcp=True))[:8] == MINE


def only(cookie: bytes | None, opcode: int = 0) -> bytes:
    """A query without a question."""
    options = b"" if cookie is None else struct.pack(">HH", 10, len(cookie)) + cookie
    header = struct.pack(">6H", 0x1234, opcode << 11, 0, 0, 0, 1)
    return header + struct.pack(">BHHIH", 0, 41, 1232, 0, len(options)) + options


def test_section_5_4_a_query_may_ask_for_nothing_but_a_cookie(respond) -> None:
    reply = dns.message.from_wire(respond(only(MINE)))
    assert (reply.rcode(), reply.question, reply.answer) == (dns.rcode.NOERROR, [], [])
    assert cookie_of(reply)[:8] == MINE
    again = dns.message.from_wire(respond(only(cookie_of(reply))))
    assert cookie_of(again) == cookie_of(reply)


def test_section_5_4_a_wrong_cookie_is_answered_with_the_right_one(respond) -> None:
    reply = dns.message.from_wire(respond(only(MINE + bytes(16))))
    assert reply.rcode() == dns.rcode.NOERROR
    assert cookie_of(reply) == cookie_of(dns.message.from_wire(respond(only(MINE))))


@pytest.mark.parametrize("cookie", [None, b"", b"short", bytes(15), bytes(41)])
def test_section_5_4_without_a_proper_cookie_no_question_is_malformed(respond, cookie) -> None:
    reply = dns.message.from_wire(respond(only(cookie)))
    assert reply.rcode() == dns.rcode.FORMERR


def test_section_5_2_a_server_without_secrets_knows_no_cookies(lab: Lab) -> None:
    query = question("mail.example.test")
    query.use_edns(0, options=[dns.edns.GenericOption(10, MINE)])
    assert lab.reply(query).options == ()

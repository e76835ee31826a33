"""RFC 9018: the interoperable server cookie, with the test vectors of its appendix A."""

from __future__ import annotations

import dns.edns
import dns.message
import pytest
from support.lab import Lab, question

from geodns.engine.cookies import CookieJar
from geodns.engine.responder import Surroundings

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
OLD, NEW = (
    bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"),
    bytes.fromhex("445536bcd2513298075a5d379663c962"),
)
ISSUED = "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
"""The cookie of appendix A.1, made at 1559731985."""
MADE_S = 1559731985
CLIENT = "198.51.100.100"


def told(lab: Lab, cookie: str, now_s: int, client: str = CLIENT, *secrets: bytes) -> str:
    """The cookie option of the reply, in hex."""
    jar = CookieJar(secrets or (SECRET,), lambda: now_s)
    responder = lab.responding(Surroundings(jar=jar))
    query = question("mail.example.test")
    query.use_edns(0, options=[dns.edns.GenericOption(10, bytes.fromhex(cookie))])
    octets = responder.respond(query.to_wire(), client)
    assert octets is not None
    (option,) = dns.message.from_wire(octets).options
    return option.to_wire().hex()


@pytest.mark.parametrize(
    ("asked", "now_s", "client", "answered"),
    [
        pytest.param(ISSUED[:16], MADE_S, CLIENT, ISSUED, id="A.1 a new one"),
        pytest.param(
            ISSUED,
            1559734385,
            CLIENT,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
            id="A.2 a renewed one",
        ),
        pytest.param(
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            1559734700,
            "203.0.113.203",
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
            id="A.3 a renewed one with reserved octets",
        ),
    ],
)
def test_appendix_a_vectors(lab: Lab, asked: str, now_s: int, client: str, answered: str) -> None:
    assert told(lab, asked, now_s, client) == answered


def test_appendix_a_4_ipv6_and_a_secret_rolled_over(lab: Lab) -> None:
    asked = "22681ab97d52c298010000005cf7c57926556bd0934c72f8"
    answered = "22681ab97d52c298010000005cf7c609a6bb79d16625507a"
    client = "2001:db8:220:1:59de:d0f4:8769:82b8"
    assert told(lab, asked, 1559741961, client, NEW, OLD) == answered
    assert CookieJar((NEW, OLD), lambda: 1559741961).judge(bytes.fromhex(asked), client).valid
    assert not CookieJar((NEW,), lambda: 1559741961).judge(bytes.fromhex(asked), client).valid


@pytest.mark.parametrize(
    ("age_s", "same", "valid"),
    [
        (0, True, True),
        (1799, True, True),
        (1801, False, True),
        (3600, False, True),
        (3601, False, False),
        (-300, True, True),
        (-301, False, False),
        (2**31, False, False),
    ],
)
def test_section_4_3_a_cookie_is_kept_renewed_or_refused_by_its_age(
    lab: Lab, age_s: int, same: bool, valid: bool
) -> None:
    now_s = MADE_S + age_s
    assert (told(lab, ISSUED, now_s) == ISSUED) == same
    assert CookieJar([SECRET], lambda: now_s).judge(bytes.fromhex(ISSUED), CLIENT).valid == valid


def test_section_4_3_time_stamps_are_compared_as_serial_numbers() -> None:
    before, after = 2**32 - 10, 2**32 + 10
    issued = CookieJar([SECRET], lambda: before).judge(b"12345678", CLIENT).option[4:]
    assert CookieJar([SECRET], lambda: after).judge(issued, CLIENT).valid


@pytest.mark.parametrize("at", [*range(9), *range(12, 24)])  # between are reserved octets
def test_section_4_a_cookie_with_one_octet_changed_is_not_ours(at: int) -> None:
    spoilt = bytearray.fromhex(ISSUED)
    spoilt[at] ^= 1
    verdict = CookieJar([SECRET], lambda: MADE_S + 1).judge(bytes(spoilt), CLIENT)
    assert verdict is not None
    assert not verdict.valid


def test_section_4_another_clients_cookie_is_not_this_ones() -> None:
    jar = CookieJar([SECRET], lambda: MADE_S)
    assert not jar.judge(bytes.fromhex(ISSUED), "198.51.100.101").valid


def test_section_4_2_reserved_octets_of_a_verified_cookie_may_be_anything() -> None:
    made_s = 0x5CF78F71
    cookie = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    assert CookieJar([SECRET], lambda: made_s + 60).judge(cookie, "203.0.113.203").valid

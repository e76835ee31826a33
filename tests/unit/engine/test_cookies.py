"""Cookies: the vectors of RFC 9018 appendix A, and what the jar remembers."""

from __future__ import annotations

import pytest

from geodns.engine import cookies
from geodns.engine.cookies import CookieJar

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
CLIENT = bytes.fromhex("2464c4abcf10c957")
ADDRESS = "198.51.100.100"
MADE_S = 1559731985
COOKIE = CLIENT + bytes.fromhex("010000005cf79f111f8130c3eee29480")
HEAD = b"\0\x0a\0\x18"


class Clock:
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def test_rfc9018_appendix_a_1_a_new_client_gets_this_cookie() -> None:
    jar = CookieJar([SECRET], Clock(MADE_S))
    assert jar.judge(CLIENT, ADDRESS) == (HEAD + COOKIE, False)


def test_rfc9018_appendix_a_2_an_old_cookie_is_renewed() -> None:
    renewed = CLIENT + bytes.fromhex("010000005cf7a871d4a564a1442aca77")
    jar = CookieJar([SECRET], Clock(1559734385))
    assert jar.judge(COOKIE, ADDRESS) == (HEAD + renewed, True)


def test_rfc9018_appendix_a_4_ipv6() -> None:
    client = bytes.fromhex("22681ab97d52c298")
    secret = bytes.fromhex("445536bcd2513298075a5d379663c962")
    cookie = client + bytes.fromhex("010000005cf7c609a6bb79d16625507a")
    jar = CookieJar([secret], Clock(1559741961))
    assert jar.judge(client, "2001:db8:220:1:59de:d0f4:8769:82b8") == (HEAD + cookie, False)


def test_section_4_3_a_young_cookie_comes_back_as_it_is_an_old_one_is_renewed() -> None:
    clock = Clock(MADE_S + 1799)
    jar = CookieJar([SECRET], clock)
    for _ in range(2):  # judged, then remembered
        assert jar.judge(COOKIE, ADDRESS) == (HEAD + COOKIE, True)
    clock.now_s += 1
    renewed = jar.judge(COOKIE, ADDRESS)
    assert renewed is not None
    assert renewed.valid
    assert renewed.option != HEAD + COOKIE
    clock.now_s = MADE_S + 3601
    late = jar.judge(COOKIE, ADDRESS)
    assert late is not None
    assert not late.valid


@pytest.mark.parametrize("ahead_s", [300, 301])
def test_section_4_3_clocks_may_differ_by_five_minutes(ahead_s: int) -> None:
    told = CookieJar([SECRET], Clock(MADE_S - ahead_s)).judge(COOKIE, ADDRESS)
    assert told is not None
    assert told.valid is (ahead_s == 300)


def test_section_5_the_former_secret_is_honoured_and_replaced() -> None:
    jar = CookieJar([bytes(16), SECRET], Clock(MADE_S + 1))
    told = jar.judge(COOKIE, ADDRESS)
    assert told is not None
    assert told.valid
    assert told.option != HEAD + COOKIE


def test_a_cookie_is_good_for_its_own_address_only_mapped_or_not() -> None:
    jar = CookieJar([SECRET], Clock(MADE_S))
    verdicts = [
        jar.judge(COOKIE, address) for address in ("198.51.100.101", f"::ffff:{ADDRESS}%lo")
    ]
    assert [verdict.valid for verdict in verdicts if verdict] == [False, True]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookies, "REMEMBERED_MAX", 3)
    jar = CookieJar([SECRET], Clock(MADE_S))
    for number in range(10):
        jar.judge(number.to_bytes(16, "big"), ADDRESS)
        assert len(jar._known) <= 3


@pytest.mark.parametrize("secrets", [[], [b"short"], [SECRET, b""]])
def test_a_secret_of_another_size_is_refused(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        CookieJar(secrets, Clock(0))

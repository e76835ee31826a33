"""How often a source may ask, by a clock in the test's hand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from geodns.api.pace import BURST_S, SOURCES_MAX, Pace, source_of


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_is_let_through_then_so_many_a_second() -> None:
    clock = Clock()
    pace = Pace(8, clock)  # whose interval floats hold exactly
    let_in = sum(pace.wait_s("a") == 0 for _ in range(100))
    assert let_in == BURST_S * 8 + 1
    assert 0 < pace.wait_s("a") <= 0.125
    assert pace.wait_s("b") == 0
    clock.now_s += 1
    assert sum(pace.wait_s("a") == 0 for _ in range(100)) == 8


def test_a_rate_of_none_is_any_number() -> None:
    assert {Pace(0).wait_s("a") for _ in range(10_000)} == {0}


def test_memory_for_sources_is_bounded() -> None:
    pace = Pace(1, Clock())
    for number in range(SOURCES_MAX + 50):
        pace.wait_s(str(number))
    assert len(pace._next_s) == SOURCES_MAX


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_a_64(address: str, source: str) -> None:
    assert source_of(address) == source


def test_who_asks_too_often_is_told_when_to_come_back(api: Any) -> None:
    transport = httpx.ASGITransport(api.new_app(requests_per_s=0.01))
    client = httpx.AsyncClient(transport=transport, base_url="http://api.test")
    statuses = [api._runner.run(client.get("/livez")) for _ in range(2)]
    assert [each.status_code for each in statuses] == [200, 429]
    assert int(statuses[1].headers["Retry-After"]) > 10
    assert statuses[1].headers["Content-Type"] == "application/problem+json"
    api._runner.run(client.aclose())

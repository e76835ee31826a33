"""Automatic hints: out of the text, into the octets, and back."""

from __future__ import annotations

import pytest

from geodns.dns.rdata import rdata_from_text, rdata_to_text
from geodns.dns.svcb import IPV4HINT, IPV6HINT, TYPE_HTTPS, auto_hints, fill

ORIGIN = b"\x07example\x04test\x00"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("1 . ipv4hint=auto", {4}),
        ('1 . alpn="h2" port="8443" ipv4hint=auto ipv6hint=auto', {4, 6}),
        ('1 svc ipv4hint="192.0.2.1" ipv6hint=auto', {6}),
        ('1 . alpn="h2"', set()),
        ("0 elsewhere.example.", set()),
    ],
)
def test_an_automatic_hint_survives_the_octets(text: str, keys: set[int]) -> None:
    wire = rdata_from_text(TYPE_HTTPS, text, ORIGIN)
    assert auto_hints(wire) == keys
    assert rdata_to_text(TYPE_HTTPS, wire, ORIGIN) == text


def test_filling_in_makes_the_record_that_its_text_would() -> None:
    addresses = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
    wire = rdata_from_text(TYPE_HTTPS, "1 . key65400=x ipv4hint=auto ipv6hint=auto", ORIGIN)
    expected = rdata_from_text(TYPE_HTTPS, "1 . key65400=x ipv4hint=192.0.2.1,192.0.2.2", ORIGIN)
    assert fill(wire, {IPV4HINT: addresses, IPV6HINT: []}) == expected


def test_text_that_only_looks_like_a_hint_is_left_alone() -> None:
    text = '1 . key65400="ipv4hint=auto"'
    assert auto_hints(rdata_from_text(TYPE_HTTPS, text, ORIGIN)) == set()

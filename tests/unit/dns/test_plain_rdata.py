"""The plainest data of common types is read and written at once, as dnspython would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns import rdata
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import type_from_text
from geodns.errors import ConfigError

ORIGIN = b"\x07example\x04test\x00"

_PLAIN = {
    "A": st.from_regex(r"[0-9.]{5,16}", fullmatch=True)
    | st.ip_addresses(v=4).map(str)
    | st.from_regex(r"0?[0-9]{1,3}(\.0?[0-9]{1,3}){3}", fullmatch=True),
    "AAAA": st.from_regex(r"[0-9a-fA-F:]{2,40}", fullmatch=True) | st.ip_addresses(v=6).map(str),
    "TXT": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=260).map(
        lambda text: f'"{text}"'
    ),
    "CNAME": st.from_regex(r"[A-Za-z0-9_.-]{1,70}", fullmatch=True),
}


@pytest.mark.parametrize("rtype", _PLAIN)
def test_what_is_read_at_once_is_read_as_the_library_does(rtype: str) -> None:
    @given(_PLAIN[rtype])
    def same(text: str) -> None:
        number = type_from_text(rtype)
        own: bytes | None
        try:
            own = rdata_from_text(number, text, ORIGIN)
        except ConfigError:
            own = None
        try:
            library: bytes | None = rdata._parse(number, text, rdata._to_library(ORIGIN))
            rdata._check_text(number, text)
        except Exception:
            library = None
        assert own == library

    same()


@given(st.sampled_from(["A", "AAAA", "TXT"]), st.binary(max_size=40))
def test_what_is_written_at_once_is_written_as_the_library_does(rtype: str, octets: bytes) -> None:
    number = type_from_text(rtype)
    wires = [octets, octets[:4], octets.ljust(16, b"\0")[:16], bytes([len(octets)]) + octets]
    for wire in wires:
        quick = rdata._common_text(number, wire, ORIGIN)
        if quick is not None:
            assert quick == rdata._own_text(number, wire, ORIGIN)

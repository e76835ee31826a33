"""Record data in text and on the wire, with dnspython and plain octets as the other party."""

from __future__ import annotations

import struct

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns.rdata import names_in, rdata_from_text, rdata_to_text, soa_rdata
from geodns.dns.rrtypes import TYPES, type_from_text, type_to_text
from geodns.errors import ConfigError

ORIGIN = b"\x07example\x04test\x00"
DIGEST = "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"

# Of every type: text in the form of an export, and its octets by hand from the RFC.
SAMPLES: list[tuple[str, str, bytes]] = [
    ("A", "192.0.2.1", b"\xc0\x00\x02\x01"),
    ("NS", "Ns1", b"\x03Ns1" + ORIGIN),
    ("CNAME", "www.other.test.", b"\x03www\x05other\x04test\x00"),
    ("CNAME", "@", ORIGIN),
    ("PTR", "host", b"\x04host" + ORIGIN),
    ("HINFO", '"RFC8482" ""', b"\x07RFC8482\x00"),
    ("MX", "10 mail", b"\x00\x0a\x04mail" + ORIGIN),
    ("MX", "0 .", b"\x00\x00\x00"),
    ("TXT", '"v=spf1 -all"', b"\x0bv=spf1 -all"),
    ("TXT", r'"a;\"b" "" "\000\255\\"', b'\x04a;"b\x00\x03\x00\xff\\'),
    ("RP", "admin .", b"\x05admin" + ORIGIN + b"\x00"),
    ("AAAA", "2001:db8::1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
    (
        "LOC",
        "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
        struct.pack(
            "!4B3I", 0, 0, 0x16, 0x13, 2**31 + 188_543_000, 2**31 + 17_612_000, 10_000_000 - 200
        ),
    ),
    ("SRV", "0 5 5060 sip", b"\x00\x00\x00\x05\x13\xc4\x03sip" + ORIGIN),
    (
        "NAPTR",
        '100 10 "U" "E2U+sip" "!^.*$!sip:info@example.test!" .',
        b"\x00\x64\x00\x0a\x01U\x07E2U+sip\x1c!^.*$!sip:info@example.test!\x00",
    ),
    ("DNAME", "other.test.", b"\x05other\x04test\x00"),
    ("DS", f"60485 13 2 {DIGEST}", b"\xec\x45\x0d\x02" + bytes.fromhex(DIGEST)),
    ("SSHFP", f"4 2 {DIGEST}", b"\x04\x02" + bytes.fromhex(DIGEST)),
    ("TLSA", f"3 1 1 {DIGEST}", b"\x03\x01\x01" + bytes.fromhex(DIGEST)),
    ("SVCB", '1 svc port="8443"', b"\x00\x01\x03svc" + ORIGIN + b"\x00\x03\x00\x02\x20\xfb"),
    (
        "HTTPS",
        '1 . alpn="h2" ipv4hint="192.0.2.1"',
        b"\x00\x01\x00\x00\x01\x00\x03\x02h2\x00\x04\x00\x04\xc0\x00\x02\x01",
    ),
    ("URI", r'10 1 "https://x/\"\200"', b'\x00\x0a\x00\x01https://x/"\xc8'),
    ("CAA", '0 issue "ca.example.net"', b"\x00\x05issueca.example.net"),
    ("TYPE999", r"\# 2 abcd", b"\xab\xcd"),
    ("TYPE999", r"\# 0", b""),
]


def parse(rtype: str, text: str) -> bytes:
    return rdata_from_text(type_from_text(rtype), text, ORIGIN)


def reason(rtype: str, text: str) -> str:
    with pytest.raises(ConfigError) as refusal:
        parse(rtype, text)
    (found,) = refusal.value.reasons
    assert (found.pointer, found.code) == ("", "bad_rdata")
    assert found.detail.startswith(rtype)
    assert "Expected" in found.hint
    str(found).encode()  # nothing in it that could not be sent
    return str(found)


# Every type


@pytest.mark.parametrize(("rtype", "text", "wire"), SAMPLES)
def test_text_makes_the_octets_of_the_rfc(rtype: str, text: str, wire: bytes) -> None:
    assert parse(rtype, text) == wire


@pytest.mark.parametrize(("rtype", "text", "wire"), SAMPLES)
def test_octets_make_the_text_again(rtype: str, text: str, wire: bytes) -> None:
    assert rdata_to_text(type_from_text(rtype), wire, ORIGIN) == text


@pytest.mark.parametrize(("rtype", "text", "wire"), SAMPLES)
def test_text_without_origin_is_absolute(rtype: str, text: str, wire: bytes) -> None:
    absolute = rdata_to_text(type_from_text(rtype), wire)
    assert rdata_from_text(type_from_text(rtype), absolute, b"\x05other\x00") == wire


@pytest.mark.parametrize(("rtype", "text", "wire"), SAMPLES)
def test_generic_text_works_for_every_type(rtype: str, text: str, wire: bytes) -> None:
    assert parse(rtype, rf"\# {len(wire)} {wire.hex()}") == wire


def test_every_type_has_a_sample() -> None:
    assert {rtype for rtype, *_ in SAMPLES} >= TYPES.keys()


@pytest.mark.parametrize("rtype", TYPES)
def test_every_type_says_what_it_expects(rtype: str) -> None:
    assert "like" in reason(rtype, "")


# Text that must not pass


@pytest.mark.parametrize(
    ("rtype", "text", "part"),
    [
        ("A", "192.0.2", "an IPv4 address"),
        ("A", "192.0.2.256", "an IPv4 address"),
        ("A", "::1", "an IPv4 address"),
        ("A", "192.0.2.1 192.0.2.2", "expected EOL"),
        ("A", "192.0.2.1\n192.0.2.2", "line break"),
        ("A", "192.0.2.1\r", "line break"),
        ("A", "192.0.2.1\x00", "control character"),
        ("A", "192.0.2.1 ; mine", "comment"),
        ("A", "192.0.2.1;", "comment"),
        ("A", "(192.0.2.1", "IPv4"),
        ("A", "１92.0.2.1", "ASCII"),
        ("A", r"\# 5 0102030405", "IPv4"),
        ("A", r"\# 4 0102030x", "IPv4"),
        ("AAAA", "fe80::1%eth0", "an IPv6 address"),
        ("AAAA", "192.0.2.1", "an IPv6 address"),
        ("CNAME", "a b", "a name"),
        ("CNAME", '"a"', "a name"),
        ("CNAME", "a..b", "empty"),
        ("CNAME", "x" * 64, "63"),
        ("CNAME", ".".join(["x" * 60] * 5), "255"),
        ("CNAME", r"a\999", "escape"),
        ("CNAME", "a\\", "a name"),
        ("CNAME", "bücher", "A-labels"),
        ("CNAME", r"\# 2 C000", "a name"),
        ("MX", "mail", "preference and exchange"),
        ("MX", "65536 mail", "16-bit"),
        ("MX", "-1 mail", "preference"),
        ("MX", r"\# 4 0001C000", "preference"),
        ("SRV", "0 5 5060", "port"),
        ("TXT", "two words", 'Quote it: "two words"'),
        ("TXT", '"one" two', "Quote every string"),
        ("TXT", '"one"two', "Quote every string"),
        ("TXT", "(one two)", "Quote it"),
        ("TXT", "v=DKIM1;p=", "semicolon"),
        ("TXT", '"open', "quoted strings"),
        ("TXT", '"' + "x" * 256 + '"', "255 octets"),
        ("TXT", r'"\256"', "quoted strings"),
        ("TXT", '"\ud800"', "quoted strings"),
        ("TXT", "x" * 65_536, "65536 characters; at most 65535"),
        ("DS", "1 13 2 AA", "digest"),
        ("SVCB", "1 . nonsense=1", "priority, target, parameters"),
        ("CAA", "0 iss-ue x", "flags, tag"),
        ("TYPE999", "hello", r"\# 4 C0000201"),
        ("TYPE999", r"\# 3 abcd", "length"),
        # The list of servers of HIP repeats the octets of the origin beyond any RDLENGTH.
        ("TYPE55", "2 200100107B1A74DF365639CC39F1D578 AwEA " + "a " * 6000, "at most 65535"),
    ],
)
def test_text_that_is_not_one_record_is_refused(rtype: str, text: str, part: str) -> None:
    assert part in reason(rtype, text)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("word", b"\x04word"),
        ("  word\t", b"\x04word"),
        (r"two\ words", b"\x09two words"),
        (r"a\;b", b"\x03a;b"),
        ('"one""two"', b"\x03one\x03two"),
        ('"Zürich"', b"\x07Z\xc3\xbcrich"),
        ('("one" "two")', b"\x03one\x03two"),
    ],
)
def test_txt_that_can_mean_only_one_thing_is_accepted(text: str, wire: bytes) -> None:
    assert parse("TXT", text) == wire


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        ("MX", "9" * 5000 + " a"),
        ("LOC", "52 N 4 E " + "9" * 5000 + "m"),
        ("LOC", "x N 4 E 0m"),
        ("TYPE999", r"\# " + "1" * 5000 + " aa"),
        ("TYPE999", r"\# 1 zz"),
        ("TXT", '"\ud800"'),
        ("SVCB", "1 . port=x"),
        ("TYPE42", "1:192.0.2.0/x"),
    ],
)
def test_no_words_of_python_reach_the_author(rtype: str, text: str) -> None:
    said = reason(rtype, text).removeprefix(f'{rtype} "').replace(text[:200], "")
    assert not any(word in said for word in ("sys.", "int()", "float", "codec", "literal", "Error"))


def test_a_long_value_is_not_shown_whole() -> None:
    assert len(reason("TXT", "x" * 60_000)) < 400


fragments = st.sampled_from(
    ["a", "10", "0", ".", "@", "\\", '"', ";", "(", ")", " ", "\n", "\t", "\x00", "é", "\\#", "4",
     "c0000201", "192.0.2.1", "::1", "\\000", "\\999", "=", "alpn", "h2", ",", "-1", "99999999999",
     "N", "E", "1e9m", "1m", "key65535", "mandatory", "AAAA", "😀"]
)  # fmt: skip


@given(
    st.sampled_from([*TYPES, "TYPE999", "TYPE18", "TYPE42", "TYPE55", "TYPE37"]),
    st.lists(fragments, max_size=12).map("".join) | st.lists(fragments, max_size=12).map(" ".join),
)
def test_any_text_is_octets_that_round_trip_or_a_refusal(rtype: str, text: str) -> None:
    number = type_from_text(rtype)
    try:
        wire = rdata_from_text(number, text, ORIGIN)
    except ConfigError:
        return
    assert rdata_from_text(number, rdata_to_text(number, wire, ORIGIN), ORIGIN) == wire
    theirs = dns.rdata.from_text("IN", number, text, dns.name.from_wire(ORIGIN, 0)[0], False)
    assert theirs.to_wire() == wire
    assert theirs.rdcomment is None  # nothing of what was written was left out


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_txt_of_any_octets_round_trips(strings: list[bytes]) -> None:
    wire = b"".join(bytes((len(string),)) + string for string in strings)
    assert parse("TXT", rdata_to_text(TYPES["TXT"], wire)) == wire


@given(st.sampled_from(sorted(TYPES.values())), st.binary(max_size=40))
def test_any_octets_have_a_text(rtype: int, wire: bytes) -> None:
    text = rdata_to_text(rtype, wire, ORIGIN)
    if text.startswith(r"\#"):
        assert bytes.fromhex("".join(text.split()[2:])) == wire
    else:
        assert rdata_from_text(rtype, text, ORIGIN) == wire


# Names inside


@pytest.mark.parametrize(
    ("rtype", "text", "names"),
    [
        ("NS", "ns1", (b"\x03ns1" + ORIGIN,)),
        ("CNAME", "@", (ORIGIN,)),
        ("PTR", "Host", (b"\x04Host" + ORIGIN,)),
        ("MX", "10 mail", (b"\x04mail" + ORIGIN,)),
        ("MX", "0 .", ()),
        ("SRV", "0 5 5060 sip", (b"\x03sip" + ORIGIN,)),
        ("SRV", "0 0 0 .", ()),
        ("NAPTR", '1 1 "S" "" "" _sip._udp', (b"\x04_sip\x04_udp" + ORIGIN,)),
        ("DNAME", "other.", (b"\x05other\x00",)),
        ("SVCB", "0 svc", (b"\x03svc" + ORIGIN,)),
        ("HTTPS", "1 . alpn=h2", ()),
        ("A", "192.0.2.1", ()),
        ("TXT", '"ns1.example.test."', ()),
    ],
)
def test_names_in_are_the_targets(rtype: str, text: str, names: tuple[bytes, ...]) -> None:
    assert names_in(type_from_text(rtype), parse(rtype, text)) == names


def test_soa_data_is_read_by_dnspython_as_meant() -> None:
    wire = soa_rdata(b"\x03ns1" + ORIGIN, b"\x04host" + ORIGIN, 2**32 - 1, 2, 3, 4, 5)
    soa = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SOA, wire, 0, len(wire))
    assert soa.to_text() == "ns1.example.test. host.example.test. 4294967295 2 3 4 5"


# Types


@pytest.mark.parametrize("rtype", TYPES)
def test_type_numbers_are_those_of_dnspython(rtype: str) -> None:
    number = int(dns.rdatatype.from_text(rtype))
    assert type_from_text(rtype) == type_from_text(rtype.lower()) == number
    assert type_from_text(f"TYPE{number}") == number
    assert type_to_text(number) == rtype


@given(st.integers(1, 65_534).filter(lambda n: not 128 <= n <= 255))
def test_a_number_without_name_is_written_as_type(number: int) -> None:
    text = type_to_text(number)
    assert dns.rdatatype.from_text(text) == number
    if text.startswith("TYPE"):
        assert type_from_text(text) == number


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("SOA", "type_not_allowed", "made from the zone's own fields"),
        ("type6", "type_not_allowed", "Records of type SOA"),
        ("ANY", "type_not_allowed", "questions"),
        ("AXFR", "type_not_allowed", "questions"),
        ("OPT", "type_not_allowed", "questions"),
        ("TSIG", "type_not_allowed", "questions"),
        ("TYPE128", "type_not_allowed", "questions"),
        ("TYPE255", "type_not_allowed", "Records of type ANY"),
        ("RRSIG", "type_not_allowed", "signed"),
        ("TYPE0", "type_not_allowed", "1 to 65534"),
        ("TYPE65535", "type_not_allowed", "1 to 65534"),
        ("TYPE99999", "type_not_allowed", "1 to 65534"),
        ("AAAAA", "unknown_type", "Did you mean AAAA?"),
        ("WKS", "unknown_type", "TYPE###"),
        ("", "unknown_type", "known are A, NS"),
        ("TYPE", "unknown_type", "known are"),
        ("TYPE-1", "unknown_type", "known are"),
        ("TYPE１", "unknown_type", "known are"),
        ("nſ", "unknown_type", "known are"),
        ("X" * 100_000, "unknown_type", "…"),
    ],
)
def test_types_that_cannot_be_written_are_refused(text: str, code: str, part: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        type_from_text(text)
    (found,) = refusal.value.reasons
    assert found.code == code
    assert part in str(found)

"""Master files that we write, with our reader and dnspython's as the other parties."""

from __future__ import annotations

import dns.name
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodns.dns.names import canonical
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPES, type_from_text, type_to_text
from geodns.dns.zonefile import Record, Soa, emit, parse

ORIGIN = b"\x07example\x04test\x00"
DIGEST = "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"


def name(text: str, lower: bool = True) -> bytes:
    wire = dns.name.from_text(text, dns.name.from_wire(ORIGIN, 0)[0]).to_wire() or b""
    return wire.lower() if lower else wire


SAMPLES: dict[str, list[str]] = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "NS": ["ns1", "ns.other.test."],
    "CNAME": ["www.other.test."],
    "PTR": ["host"],
    "HINFO": ['"RFC8482" ""'],
    "MX": ["10 mail", "0 ."],
    "TXT": [r'"a;\"b" "" "\000\255\\"', '"v=spf1 -all"'],
    "RP": ["admin ."],
    "AAAA": ["2001:db8::1"],
    "LOC": ["52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m"],
    "SRV": ["0 5 5060 sip"],
    "NAPTR": ['100 10 "U" "E2U+sip" "!^.*$!sip:info@example.test!" .'],
    "DNAME": ["other.test."],
    "DS": [f"60485 13 2 {DIGEST}"],
    "SSHFP": [f"4 2 {DIGEST}"],
    "TLSA": [f"3 1 1 {DIGEST}"],
    "SVCB": ['1 svc port="8443"'],
    "HTTPS": ['1 . alpn="h2" ipv4hint="192.0.2.1"'],
    "URI": [r'10 1 "https://x/\"\200"'],
    "CAA": ['0 issue "ca.example.net"'],
    "TYPE999": [r"\# 2 abcd", r"\# 0"],
    "TYPE61": [r"\# 3 abcdef"],
}

apex_soa = Soa(name("Ns1", lower=False), name("host\\.master"), 2**32 - 1, 1, 2, 3, 4, 300)
label_octets = st.binary(min_size=1, max_size=63) | st.sampled_from(
    [bytes((octet,)) for octet in b'$@;"\\.() \t\n\r\x00\x7f\xff*#0'] + [b"$ORIGIN", b"IN", b"60"]
)
odd_names = (
    st.lists(label_octets, max_size=3)
    .map(lambda parts: canonical(b"".join(bytes((len(p),)) + p for p in parts) + ORIGIN))
    .filter(lambda wire: len(wire) <= 255)
)
generic = st.tuples(st.just(65_000), st.binary(max_size=40))
strings = st.lists(st.binary(max_size=255), min_size=1, max_size=3).map(
    lambda parts: (16, b"".join(bytes((len(p),)) + p for p in parts))
)
pointing = odd_names.map(lambda wire: (5, wire)) | odd_names.map(lambda wire: (15, b"\0\1" + wire))
sampled = st.sampled_from([(type_from_text(t), v) for t, vs in SAMPLES.items() for v in vs]).map(
    lambda pair: (pair[0], rdata_from_text(*pair, ORIGIN))
)
rrs = st.builds(
    lambda owner, data, ttl: Record(owner, data[0], ttl, data[1]),
    odd_names,
    generic | strings | pointing | sampled,
    st.none() | st.integers(0, 2**31 - 1),
)


def bare(records: list[Record]) -> list[Record]:
    return sorted((record._replace(line=0) for record in records), key=repr)


@settings(max_examples=300)
@given(st.lists(rrs, max_size=8))
def test_reading_what_was_written_gives_the_same_records(records: list[Record]) -> None:
    zone = parse(emit(ORIGIN, records, apex_soa, 300), ORIGIN)
    assert zone.soa._replace(line=0) == apex_soa
    assert zone.ttl == 300
    assert bare(zone.records) == bare(records)


@given(st.lists(rrs, max_size=8))
def test_writing_what_was_read_gives_the_same_text(records: list[Record]) -> None:
    text = emit(ORIGIN, records, apex_soa, 300)
    zone = parse(text, ORIGIN)
    assert emit(ORIGIN, zone.records, zone.soa, zone.ttl) == text


def by_dnspython(text: str) -> set[tuple[bytes, int, bytes]]:
    zone = dns.zone.from_text(
        text, dns.name.from_wire(ORIGIN, 0)[0], relativize=False, check_origin=False
    )
    return {
        (canonical(owner.to_wire() or b""), int(rdata.rdtype), rdata.to_wire() or b"")
        for owner, _, rdata in zone.iterate_rdatas()
        if rdata.rdtype != dns.rdatatype.SOA
    }


@settings(max_examples=300)
@given(rrs)
def test_dnspython_reads_what_is_written(record: Record) -> None:
    text = emit(ORIGIN, [record], ttl=300)  # no SOA: dnspython would refuse a CNAME beside it
    assert by_dnspython(text) == {(record.owner, record.rtype, record.rdata)}


@pytest.mark.parametrize("rtype", SAMPLES)
def test_dnspython_reads_every_type(rtype: str) -> None:
    number = type_from_text(rtype)
    data = [rdata_from_text(number, value, ORIGIN) for value in SAMPLES[rtype]]
    owner = name("www")
    text = emit(ORIGIN, [Record(owner, number, None, rdata) for rdata in data], apex_soa, 300)
    assert by_dnspython(text) == {(owner, number, rdata) for rdata in data}


def test_every_type_has_a_sample() -> None:
    assert SAMPLES.keys() >= TYPES.keys()


def test_the_order_is_that_of_rfc4034_s6_1() -> None:
    """The example of the section, beneath the apex with its SOA and NS first."""
    left = ["", "a", "yljkjljk.a", "Z.a", "zABC.a", "z", "\\001.z", "*.z", "\\200.z"]
    names = [name(text) for text in left]
    records = [Record(owner, 1, None, b"\xc0\x00\x02\x01") for owner in reversed(names)]
    records.append(Record(name(""), 2, None, name("ns1")))
    written = emit(ORIGIN, records, apex_soa, 300, ["hello"]).splitlines()
    assert written[:5] == [
        "; hello",
        "$ORIGIN example.test.",
        "$TTL 300",
        "@\t300\tIN\tSOA\tNs1 host\\.master 4294967295 1 2 3 4",
        "@\tIN\tNS\tns1",
    ]
    assert [name(line.split("\t")[0]) for line in written[5:]] == names


@pytest.mark.parametrize("rtype", [61, 999])
def test_a_type_without_a_name_here_is_written_for_any_reader(rtype: int) -> None:
    assert emit(ORIGIN, [Record(ORIGIN, rtype, None, b"\xab")]).splitlines()[1] == (
        f"@\tIN\t{type_to_text(rtype)}\t\\# 1 ab"
    )

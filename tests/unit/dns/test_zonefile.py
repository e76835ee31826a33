"""Master files, with dnspython's own reader as the other party."""

from __future__ import annotations

import re
import time

import dns.name
import dns.rdatatype
import dns.zone
import dns.zonefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodns.dns.names import canonical
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPES, type_from_text, type_to_text
from geodns.dns.zonefile import FAULTS_MAX, Record, Soa, ZoneText, emit, parse
from geodns.dns.zonefile import reader as reading
from geodns.dns.zonefile.entries import ENTRY_MAX_CHARACTERS, entries
from geodns.dns.zonefile.generate import GENERATED_MAX, substitute
from geodns.errors import ConfigError, Reason

ORIGIN = b"\x07example\x04test\x00"
SOA = "@ IN SOA ns1 hostmaster 1 7200 900 1209600 30\n"
DIGEST = "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"


def read(lines: str) -> ZoneText:
    return parse(SOA + lines, ORIGIN)


def owners(lines: str) -> list[str]:
    return [dns.name.from_wire(r.owner, 0)[0].to_text() for r in read(lines).records]


def ttls(lines: str) -> list[int | None]:
    return [record.ttl for record in read(lines).records]


def faults(text: str) -> list[Reason]:
    with pytest.raises(ConfigError) as refusal:
        parse(text, ORIGIN)
    for reason in refusal.value.reasons:
        assert reason.pointer == ""
        str(reason).encode()  # nothing in it that could not be sent
    return list(refusal.value.reasons)


def fault(lines: str) -> Reason:
    (found,) = faults(SOA + lines)
    return found


def complaints(lines: str) -> tuple[Reason, ...]:
    try:
        read(lines)
    except ConfigError as error:
        return error.reasons
    return ()


# Owners


def test_relative_names_and_the_at_sign_are_of_the_origin() -> None:
    assert owners("www A 192.0.2.1\n@ A 192.0.2.1\n") == ["www.example.test.", "example.test."]


def test_a_blank_owner_is_the_last_one() -> None:
    lines = "www A 192.0.2.1\n\n; in between\n\tA 192.0.2.2\n$TTL 5\n  A 192.0.2.3\n"
    assert owners(lines) == ["www.example.test."] * 3


def test_the_last_owner_outlives_a_change_of_origin() -> None:
    assert owners("www A 192.0.2.1\n$ORIGIN sub\n A 192.0.2.2\n") == ["www.example.test."] * 2


def test_a_relative_origin_is_under_the_one_before() -> None:
    lines = "$ORIGIN b\n$ORIGIN a\nwww MX 1 m\n$ORIGIN test.\nwww.example A 192.0.2.1\n"
    zone = read(lines)
    assert owners(lines) == ["www.a.b.example.test.", "www.example.test."]
    assert zone.records[0].rdata == b"\x00\x01\x01m\x01a\x01b" + ORIGIN


def test_owners_are_canonical_and_data_keeps_its_case() -> None:
    (record,) = read("WWW CNAME Web\n").records
    assert record.owner == b"\x03www" + ORIGIN
    assert record.rdata == b"\x03Web" + ORIGIN


def test_escaped_syntax_is_part_of_a_name() -> None:
    (record,) = read(r"\$\@\;\"\\\.\(\)\032\000\255 A 192.0.2.1").records
    assert record.owner == b'\x0b$@;"\\.() \x00\xff' + ORIGIN


# TTL and class


@pytest.mark.parametrize("header", ["60 IN", "IN 60", "60", "1m in", "CLASS1 60", "0w60S IN"])
def test_ttl_and_class_stand_in_either_order(header: str) -> None:
    assert ttls(f"www {header} A 192.0.2.1\n") == [60]


@pytest.mark.parametrize(
    ("text", "ttl"), [("1h30m", 5400), ("1w2d3h4m5s", 788_645), ("1W", 604_800), ("0", 0)]
)
def test_a_ttl_may_have_units(text: str, ttl: int) -> None:
    assert ttls(f"www {text} A 192.0.2.1\n") == [ttl]


def test_rfc2308_s4_the_first_default_is_none_and_a_later_one_a_number() -> None:
    zone = read("$TTL 1h\na A 192.0.2.1\nb 5 A 192.0.2.1\nc A 192.0.2.1\n$TTL 2h\nd A 192.0.2.1\n")
    assert zone.ttl == 3600
    assert [record.ttl for record in zone.records] == [None, 5, None, 7200]


def test_rfc1035_s5_1_without_default_the_last_stated_ttl_counts() -> None:
    assert ttls("a 60 A 192.0.2.1\nb A 192.0.2.1\n") == [60, 60]


def test_without_any_ttl_the_minimum_of_the_soa_counts() -> None:
    assert ttls("a A 192.0.2.1\n") == [30]
    assert read("").soa.ttl == 30


@pytest.mark.parametrize("name", ["CH", "HS", "CLASS3", "chaos"])
def test_other_classes_are_refused(name: str) -> None:
    assert fault(f"www {name} A 192.0.2.1\n").code == "bad_class"


@pytest.mark.parametrize("text", ["1x", "1h30", "2147483648", "9" * 99, "1.5", "1w" * 40])
def test_a_broken_ttl_is_named(text: str) -> None:
    assert fault(f"www {text} A 192.0.2.1\n").code == "bad_ttl"
    assert fault(f"$TTL {text}\n").code == "bad_ttl"


# Words


def test_parentheses_run_over_lines_and_comments() -> None:
    zone = parse("@ SOA ns1 ( host\\.master ; who\n 7 1h ((2h)\n) 1d\n 5m ) ; end\n", ORIGIN)
    rname = b"\x0bhost.master" + ORIGIN
    assert zone.soa == Soa(b"\x03ns1" + ORIGIN, rname, 7, 3600, 7200, 86_400, 300, 300, 1)


def test_quotes_hold_syntax_and_every_word_of_txt_is_a_string() -> None:
    lines = '@ TXT "a;b ( \\" c" plain "" \\255\\;\n@ TXT(one)\n@ TXT "x""y"\n'
    data = [record.rdata for record in read(lines).records]
    assert data == [b'\x09a;b ( " c\x05plain\x00\x02\xff;', b"\x03one", b"\x01x\x01y"]


def test_a_quote_inside_a_word_stays_there() -> None:
    (record,) = read('@ HTTPS 1 . alpn="h2,h3" port=443\n').records
    assert record.rdata == b"\x00\x01\x00\x00\x01\x00\x06\x02h2\x02h3\x00\x03\x00\x02\x01\xbb"


def test_rfc3597_s5_unknown_types_and_generic_data_are_read() -> None:
    data = [r.rdata for r in read("@ TYPE999 \\# 3 ab ( cd\n ef )\n@ A \\# 4 c0000201\n").records]
    assert data == [b"\xab\xcd\xef", b"\xc0\x00\x02\x01"]


def test_a_file_of_another_system_is_read() -> None:
    text = (
        "\ufeff" + SOA.replace("\n", "\r\n") + "www A 192.0.2.1 ; caf\udce9\r\n   \r\n\tA 192.0.2.2"
    )
    assert [record.line for record in parse(text, ORIGIN).records] == [2, 4]


def test_the_root_is_a_zone() -> None:
    zone = parse(". SOA a. b. 1 2 3 4 5\ntest 5 NS ns.test.\n", b"\x00")
    assert zone.records == [Record(b"\x04test\x00", 2, 5, b"\x02ns\x04test\x00", 2)]


# Faults


FAULTS = [
    ("www", 1, "bad_record"),
    ("www 60 IN", 8, "bad_record"),
    ("www A", 5, "bad_rdata"),
    ("www A 1.2.3", 7, "bad_rdata"),
    ("www A 192.0.2.1 192.0.2.2", 7, "bad_rdata"),
    ("www MX 10", 8, "bad_rdata"),
    ('"www" A 192.0.2.1', 1, "bad_name"),
    ("a..b A 192.0.2.1", 1, "bad_name"),
    (f"{'a' * 64} A 192.0.2.1", 1, "bad_name"),
    ("é A 192.0.2.1", 1, "bad_name"),
    ("www.example.net. A 192.0.2.1", 1, "out_of_zone"),
    ("www WWW 192.0.2.1", 5, "unknown_type"),
    ('www "A" 192.0.2.1', 5, "unknown_type"),
    ("www RRSIG 1", 5, "type_not_allowed"),
    ("www TYPE46 \\# 0", 5, "type_not_allowed"),
    ("www OPT \\# 0", 5, "type_not_allowed"),
    ("  $TTL 5", 3, "unknown_type"),
    ('www TXT "open', 9, "bad_syntax"),
    ("www A 192.0.2.1 )", 17, "bad_syntax"),
    ("www A ( 192.0.2.1", 7, "bad_syntax"),
    ("www A 192.0.2.1 \\", 17, "bad_syntax"),
    ("$INCLUDE /etc/passwd", 1, "include_refused"),
    ("$include other", 1, "include_refused"),
    ("$UNICODE 2008", 1, "unknown_directive"),
    ("$ORIGIN", 1, "bad_directive"),
    ("$ORIGIN a b", 1, "bad_directive"),
    ("$ORIGIN a..", 9, "bad_name"),
    ("$TTL", 1, "bad_directive"),
    ('$TTL "5"', 1, "bad_directive"),
    (SOA.strip(), 1, "bad_soa"),
    ("www SOA a b 1 2 3 4 5", 1, "bad_soa"),
    ("@ SOA a b 1 2 3 4", 7, "bad_rdata"),
    ("@ SOA a b x 2 3 4 5", 7, "bad_rdata"),
    ('www TXT "\udcff"', 9, "bad_rdata"),
    (f"www TXT {'a' * 256}", 9, "bad_rdata"),
    ("$GENERATE 1-2 a A", 1, "bad_generate"),
    ("$GENERATE 2-1 a A 192.0.2.$", 11, "bad_generate"),
    ("$GENERATE 1-5/0 a A 192.0.2.$", 11, "bad_generate"),
    ("$GENERATE 1- a A 192.0.2.$", 11, "bad_generate"),
    ("$GENERATE 1-99999999 a A 192.0.2.1", 11, "too_many"),
    ("$GENERATE 1-3 a A 192.0.2.${x}", 19, "bad_generate"),
    ("$GENERATE 1-3 a A 192.0.2.${1", 19, "bad_generate"),
    ("$GENERATE 1-3 a${0,128} A 192.0.2.$", 15, "bad_generate"),
    ("$GENERATE 1-3 a${-2,4,n} A 192.0.2.$", 15, "bad_generate"),
    ("$GENERATE 1-300 a A 192.0.2.$", 21, "bad_rdata"),
    ("$GENERATE 1-3 a$.test. A 192.0.2.$", 15, "out_of_zone"),
    ('$GENERATE 1-3 a TXT "b ; $"', 21, "bad_generate"),
    ('$GENERATE 1-3 a TXT ""', 21, "bad_generate"),
    ("$GENERATE 1-3 @ SOA a b 1 2 3 4 5", 21, "bad_soa"),
]


@pytest.mark.parametrize(("line", "column", "code"), FAULTS)
def test_every_fault_says_its_line_and_column(line: str, column: int, code: str) -> None:
    reason = fault(f"ok A 192.0.2.1\n\n{line}\n")
    assert reason.code == code
    assert reason.detail.startswith(f"Line 4, column {column}: ")


def test_all_faults_are_told_at_once() -> None:
    found = faults(SOA + "\n".join(line for line, _, _ in FAULTS) + "\nlast A 1.2.3\n")
    lines = [int(re.findall(r"Line (\d+)", reason.detail)[0]) for reason in found]
    assert lines == [*range(2, len(FAULTS) + 3)]
    assert [reason.code for reason in found[:-1]] == [code for _, _, code in FAULTS]


def test_a_fault_inside_parentheses_does_not_spoil_what_follows() -> None:
    found = faults('@ SOA ns1 host ( 1 2\n "x 3\n 4 5 )\nwww A 1.2.3\n')
    assert [reason.detail[:18] for reason in found[:2]] == [
        "Line 2, column 2: ",
        "Line 4, column 7: ",
    ]


def test_records_below_a_broken_owner_are_checked_and_not_blamed_for_it() -> None:
    found = faults(SOA + "a..b A 192.0.2.1\n A 192.0.2.2\n A 1.2.3\n")
    assert [reason.detail[:7] for reason in found] == ["Line 2,", "Line 4,"]


def test_a_first_record_needs_an_owner() -> None:
    assert [reason.code for reason in faults("  A 192.0.2.1\n A 192.0.2.2\n" + SOA)] == [
        "bad_owner"
    ]


def test_a_file_without_soa_is_refused() -> None:
    (reason,) = faults("www A 192.0.2.1\n")
    assert reason.code == "soa_missing"


# $GENERATE


def test_generate_counts_in_owner_and_data() -> None:
    zone = read("$ORIGIN 2\n$GENERATE 1-5/2 h$ 60 IN CNAME ${10,3,d}.x${0,2,X}\n")
    expected = [("h1", "011.x01"), ("h3", "013.x03"), ("h5", "015.x05")]
    assert zone.records == [
        Record(name(f"{h}.2"), 5, 60, name(f"{data}.2", lower=False), 3) for h, data in expected
    ]


def name(text: str, lower: bool = True) -> bytes:
    wire = dns.name.from_text(text, dns.name.from_wire(ORIGIN, 0)[0]).to_wire() or b""
    return wire.lower() if lower else wire


def test_generate_reads_what_its_quotes_hold_as_bind_does() -> None:
    lines = '$GENERATE 1-1 a MX "10 m$"\n$GENERATE 1-1 a TXT "\\"b $\\" c$ \\$ $$"\n'
    data = [record.rdata for record in read(lines).records]
    assert data == [b"\x00\x0a\x02m1" + ORIGIN, b"\x03b 1\x02c1\x01$\x01$"]


def test_generate_leaves_the_last_owner_alone() -> None:
    assert (
        owners("www A 192.0.2.1\n$GENERATE 1-1 a A 192.0.2.$\n A 192.0.2.2\n")[-1]
        == owners("www A 192.0.2.1\n")[0]
    )


def test_generated_records_are_counted_over_the_whole_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.dns.zonefile.generate.GENERATED_MAX", 10)
    assert len(read("$GENERATE 1-10 a$ A 192.0.2.$\n").records) == 10
    found = faults(SOA + "$GENERATE 1-9 a$ A 192.0.2.$\n$GENERATE 1-2 b$ A 192.0.2.$\n")
    assert [reason.code for reason in found] == ["too_many"]


@given(
    st.integers(0, 2**20), st.integers(-300, 2**20), st.integers(0, 127), st.sampled_from("doxXnN")
)
def test_modifiers_make_what_dnspython_makes(
    value: int, offset: int, width: int, base: str
) -> None:
    template = f"a${{{offset},{width},{base}}}b$c"
    if value + offset < 0 and base in "nN":
        with pytest.raises(ConfigError):
            substitute(template, value)
    else:
        assert substitute(template, value) == dns.zonefile._generate_text(template, value)


# Bounds


HOSTILE = {
    "a hundred thousand parentheses": "a A " + "(" * 100_000 + "1.2.3.4" + ")" * 100_000,
    "never closed": "a A (" * 100_000,
    "never closed on every line": "(\n" * 200_000,
    "closed and never opened": ")\n" * 200_000,
    "one long word": "a" * 10_000_000,
    "one long line": "a " * 5_000_000,
    "one long quote": '"' + "a" * 10_000_000,
    "quotes": '"' * 10_000_001,
    "escapes": "\\a" * 5_000_000,
    "lines of faults": "x\n" * 1_000_000,
    "a broken name on every line": f"{'a.' * 10_000} A 192.0.2.1\n" * 200,
    "counters": f"$GENERATE 1-{GENERATED_MAX} a TXT {'$' * 60_000}",
    "zeros": f"$GENERATE 1-{GENERATED_MAX} a TXT {'${0,127}' * 30_000}",
    "many counters": "$GENERATE 1-99999999 a A 192.0.2.1\n" * 100_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_or_read_in_time(what: str) -> None:
    begin = time.process_time()
    assert len(complaints(HOSTILE[what])) <= FAULTS_MAX + 1
    assert time.process_time() - begin < 5  # Measured: at most 1.3 s.


def test_blank_lines_and_long_comments_are_free() -> None:
    assert (
        read("\n" * 1_000_000 + ";" * 1_000_000 + "\nwww A 192.0.2.1\n").records[0].line
        == 1_000_003
    )


def test_reading_stops_after_a_hundred_faults() -> None:
    found = faults("x\n" * 1000)
    assert len(found) == FAULTS_MAX + 1
    assert (found[-1].code, found[-1].detail[:9]) == ("too_many", "Line 100:")


def test_an_entry_has_a_bound() -> None:
    reason = fault(f"www TXT {'a ' * ENTRY_MAX_CHARACTERS}\nok A 192.0.2.1\n")
    assert f"{ENTRY_MAX_CHARACTERS:,}" in reason.detail


def test_a_file_has_a_bound_of_records_and_of_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RECORDS_MAX", 2)
    assert fault("a A 192.0.2.1\n" * 3).code == "too_large"
    monkeypatch.setattr(reading, "TEXT_MAX_CHARACTERS", 50)
    assert [reason.code for reason in faults(SOA + "\n" * 50)] == ["too_large"]


@given(st.text(alphabet=' \t\n();"\\$@.a0A-é\x00\r', max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert all("Line " in reason.detail for reason in complaints(text))


@given(st.text(alphabet=' \t\n();"\\ab', max_size=40))
def test_entries_say_where_they_stand(text: str) -> None:
    for entry in entries(text):
        assert entry.line == text.count("\n", 0, entry.at) + 1
        for word in entry.words:
            assert text.startswith(word.text, word.at)


# Emission


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

"""Master files, with dnspython's own reader as the other party."""

from __future__ import annotations

import re

import dns.name
import dns.rdatatype
import dns.zone
import dns.zonefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns.names import canonical
from geodns.dns.zonefile import Record, Soa, ZoneText, parse
from geodns.dns.zonefile.generate import substitute
from geodns.errors import ConfigError, Reason

ORIGIN = b"\x07example\x04test\x00"
SOA = "@ IN SOA ns1 hostmaster 1 7200 900 1209600 30\n"


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


# dnspython's reader, on files in every style

gaps = st.sampled_from([" ", "\t", "  ", " ( ", " ) ", " (\n ", " ;)\n ", "\n;\n\t"])
heads = st.sampled_from(["", "60 ", "1h2m ", "IN ", "in 7 ", "9 IN "])
left = st.sampled_from(["www", "@", "", "a.b", r"\$x\.y", "EXAMPLE.test.", r"\200", "*"])
data = st.sampled_from(
    ["A 192.0.2.1", "MX 10 mail", "MX 0 .", r'TXT "a b;" c \"\;', "AAAA ::1", "NS ns.sub",
     'HTTPS 1 . alpn="h2" port=53', r"TYPE999 \# 2 ab cd", "SRV 0 5 53 @", "CAA 0 issue x"]
)  # fmt: skip
said = st.sampled_from(["$ORIGIN sub", "$ORIGIN example.test.", "$TTL 1d", "; a comment (", "   "])


@st.composite
def records(draw: st.DrawFn) -> str:
    words = [draw(heads) + (text := draw(data)).split()[0], *text.split()[1:]]
    depth, line = 0, draw(left) + draw(st.sampled_from([" ", "\t"]))
    for word in words:
        gap = draw(gaps) if word is not words[0] and '"' not in text else " "
        if (")" in gap or "\n" in gap) and "(" not in gap and not depth:
            gap = " "
        depth += gap.startswith(" (") - gap.startswith(" )")
        line += gap + word
    return line + " )" * depth


@given(st.lists(records() | said, max_size=8))
def test_every_style_is_read_as_dnspython_reads_it(lines: list[str]) -> None:
    text = "$TTL 5\n" + SOA + "\n".join(lines) + "\n"
    zone = parse(text, ORIGIN)
    ours = {(r.owner, r.rtype, r.rdata) for r in zone.records}
    theirs = dns.zone.from_text(
        text, dns.name.from_wire(ORIGIN, 0)[0], relativize=False, check_origin=False
    )
    assert ours == {
        (canonical(owner.to_wire() or b""), int(rdata.rdtype), rdata.to_wire())
        for owner, _, rdata in theirs.iterate_rdatas()
        if rdata.rdtype != dns.rdatatype.SOA
    }


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

"""What a master file costs that somebody made to hurt us."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.dns.zonefile import FAULTS_MAX, parse
from geodns.dns.zonefile import reader as reading
from geodns.dns.zonefile.entries import ENTRY_MAX_CHARACTERS, entries
from geodns.dns.zonefile.generate import GENERATED_MAX
from geodns.errors import ConfigError, Reason

ORIGIN = b"\x07example\x04test\x00"
SOA = "@ IN SOA ns1 hostmaster 1 7200 900 1209600 30\n"


def complaints(lines: str) -> tuple[Reason, ...]:
    try:
        parse(SOA + lines, ORIGIN)
    except ConfigError as error:
        return error.reasons
    return ()


HOSTILE = {
    "a hundred thousand parentheses": ("a A " + "(" * 10**5 + "1.2.3.4" + ")" * 10**5, 1),
    "never closed": ("a A (", 100_000),
    "never closed on every line": ("(\n", 200_000),
    "closed and never opened": (")\n", 200_000),
    "one long word": ("a", 10_000_000),
    "one long line": ("a ", 5_000_000),
    "one long quote": ('"' + "a" * 1000, 10_000),
    "quotes": ('"', 10_000_001),
    "escapes": ("\\a", 5_000_000),
    "lines of faults": ("x\n", 1_000_000),
    "a broken name on every line": (f"{'a.' * 10_000} A 192.0.2.1\n", 200),
    "counters": (f"$GENERATE 1-{GENERATED_MAX} a TXT {'$' * 60_000}", 1),
    "zeros": (f"$GENERATE 1-{GENERATED_MAX} a TXT {'${0,127}' * 30_000}", 1),
    "many counters": ("$GENERATE 1-99999999 a A 192.0.2.1\n", 100_000),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_or_read_in_time(what: str) -> None:
    text, times = HOSTILE[what]
    text *= times
    begin = time.process_time()
    assert len(complaints(text)) <= FAULTS_MAX + 1
    assert time.process_time() - begin < 5  # Measured: at most 1.3 s.


def test_blank_lines_and_long_comments_are_free() -> None:
    text = "\n" * 1_000_000 + ";" * 1_000_000 + f"\n{SOA}"
    assert parse(text, ORIGIN).soa.line == 1_000_002


def test_reading_stops_after_a_hundred_faults() -> None:
    found = complaints("x\n" * 1000)
    assert len(found) == FAULTS_MAX + 1
    assert (found[-1].code, found[-1].detail[:9]) == ("too_many", "Line 101:")


def test_an_entry_has_a_bound() -> None:
    (reason,) = complaints(f"www TXT {'a ' * ENTRY_MAX_CHARACTERS}\nok A 192.0.2.1\n")
    assert f"{ENTRY_MAX_CHARACTERS:,}" in reason.detail


def test_a_file_has_a_bound_of_records_and_of_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RECORDS_MAX", 2)
    assert [r.code for r in complaints("a A 192.0.2.1\n" * 3)] == ["too_large"]
    monkeypatch.setattr(reading, "TEXT_MAX_CHARACTERS", 50)
    assert [r.code for r in complaints("\n" * 50)] == ["too_large"]


@given(st.text(alphabet=' \t\n();"\\$@.a0A-é\x00\r', max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert all("Line " in reason.detail for reason in complaints(text))


@given(st.text(alphabet=' \t\n();"\\ab', max_size=40))
def test_entries_say_where_they_stand(text: str) -> None:
    for entry in entries(text):
        assert entry.line == text.count("\n", 0, entry.at) + 1
        for word in entry.words:
            assert text.startswith(word.text, word.at)


def test_what_generate_makes_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodns.dns.zonefile.generate.GENERATED_MAX_CHARACTERS", 39)
    assert complaints("$GENERATE 1-3 a A 192.0.2.$\n") == ()
    assert [r.code for r in complaints("$GENERATE 1-4 a A 192.0.2.$\n")] == ["bad_generate"]

"""The journal: a ring that anybody may read while it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.health.journal import Journal, Record, What, open_journal
from geodns.snapshot.status import Verdict


def record(number: int) -> Record:
    return Record(
        1_800_000_000_000 + number,
        What.TRANSITION,
        f"HTTP {number}",
        number,
        7,
        "2001:db8::1",
        "web",
        Verdict.UP,
        Verdict.DOWN,
        1500,
        None if number % 2 else 250,
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "journal", records=8)
    for number in range(1, 6):
        assert journal.write(record(number)) == number
    read = list(Journal(tmp_path / "journal").since(3))
    assert [each.sequence for each in read] == [3, 4, 5]
    assert read[0].reason == "HTTP 3"
    assert (read[0].elapsed_us, read[1].elapsed_us) == (None, 250)
    assert (read[0].address, read[0].monitor, read[0].slot) == ("2001:db8::1", "web", 3)
    assert (read[0].before, read[0].after, read[0].lasted_ms) == (Verdict.UP, Verdict.DOWN, 1500)


def test_the_ring_keeps_the_last(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "journal", records=4)
    for number in range(1, 11):
        journal.write(record(number))
    assert [each.sequence for each in journal.since(0)] == [7, 8, 9, 10]


def test_a_record_being_written_is_passed_over(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "journal", records=4)
    for number in range(1, 4):
        journal.write(record(number))
    octets = bytearray((tmp_path / "journal").read_bytes())
    octets[64 + 320 * 2 : 64 + 320 * 2 + 8] = bytes(8)
    (tmp_path / "journal").write_bytes(octets)
    assert [each.sequence for each in Journal(tmp_path / "journal").since(1)] == [1, 3]


def test_a_successor_goes_on_where_its_predecessor_was(tmp_path: Path) -> None:
    open_journal(tmp_path / "journal", records=4).write(record(1))
    journal = open_journal(tmp_path / "journal", records=4)
    assert (journal.next, len(list(journal.since(0)))) == (2, 1)


@pytest.mark.parametrize("octets", [b"", b"GEODNSJ1", bytes(4096), b"x" * 64])
def test_what_is_no_journal_is_made_anew(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "journal").write_bytes(octets)
    with pytest.raises(Unavailable):
        Journal(tmp_path / "journal")
    assert open_journal(tmp_path / "journal", records=4).next == 1


def test_texts_are_cut_at_whole_characters(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "journal", records=4)
    journal.write(Record(1, What.ALARM, "é" * 100))
    (read,) = journal.since(0)
    assert read.reason == "é" * 48

"""The status table: words that never tear, notes that hold still, an epoch that counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from geodns.errors import Unavailable
from geodns.snapshot.status import (
    REASON_MAX,
    Note,
    Override,
    StatusTable,
    Verdict,
    Word,
    create_table,
)

WORDS = [
    Word(tag, verdict, unsettled, override, factor)
    for tag in (0, 1, 2**32 - 1)
    for verdict in Verdict
    for unsettled in (False, True)
    for override in Override
    for factor in (0, 1, 255)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_table(tmp_path / "status", 16)
    return tmp_path / "status"


def test_every_word_comes_back_as_it_was(path: Path) -> None:
    table = StatusTable(path, writable=True)
    for word in WORDS:
        assert Word.unpack(word.pack()) == word
        table.write(3, word)
        assert table.word(3, word.tag) == word
        assert StatusTable(path).word(3, word.tag) == word


@pytest.mark.parametrize("octets", [3, 3 << 4, 2**64 - 1, 0xF8C8])
def test_any_64_bits_mean_something(octets: int) -> None:
    assert Word.unpack(octets).verdict in Verdict


def test_a_slot_of_another_target_reads_as_unknown(path: Path) -> None:
    table = StatusTable(path, writable=True)
    table.write(3, Word(7, Verdict.DOWN, override=Override.DOWN))
    assert table.word(3, 8) == Word(8)


def test_the_epoch_moves_with_every_change(path: Path) -> None:
    table, reader = StatusTable(path, writable=True), StatusTable(path)
    for number in range(5):
        assert reader.epoch == number
        table.write(number, Word(1))


def test_a_note_comes_back_as_it_was(path: Path) -> None:
    table = StatusTable(path, writable=True)
    note = Note(1_800_000_000_000, 1_800_000_000_500, 1234, "HTTP 503, später")
    table.write(2, Word(1), note)
    assert StatusTable(path).note(2) == note
    assert StatusTable(path).note(1) == Note()


def test_a_long_reason_is_cut_between_characters(path: Path) -> None:
    table = StatusTable(path, writable=True)
    for shift in range(4):
        table.write(15, Word(1), Note(reason="x" * shift + "ü€𐍈" * 40))
        reason = table.note(15).reason
        assert REASON_MAX - 4 < len(reason.encode()) <= REASON_MAX
        assert "\ufffd" not in reason


def test_a_word_written_without_a_note_keeps_the_note(path: Path) -> None:
    table = StatusTable(path, writable=True)
    table.write(1, Word(1), Note(reason="why"))
    table.write(1, Word(1, Verdict.DOWN))
    assert table.note(1).reason == "why"


def test_a_note_that_never_holds_still_reads_as_empty(path: Path) -> None:
    table = StatusTable(path, writable=True)
    table.write(0, Word(1), Note(reason="why"))
    at = 64 + 8 * 16
    with path.open("r+b") as file:  # as a writer that died in the middle leaves it
        file.seek(at)
        file.write((1).to_bytes(8, "little"))
    assert table.note(0) == Note()
    table.write(0, Word(1), Note(reason="anew"))
    assert table.note(0).reason == "anew"


def test_a_table_that_fits_is_kept_and_another_is_made_anew(path: Path) -> None:
    StatusTable(path, writable=True).write(3, Word(7, Verdict.DOWN))
    create_table(path, 16)
    assert StatusTable(path).word(3, 7).verdict is Verdict.DOWN
    create_table(path, 32)
    table = StatusTable(path)
    assert (table.slots, table.word(3, 7).verdict) == (32, Verdict.UNKNOWN)
    assert path.stat().st_blocks * 512 >= path.stat().st_size  # no hole to die in


def test_a_reader_cannot_write(path: Path) -> None:
    with pytest.raises(TypeError):
        StatusTable(path).write(0, Word(1))


@pytest.mark.parametrize("octets", [b"", b"x", b"GEODNST1", b"x" * 2240, b"GEODNST1" * 280])
def test_what_is_not_a_table_is_refused(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)
    with pytest.raises(Unavailable):
        StatusTable(path)


def test_a_missing_table_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be mapped"):
        StatusTable(tmp_path / "status")
    with pytest.raises(Unavailable, match="No room"):
        create_table(tmp_path / "nowhere" / "status", 16)


WRITER = """
import sys
from pathlib import Path
from geodns.snapshot.status import Note, StatusTable, Verdict, Word

table = StatusTable(Path(sys.argv[1]), writable=True)
print("ready", flush=True)
number = 0
while True:
    number = number + 1 & 0xFFFFFFFF
    same = number & 0xFF
    word = Word(same * 0x01010101, Verdict(same % 3), bool(same & 1), weight_factor=same)
    table.write(5, word, Note(number, number, number, str(number)))
"""


def test_words_and_notes_never_tear_under_a_writing_process(path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        watch(StatusTable(path), changes=200)
    finally:
        writer.kill()
        writer.wait()


def watch(table: StatusTable, changes: int) -> None:
    """Look until so many words and notes were seen to change; each of them must be whole."""
    words, notes = set(), set()
    while min(len(words), len(notes)) < changes:  # the suite's timeout ends a still table
        for _ in range(100):
            raw = table.words[5]
            words.add(raw)
            same = raw >> 8 & 255
            assert raw >> 32 == same * 0x01010101
            assert raw & 3 == same % 3
        note = table.note(5)
        notes.add(note.since_ms)
        assert (note.checked_ms, note.elapsed_us) == (note.since_ms, note.since_ms)
        assert note.reason == (str(note.since_ms) if note.since_ms else "")

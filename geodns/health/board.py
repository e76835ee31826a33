"""The status table in the hands of its writer."""

from __future__ import annotations

from dataclasses import replace

from geodns.snapshot.status import Note, StatusTable, Verdict, Word


class Board(StatusTable):
    """Writes what is new; operators' overrides in a word are left alone."""

    def show(
        self,
        slot: int,
        tag: int,
        verdict: Verdict,
        unsettled: bool,
        note: Note,
        weight_factor: int | None = None,
    ) -> None:
        """Put a verdict and its note up. A slot that another target owned is taken over.

        Without a weight factor, the one that is there stays.
        """
        word = replace(self.word(slot, tag), verdict=verdict, unsettled=unsettled)
        if weight_factor is not None:
            word = replace(word, weight_factor=weight_factor)
        if word.pack() == self.words[slot]:
            self._write_note(slot, note)  # the epoch stays: no answer depends on a note
        else:
            self.write(slot, word, note)

    def disown(self, slot: int, tag: int) -> None:
        """Take the slot over for a target that nobody judges: unknown, without a note."""
        word = replace(self.word(slot, tag), verdict=Verdict.UNKNOWN, unsettled=False)
        if word != Word.unpack(self.words[slot]):
            self.write(slot, word, Note())

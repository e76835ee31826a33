"""The status table in the hands of its writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from geodns.snapshot.status import FULL_WEIGHT, Note, Override, StatusTable, Verdict, Word


@dataclass(frozen=True, slots=True)
class Ruling:
    """What operators ask of a word: an override, short TTLs, a part of the weight."""

    override: Override = Override.NONE
    unsettled: bool = False
    factor: int = FULL_WEIGHT


NO_RULING = Ruling()


class Board(StatusTable):
    """Writes what is new. A word is made from what probes and what operators say."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        super().__init__(path, writable=writable)
        self._rulings: dict[int, tuple[int, Ruling]] = {}
        self._shown: dict[int, tuple[int, bool, int]] = {}

    def rule(self, slot: int, tag: int, ruling: Ruling) -> None:
        """Let an operator's word hold from now on; a slot that another owned is taken over."""
        self._rulings[slot] = tag, ruling
        word = self.word(slot, tag)
        owner, unsettled, weight_factor = self._shown.get(slot, (None, False, 0))
        if owner == tag:
            word = replace(word, unsettled=unsettled, weight_factor=weight_factor)
        word = self._ruled(slot, word)
        if word.pack() != self.words[slot]:
            self.write(slot, word)
        if ruling == NO_RULING:
            self.forget(slot)

    def forget(self, slot: int) -> None:
        """Let no operator's word hold any more for whoever owns the slot next."""
        self._rulings.pop(slot, None)

    def _ruled(self, slot: int, word: Word) -> Word:
        tag, ruling = self._rulings.get(slot, (word.tag, None))
        if ruling is None or tag != word.tag:
            return word
        return replace(
            word,
            override=ruling.override,
            unsettled=word.unsettled or ruling.unsettled,
            weight_factor=min(word.weight_factor, ruling.factor),
        )

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
        self._shown[slot] = tag, unsettled, FULL_WEIGHT if weight_factor is None else weight_factor
        word = self._ruled(slot, word)
        if word.pack() == self.words[slot]:
            self._write_note(slot, note)  # the epoch stays: no answer depends on a note
        else:
            self.write(slot, word, note)

    def disown(self, slot: int, tag: int) -> None:
        """Take the slot over for a target that nobody judges: unknown, without a note."""
        word = replace(self.word(slot, tag), verdict=Verdict.UNKNOWN, unsettled=False)
        self._shown[slot] = tag, False, FULL_WEIGHT
        word = self._ruled(slot, word)
        if word != Word.unpack(self.words[slot]):
            self.write(slot, word, Note())

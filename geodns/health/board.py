"""The status table in the hands of its writer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from geodns.snapshot.status import FULL_WEIGHT, Note, Override, StatusTable, Verdict, Word


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said of a word besides its verdict: an override, short TTLs, a part of the weight,
    users to be sent elsewhere, and why its node counts as down if it is not heard of."""

    override: Override = Override.NONE
    unsettled: bool = False
    factor: int = FULL_WEIGHT
    shed: int = 0
    lapsed: str = ""


NO_RULING = Ruling()


class Board(StatusTable):
    """Writes what is new. A word is made from what probes say, and from what is said besides."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        super().__init__(path, writable=writable)
        self._rulings: dict[int, tuple[int, Ruling]] = {}
        self._shown: dict[int, tuple[Word, Note]] = {}

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
        word = self._plain(slot, tag)
        word = replace(word, verdict=verdict, unsettled=unsettled)
        if weight_factor is not None:
            word = replace(word, weight_factor=weight_factor)
        self._put(slot, word, note)

    def disown(self, slot: int, tag: int) -> None:
        """Take the slot over for a target that nobody judges: unknown, without a note."""
        word = replace(self._plain(slot, tag), verdict=Verdict.UNKNOWN, unsettled=False)
        self._put(slot, word, Note())

    def rule(self, slot: int, tag: int, ruling: Ruling) -> None:
        """Let a ruling hold from now on; a slot that another owned is taken over."""
        self._rulings[slot] = tag, ruling
        note = self._shown[slot][1] if self._owner(slot) == tag else self.note(slot)
        self._put(slot, self._plain(slot, tag), note)
        if ruling == NO_RULING:
            self.forget(slot)

    def forget(self, slot: int) -> None:
        """Let no ruling hold any more for whoever owns the slot next."""
        self._rulings.pop(slot, None)

    def _plain(self, slot: int, tag: int) -> Word:
        """The word as it would be without a ruling; of a process before us, as it is."""
        return self._shown[slot][0] if self._owner(slot) == tag else self.word(slot, tag)

    def _owner(self, slot: int) -> int | None:
        return self._shown[slot][0].tag if slot in self._shown else None

    def _put(self, slot: int, word: Word, note: Note) -> None:
        self._shown[slot] = word, note
        tag, ruling = self._rulings.get(slot, (0, NO_RULING))
        if tag == word.tag:
            word, note = _ruled(word, ruling), _noted(note, ruling)
        if word.pack() == self.words[slot]:
            self._write_note(slot, note)  # the epoch stays: no answer depends on a note
        else:
            self.write(slot, word, note)


def _ruled(word: Word, ruling: Ruling) -> Word:
    return replace(
        word,
        verdict=Verdict.DOWN if ruling.lapsed else word.verdict,
        override=ruling.override,
        unsettled=word.unsettled or ruling.unsettled,
        weight_factor=min(word.weight_factor, ruling.factor),
        shed=ruling.shed,
    )


def _noted(note: Note, ruling: Ruling) -> Note:
    return replace(note, reason=ruling.lapsed) if ruling.lapsed else note

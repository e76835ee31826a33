"""What a status word says of a target: may it answer, at what weight, for how many users?

A word whose tag is not the target's is that of another: unknown, which counts as up.
"""

from __future__ import annotations

from collections.abc import Iterable

from geodns.steering.tables import Member, Target, Words

# The bits of a status word; geodns.snapshot.status has the layout and a test holds both equal.
_VERDICT_DOWN = 2
_UNSETTLED = 4
_OVERRIDE_UP, _OVERRIDE_DOWN = 1, 2
_FULL_WEIGHT = 255


def word_of(target: Target, words: Words) -> int:
    """The target's word; a plain one if the slot is another's."""
    word = words[target.slot]
    return word if word >> 32 == target.tag else _FULL_WEIGHT << 8


def is_usable(word: int, *, ignore: bool = False) -> bool:
    """Whether a target may answer; ``ignore`` passes over verdicts, never over overrides."""
    override = word >> 4 & 3
    if override == _OVERRIDE_DOWN:
        return False
    return override == _OVERRIDE_UP or ignore or word & 3 != _VERDICT_DOWN


def weight_factor(word: int) -> int:
    """What the weight is multiplied by; 255 is full weight."""
    return word >> 8 & 255


def is_up(member: Member, words: Words) -> bool:
    """Whether any target of a member is usable."""
    return any(is_usable(word_of(target, words)) for target in member.all_targets())


def shed_share(member: Member, words: Words) -> int:
    """Users of 65,536 that a member sends away: the most that any of its usable targets says."""
    if not member.shed:
        return 0
    found = (word_of(target, words) for target in member.all_targets())
    return max((word >> 16 & 0xFFFF for word in found if is_usable(word)), default=0)


def all_settled(members: Iterable[Member], words: Words) -> bool:
    """Whether no target of theirs is suspect, just changed or draining."""
    return not any(
        word_of(target, words) & _UNSETTLED for member in members for target in member.all_targets()
    )

"""What was found of several servers, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .case import Case, Grade

RANK = {Grade.EXACT: 3, Grade.ACCEPTED: 2, Grade.FAULT: 1, None: 0}


class Verdict(NamedTuple):
    """One case over one transport. Shape: ``grade`` None means the server was dead."""

    case: Case
    tcp: bool
    grade: Grade | None
    words: str

    def __str__(self) -> str:
        transport = "TCP" if self.tcp else "UDP"
        grade = self.grade.value if self.grade else "dead"
        return f"{grade} {transport} {self.case.name}: {self.words} ({self.case.source})"


def report(found: Mapping[str, Sequence[Verdict]]) -> str:
    """A row for each server."""
    rows = ["server     cases  exact  acceptable  fault  dead"]
    for server, verdicts in found.items():
        count = Counter(verdict.grade for verdict in verdicts)
        exact, accepted, fault = (count[grade] for grade in Grade)
        rows.append(
            f"{server:8} {len(verdicts):7} {exact:6} {accepted:11} {fault:6} {count[None]:5}"
        )
    return "\n".join(rows) + "\n"


def worse_than(ours: Sequence[Verdict], theirs: Sequence[Verdict]) -> Iterator[Verdict]:
    """Our verdicts where theirs is better."""
    for mine, other in zip(ours, theirs, strict=True):
        if RANK[mine.grade] < RANK[other.grade]:
            yield mine

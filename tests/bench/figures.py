"""What a row found: values, the promise they are held to, and how both are shown."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HEADINGS = (
    *("row", "what", "median [min–max]", "median, 95 %", "n"),
    *("judged", "promise", "ratio", "verdict"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Repeated measurements of one thing.

    Shape: ``promise`` is the most that ``judged`` (median, p99 or max) of the values may be, in
           the same unit; None where nothing is promised.
    """

    row: str
    what: str
    unit: str
    values: Sequence[float]
    promise: float | None = None
    judged: str = "median"
    note: str = ""

    @property
    def value(self) -> float:
        """The statistic that is judged."""
        if self.judged == "p99":
            return percentile(self.values, 0.99)
        return max(self.values) if self.judged == "max" else statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        return None if self.promise is None else self.value <= self.promise

    def cells(self) -> tuple[str, ...]:
        """The figure as a line of the table."""
        middle = statistics.median(self.values)
        spread = f"{short(middle)} [{short(min(self.values))}–{short(max(self.values))}]"
        sure = "–".join(map(short, interval(self.values)))
        head = (self.row, self.what, f"{spread} {self.unit}", sure, str(len(self.values)))
        judged = f"{self.judged} {short(self.value)}"
        if self.promise is None:
            return (*head, judged, "", "", self.note)
        verdict = "met" if self.met else "missed"
        ratio = f"{self.value / self.promise:.2f}" if self.promise else ""
        note = f"; {self.note}" if self.note else ""
        return (*head, judged, f"≤ {short(self.promise)}", ratio, verdict + note)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below ``share`` of all."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def interval(values: Sequence[float]) -> Sequence[float]:
    """Between these two the median of all that could have been measured lies with 95 %.

    Shape: empty for fewer than six values, which cannot say so.
    Source: order statistics; the number of values below the median is binomial.
    """
    ordered, count = sorted(values), len(values)
    tail, rank = 0.0, 0
    while (tail := tail + math.comb(count, rank) / 2**count) <= 0.025:
        rank += 1
    return (ordered[rank - 1], ordered[-rank]) if rank else ()


def short(value: float) -> str:
    """Three significant digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(figures: Iterable[Figure]) -> str:
    """All figures as a Markdown table."""
    lines = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    ruler = tuple("-" * width for width in widths)
    return "".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |\n"
        for line in (HEADINGS, ruler, *lines[1:])
    )


def append(path: Path, figures: Iterable[Figure]) -> None:
    """Add the figures to a file, one JSON object each line, with the time of the run."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with path.open("a", encoding="utf-8") as file:
        for figure in figures:
            content = {
                "time": now,
                "row": figure.row,
                "what": figure.what,
                "unit": figure.unit,
                "values": [round(value, 6) for value in figure.values],
                "judged": figure.judged,
                "value": figure.value,
                "promise": figure.promise,
                "met": figure.met,
                "note": figure.note,
            }
            file.write(json.dumps(content, ensure_ascii=False) + "\n")

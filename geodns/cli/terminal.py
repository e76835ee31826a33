"""What a terminal needs rich for: tables that must be folded, and what is drawn anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from geodns.cli.output import encodable, write

COLUMN_MIN = 12
"""What a folded column keeps; with less room each row becomes lines of its own. Source: no
reference; most of an IPv4 address."""

STYLES = {"up": "green", "down": "red", "unknown": "yellow"}


def console(*, stderr: bool = False) -> Console:
    """The terminal. Its width is asked of the system, for a pipe has none."""
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False)


def write_on_terminal(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of plain text under their heads."""
    terminal = console()
    write(captured(terminal, table(heads, rows, terminal.width)))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> RenderableType:
    """Rows under their heads; in lines of their own if the terminal is too narrow for that."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if sum(min(each, COLUMN_MIN) + 2 for each in widths) > width + 2 and rows:
        return _stacked(heads, rows)
    found = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        found.add_column(head, overflow="fold")
    for row in rows:
        found.add_row(*map(styled, row))
    return found


def styled(text: str) -> Text:
    """A cell; states in the colours that everyone knows."""
    return Text(encodable(text, sys.stdout), style=STYLES.get(text, ""))


def captured(terminal: Console, shown: RenderableType) -> str:
    """What would be printed, so that it is written by our own rules for broken pipes."""
    with terminal.capture() as capture:
        terminal.print(shown)
    return capture.get()


def _stacked(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    room = max(map(len, heads)) + 2
    found = Table(box=None, show_header=False, pad_edge=False, padding=(0, 0, 0, 0))
    found.add_column(style="bold", width=room, no_wrap=True)
    found.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            found.add_row("", "")
        for head, text in zip(heads, row, strict=True):
            if text:
                found.add_row(head, styled(text))
    return found

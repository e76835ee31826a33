"""What goes on in place on a terminal: ``top`` and ``status --watch``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import RenderableType
from rich.live import Live

from geodns.cli.output import is_smart
from geodns.cli.terminal import console


def is_live() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return is_smart(sys.stdout)


def watched(screens: Iterator[RenderableType]) -> None:
    """Show one screen after another until Ctrl-C, then give the terminal back as it was."""
    with Live(console=console(), screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        for screen in screens:
            live.update(screen, refresh=True)

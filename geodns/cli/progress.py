"""Progress of what takes long: a bar on standard error, if that is a terminal, by rich.

Nothing is shown, and nothing loaded, before half a second has gone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from geodns.cli.output import is_smart

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY_S = 0.5
"""Source: no reference; what is faster needs no bar."""

POLL_S = 0.5
"""Source: no reference; twice a second is what one sees move."""


ASIDE_PATIENCE_S = 2.0
"""Source: no reference; progress that comes later is none."""

PREFIX = "/api/v1"


class Working:
    """What is being done, and how far it has come. Safe to tell from any thread."""

    def __init__(self, is_shown: bool) -> None:
        self._lock = threading.Lock()
        self._state: tuple[str, int, int | None] = ("", 0, None)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._timer = threading.Timer(DELAY_S, self._begin) if is_shown else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it."""
        return self._timer is not None

    def step(self, what: str, done: int = 0, total: int | None = None) -> None:
        """Now it is this; without a total only the time is told."""
        with self._lock:
            is_new = what != self._state[0]
            self._state = (what, done, total)
            if self._bar is not None and self._task is not None:
                if is_new:
                    self._bar.remove_task(self._task)
                    self._task = self._bar.add_task(what, completed=done, total=total)
                else:
                    self._bar.update(self._task, completed=done, total=total)

    def sent(self, what: str, then: str) -> Callable[[int, int], None]:
        """For a body on its way; when it is out, the other end works."""

        def tell(done: int, total: int) -> None:
            self.step(what, done, total) if done < total else self.step(then)

        return tell

    def end(self) -> None:
        """Take the bar away."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            bar, self._bar, self._timer = self._bar, None, None
        if bar is not None:
            bar.stop()

    def _begin(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        from geodns.cli.terminal import console

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        with self._lock:
            if self._timer is None:  # it has ended meanwhile
                return
            what, done, total = self._state
            self._bar = Progress(*columns, console=console(stderr=True), transient=True)
            self._task = self._bar.add_task(what, completed=done, total=total)
            self._bar.start()


@contextmanager
def working(what: str) -> Iterator[Working]:
    """Show progress while inside, on a terminal."""
    told = Working(is_smart(sys.stderr))
    told.step(what)
    try:
        yield told
    finally:
        told.end()


@contextmanager
def polled(look: Callable[[], None]) -> Iterator[None]:
    """Look again and again, beside what is inside, until a look fails."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(POLL_S):
            try:
                look()
            except Exception:  # progress is a favour; what matters is told by who waits
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def servers_own(data_dir: Path | None, told: Working) -> Iterator[None]:
    """While inside, show what the server tells of our work, on a connection beside."""
    from geodns.cli.connection import connect

    if not told.is_shown:
        yield
        return

    def look() -> None:
        for item in aside.request("GET", f"{PREFIX}/progress").body["items"]:
            told.step(f"the server: {item['what']}", item["done"], item["total"])

    with connect(data_dir, None, ASIDE_PATIENCE_S) as aside, polled(look):
        yield

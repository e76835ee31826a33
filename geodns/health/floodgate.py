"""A log that a storm of changes cannot drown."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LINES_MAX, LINES_PERIOD_S = 200, 10.0
"""Lines of log per period. Source: no reference; what a person can still skim."""


class FloodGate(logging.Filter):
    """Lets LINES_MAX lines through per LINES_PERIOD_S, then says how many it held back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._since_s = clock()
        self._seen = 0

    def filter(self, record: logging.LogRecord) -> bool:
        now_s = self._clock()
        if now_s - self._since_s >= LINES_PERIOD_S:
            held_back = max(0, self._seen - LINES_MAX)
            self._since_s, self._seen = now_s, 0
            if held_back:
                record.msg = f"{record.getMessage()} (before this, {held_back} lines held back)"
                record.args = ()
        self._seen += 1
        return self._seen <= LINES_MAX

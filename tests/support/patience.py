"""Limits of time that are fair to a busy machine: strict on an idle one, wide on a crowded one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 30.0
"""Longer than this nothing is waited for, however busy the machine."""

_PRESSURE = Path("/proc/pressure/cpu")


class Stopwatch:
    """Time since it was made."""

    def __init__(self) -> None:
        self._started_s, self._withheld_s = time.monotonic(), withheld_s()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    @property
    def fair_s(self) -> float:
        """Without the time in which anybody had to wait for a core: it may have been ours."""
        return self.elapsed_s - (withheld_s() - self._withheld_s)


def within(
    limit_s: float,
    condition: Callable[[], object],
    complaint: str | Callable[[], str] = "it did not happen",
) -> None:
    """Wait for something that is to happen within so long.

    Errors: AssertionError when it does not, or too late for a machine with cores to spare.
    """
    watch = Stopwatch()
    while not condition():
        if watch.elapsed_s > PATIENCE_S:
            raise AssertionError(complaint if isinstance(complaint, str) else complaint())
        time.sleep(0.005)
    assert watch.fair_s <= limit_s, f"only after {watch.elapsed_s:.2f} s"


def withheld_s() -> float:
    """How long, since the machine started, something that could have run has waited for a core.

    Source: Linux, Documentation/accounting/psi; 0 where the kernel does not count it.
    """
    try:
        found = re.search(r"some .*total=(\d+)", _PRESSURE.read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1e6 if found else 0.0

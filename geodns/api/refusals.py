"""What was refused, for the audit: sign-ins without a good token, writes beyond a token's rights.

A guesser or a broken script must not fill the disk, nor push what matters out of history: what a
minute brings becomes one entry on all sign-ins and one for each token whose writes were refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from geodns.errors import Unavailable
from geodns.store.base import Commit

EVERY_S = 60.0
"""At most so often. Source: no reference; in the 90 days that entries are kept some 30 MB."""

TOKENS_MAX = 16
SOURCES_MAX = 256
SOURCES_SHOWN = 3
"""Told apart within a minute. Source: no reference; more are one attack, and are counted."""

NOBODY = "nobody"
"""Whose sign-ins fail."""

WHAT_MAX_CHARACTERS = 200
"""Longest method and path that are kept. Source: no reference; whole for all that exist."""

log = logging.getLogger("geodns.api")


@dataclass(slots=True)
class _Write:
    """The first refused write of a token, and how many there were."""

    what: str
    request_id: str
    count: int = 0


class Refusals:
    """Gathers what was refused; the first is told at once, more a minute later."""

    def __init__(
        self,
        keep: Callable[[Sequence[Commit]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._told_s = float("-inf")
        self._sources: Counter[str] = Counter()
        self._writes: dict[str, _Write] = {}
        self._telling: asyncio.Task[None] | None = None

    def sign_in(self, source: str) -> None:
        """Somebody had no good token."""
        known = source in self._sources or len(self._sources) < SOURCES_MAX
        self._sources[source if known else "others"] += 1
        self._tell_soon()

    def write(self, actor: str, what: str, request_id: str) -> None:
        """A token may not do this."""
        actor = actor if actor in self._writes or len(self._writes) < TOKENS_MAX else "others"
        self._writes.setdefault(actor, _Write(what[:WHAT_MAX_CHARACTERS], request_id)).count += 1
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._sources or self._writes:
            await asyncio.sleep(max(0.0, self._told_s + EVERY_S - self._clock()))
            self._told_s = self._clock()
            notes = list(self._notes())
            self._sources, self._writes = Counter(), {}
            try:
                await asyncio.to_thread(self._keep, notes)
            except Unavailable as error:
                log.error("what was refused is not in the audit: %s", error)

    def _notes(self) -> Iterator[Commit]:
        if self._sources:
            shown = [f"{each} {n}" for each, n in self._sources.most_common(SOURCES_SHOWN)]
            more = _and_more(len(self._sources) - len(shown))
            yield Commit((), NOBODY, f"sign-ins refused: {', '.join(shown)}{more}")
        for actor, write in self._writes.items():
            what = f"forbidden: {write.what}{_and_more(write.count - 1)}"
            yield Commit((), actor, what, write.request_id)


def _and_more(count: int) -> str:
    return f" and {count} more" if count else ""

"""Turns: work on replies in small portions, so that no peer holds up another's check.

A thousand peers that send as fast as they can are all readable at once. Whoever is woken asks
for a turn first; when the event loop's round has lasted long enough, the rest wait in order for
the next rounds. Timers run between rounds, which keeps verdicts within their time.
"""

from __future__ import annotations

import asyncio
from collections import deque

ROUND_S = 0.005
"""How long a round may last before the rest must wait. Source: small against the 0.1 s by which a
verdict may come after its timeout, of which a thousand timeouts at once take half."""

RELEASED = 8
"""How many of the waiting go on in each round. Source: measured, a portion takes 0.05 to 1 ms."""

BEHIND = 64
"""So many waiting are a backlog and no burst. Source: no reference; eight rounds, 0.1 s of work."""


class Turns:
    """The rounds of one event loop at a time."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began_s = 0.0
        self._counting = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def behind(self) -> bool:
        """Whether there is more to do than can be done just now: checks started on top of it
        would run out of their time by our own fault."""
        return len(self._waiting) > BEHIND and self._loop is asyncio.get_running_loop()

    async def take(self) -> None:
        """Wait for a turn, if this round has lasted long enough."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self.__init__()  # type: ignore[misc]  # what waited for another loop never will
            self._loop = loop
        if not self._counting:
            self._counting, self._began_s = True, loop.time()
            loop.call_soon(self._next_round)
        elif self._waiting or loop.time() - self._began_s > ROUND_S:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn

    def _next_round(self) -> None:
        assert self._loop is not None
        released = 0
        while self._waiting and released < RELEASED:
            turn = self._waiting.popleft()
            if not turn.done():  # else its check was cancelled meanwhile
                turn.set_result(None)
                released += 1
        self._began_s = self._loop.time()
        self._counting = released > 0
        if self._counting:
            self._loop.call_soon(self._next_round)

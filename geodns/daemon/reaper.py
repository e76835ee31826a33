"""Takes out nodes that registered themselves and have been silent for a day."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from geodns.api.agents import Registration
from geodns.errors import GeodnsError

SILENCE_S = 86_400.0
"""Source: the issue that asked for it: a day."""

LOOK_S = 60.0

log = logging.getLogger("geodns.control")


class Reaper:
    """Counts the silence from the last sign of life, or from its own start."""

    def __init__(
        self, registration: Registration, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registration = registration
        self._clock = clock
        self._since_s = clock()

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Remove what has been silent for too long."""
        now_s, heard = self._clock(), self._registration.heard_s
        for node_id in self._registration.leased():
            if now_s - heard.get(node_id, self._since_s) <= SILENCE_S:
                continue
            try:
                await self._registration.remove(node_id, "not heard of for a day")
            except GeodnsError as error:  # a pool names it: the operator must decide
                log.warning("node %s is silent for a day, but stays: %s", node_id, error)
            else:
                log.warning("node %s was not heard of for a day and is removed", node_id)

"""Handing configurations to the publisher, and waiting until they are served."""

from __future__ import annotations

import asyncio
import logging

from geodns.api.ports import Publisher
from geodns.errors import GeodnsError, Reason, Unavailable
from geodns.model.config import Config

log = logging.getLogger("geodns.api")

WAIT_MAX_S = 5.0
"""How long ``?wait=true`` waits for workers. Source: no reference; fifty times the promised 100
ms."""

PUBLISH_MAX_S = 60.0
"""How long it waits for the compiler before. Source: no reference; 100,000 RRsets take 5 s."""


class NotServed(Unavailable):
    """It is saved, but not all workers have shown in time that they serve it."""

    status = 504
    title = "Not served yet"

    @classmethod
    def code(cls) -> str:
        return "not_served"


class NotPublished(Unavailable):
    """It is saved, but publishing was refused: what was served before is served on."""

    title = "Not published"

    @classmethod
    def code(cls) -> str:
        return "not_published"


class Publishing:
    """Calls the publisher in the order of the commits, in the background."""

    def __init__(
        self,
        publisher: Publisher,
        wait_max_s: float = WAIT_MAX_S,
        publish_max_s: float = PUBLISH_MAX_S,
    ) -> None:
        self._publisher = publisher
        self._publish_max_s = publish_max_s
        self._wait_max_s = wait_max_s
        self._last: asyncio.Task[int] | None = None
        self._running: set[asyncio.Task[int]] = set()

    @property
    def generation(self) -> int:
        """The generation published last."""
        return self._publisher.generation

    def start(self, config: Config, forced: str | None) -> None:
        """Publish without waiting; a refusal is logged."""
        task = asyncio.create_task(self._publish(config, forced))
        self._last = task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(_log_failure)

    async def _publish(self, config: Config, forced: str | None) -> int:
        return await self._publisher.publish(config, forced=forced)

    async def wait(self) -> None:
        """Return when all workers serve what was handed over last.

        Errors: NotPublished, NotServed. The change is saved either way.
        """
        task = self._last
        try:
            async with asyncio.timeout(self._publish_max_s):
                generation = await asyncio.shield(task) if task else self._publisher.generation
            if await self._publisher.served(generation, self._wait_max_s):
                return
        except TimeoutError:
            pass
        except GeodnsError as error:
            saved = Reason("", "not_published", "The change is saved, but was not published.")
            raise NotPublished([saved, *error.reasons]) from None
        raise NotServed(
            [
                Reason(
                    "",
                    "not_served",
                    f"The change is saved, but not all workers served it within "
                    f"{self._wait_max_s:g} s.",
                    hint="/readyz tells what is in the way.",
                )
            ]
        )


def _log_failure(task: asyncio.Task[int]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, GeodnsError):
        log.error("a saved change was not published: %s", error)
    elif error is not None:
        log.error("publishing failed unexpectedly", exc_info=error)

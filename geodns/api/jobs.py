"""How far long work is: what its author sees while it waits for the reply."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from geodns.model.override import instant


class Job:
    """One request that takes long: the step it is at, and how much of that is done.

    Shape: ``total`` is None where nobody knows. Told from any thread.
    """

    def __init__(self, actor: str = "", request_id: str = "") -> None:
        self.actor = actor
        self._request_id = request_id
        self._since_ms = time.time_ns() // 1_000_000
        self._state: tuple[str, int, int | None] = ("waiting", 0, None)

    def step(self, what: str, done: int = 0, total: int | None = None) -> None:
        """Now it is this."""
        self._state = what, done, total

    def view(self) -> dict[str, Any]:
        """The job as its author sees it."""
        what, done, total = self._state
        since = instant(self._since_ms)
        told = {"what": what, "done": done, "total": total}
        return {"request_id": self._request_id, "since": since, **told}


NOBODYS = Job()
"""The job of work that is over before anybody could ask."""


class Jobs:
    """All long work that is under way."""

    def __init__(self) -> None:
        self._under_way: dict[int, Job] = {}

    @contextmanager
    def begin(self, actor: str, request_id: str) -> Iterator[Job]:
        """A job for as long as this lasts."""
        job = Job(actor, request_id)
        self._under_way[id(job)] = job
        try:
            yield job
        finally:
            del self._under_way[id(job)]

    def of(self, actor: str) -> list[dict[str, Any]]:
        """The jobs of one token, the oldest first."""
        return [job.view() for job in self._under_way.values() if job.actor == actor]

"""Where the control process talks with the health process, through the supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from geodns.daemon.events import Event, Events, checked
from geodns.daemon.link import Message

ASKED_AT_ONCE = 50
"""Targets in one question. Source: an answer of some 40 kB, well below a socket's buffer."""

PATIENCE_S = 1.0
"""How long health may take to answer. Source: no reference; it answers in milliseconds, and who
asks is told what the status table says in any case."""


class Desk:
    """Questions to the health process, and their answers; fills the API's port `Health`."""

    def __init__(
        self, send: Callable[[Message], None], journal: Path, generation: Callable[[], int]
    ) -> None:
        self._send = send
        self._journal = journal
        self.happenings = Events(journal, generation)
        self.readers = 0
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[list[dict[str, Any]]]] = {}

    async def told(self, targets: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """What health knows of targets; of one alone with its transitions. Empty if it is mute."""
        found: list[dict[str, Any]] = []
        for some in _batches(targets):
            try:
                found += await self._ask(some)
            except TimeoutError:
                break
        return found

    def beat(self, node_id: str, load: float | None) -> None:
        """Hand on a sign of life."""
        self._send({"beat": {"node": node_id, "load": load}})

    def events(self, last: str | None) -> AsyncIterator[Event]:
        """What happens after an event, or from now on."""
        checked(self._journal, last)
        return self._read(last)

    async def _read(self, last: str | None) -> AsyncIterator[Event]:
        self.readers += 1
        try:
            async for event in self.happenings.stream(last):
                yield event
        finally:
            self.readers -= 1

    def push(self, verdict: dict[str, Any]) -> None:
        """Hand on a verdict from outside."""
        self._send({"push": verdict})

    def heard(self, message: Message) -> None:
        """An answer from health."""
        waiting = self._waiting.pop(message.get("id", 0), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.get("targets", []))

    async def _ask(self, targets: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        number = next(self._numbers)
        answer: asyncio.Future[list[dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send({"ask": {"id": number, "targets": [list(each) for each in targets]}})
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        finally:
            self._waiting.pop(number, None)


def _batches(targets: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    return [targets[at : at + ASKED_AT_ONCE] for at in range(0, len(targets), ASKED_AT_ONCE)]

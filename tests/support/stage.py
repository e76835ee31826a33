"""A stage for the watcher: clock, probes and table are in the hands of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from geodns.health.board import Board
from geodns.health.memory import Memory
from geodns.health.monitor import Watcher
from geodns.health.observation import Observation
from geodns.health.targets import Target, Watchlist
from geodns.model.monitor import Monitor
from geodns.snapshot.status import Word

SLOTS = 64
PASS = Observation(True, "HTTP 200", 1.5)
FAIL = Observation(False, "connection refused", None)


class Stage:
    """A watcher with a clock, probes and a table in the hands of the test.

    While ``cut``, every probe is lost, else those of addresses in ``lost``: it fails
    ``lost_after_s`` later.
    """

    def __init__(self, board: Board, memory: Memory | None = None, **options: Any) -> None:
        self.now_s = 1000.0
        self.board = board
        self.results: dict[str, Observation] = {}
        self.hanging: set[str] = set()
        self.stuck: set[int] = set()
        self.started: list[tuple[float, str]] = []
        self.cancelled = 0
        self.cut = False
        self.lost: set[str] = set()
        self.lost_after_s = 0.0
        self.watcher = Watcher(
            board, memory or {}, probe=self._probe, clock=lambda: self.now_s, **options
        )

    def _probe(self, address: str, _monitor: Monitor) -> Any:
        stage = self

        class Scripted:
            async def observe(self) -> Observation:
                stage.started.append((stage.now_s, address))
                call = len(stage.started)
                if (
                    stage.cut or address in stage.lost
                ):  # what is lost stays lost, even when the network is back
                    until_s = stage.now_s + stage.lost_after_s
                    while stage.now_s < until_s:  # noqa: ASYNC110
                        await asyncio.sleep(0)
                    return FAIL
                try:
                    while address in stage.hanging or call in stage.stuck:  # noqa: ASYNC110
                        await asyncio.sleep(0)
                except asyncio.CancelledError:
                    stage.cancelled += 1
                    raise
                result = stage.results.get(address, PASS)
                if result.reason == "raise":
                    raise ZeroDivisionError("a bug")
                return result

        return Scripted()

    async def run(self, seconds: float, tick_s: float = 0.05) -> None:
        for _ in range(round(seconds / tick_s)):
            self.now_s += tick_s
            self.watcher.sweep()
            for _ in range(3):
                await asyncio.sleep(0)

    def load(self, *targets: Target, generation: int = 1, **monitors: Monitor) -> None:
        self.watcher.load(Watchlist(generation, targets, monitors or {"web": web()}))

    def word(self, slot: int = 0, tag: int = 7) -> Word:
        return self.board.word(slot, tag)

    def starts(self, address: str) -> list[float]:
        return [round(at_s, 2) for at_s, who in self.started if who == address]


def web(**fields: Any) -> Monitor:
    return Monitor.model_validate({"type": "http", "interval_s": 1.0} | fields)


def target(slot: int = 0, tag: int = 7, **fields: Any) -> Target:
    body = {"address": f"192.0.2.{slot}", "monitor": "web", "nodes": ["fra1"]}
    return Target.model_validate_json(json.dumps({"slot": slot, "tag": tag} | body | fields))


Play = Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], None]

"""Servers on loopback that behave as they are told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from support.stage import SLOTS, Play, Stage

from geodns.health.board import Board
from geodns.snapshot.status import create_table

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on 127.0.0.1; its port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture(scope="session")
def serve() -> Callable[..., object]:
    return serving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    create_table(tmp_path / "status", SLOTS)
    return Board(tmp_path / "status", writable=True)


@pytest.fixture
def play(board: Board) -> Play:
    def run(scene: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
        async def staged() -> None:
            stage = Stage(board)
            await scene(stage)
            stage.watcher.close()

        asyncio.run(staged())

    return run

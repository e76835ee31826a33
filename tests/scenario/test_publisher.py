"""The publisher with its compile process, and a supervisor that does not play along."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.build import ROME, config, node, zone
from support.server import command_of, parent_of

from geodns.errors import ConfigError, Unavailable
from geodns.model.config import Config
from geodns.snapshot.manifest import NEXT, SNAPSHOT_DIR, Manifest, read_manifest, write_manifest
from geodns.snapshot.publish import Plan, Publisher

Announce = Callable[[int], Awaitable[None]]


def publisher(directory: Path, database: Path, announce: Announce) -> Publisher:
    (directory / SNAPSHOT_DIR).mkdir(exist_ok=True)
    plan = Plan(directory, database, None, slots=64, view_budget=2**20)
    return Publisher(plan, announce, lambda: 0)


def with_text(text: str) -> Config:
    rrsets = {"static": {"TXT": [text]}}
    nodes = {"rom": node(ROME, "192.0.2.1")}
    return config(
        {"example.test": zone({"www": "web"}, rrsets)}, nodes, {"web": {"nodes": ["rom"]}}
    )


def accept(directory: Path) -> None:
    write_manifest(directory, Manifest.decode((directory / NEXT).read_bytes()))


def test_a_generation_accepted_too_late_is_found_and_the_next_one_follows_it(
    tmp_path: Path, default_database: Path
) -> None:
    announced: list[int] = []

    async def announce(generation: int) -> None:
        announced.append(generation)
        accept(tmp_path)
        if generation == 1:
            raise Unavailable("The supervisor does not say whether it accepts.")

    async def run() -> None:
        ours = publisher(tmp_path, default_database, announce)
        try:
            assert await ours.publish(with_text("one")) == 1
            assert await ours.publish(with_text("two")) == 2
            assert await ours.publish(with_text("two")) == 2, "nothing changed"
        finally:
            ours.close()

    asyncio.run(run())
    assert announced == [1, 2]


def test_what_is_refused_for_good_is_told_and_does_not_count(
    tmp_path: Path, default_database: Path
) -> None:
    async def announce(generation: int) -> None:
        raise ConfigError("It contradicts itself.")

    async def run() -> None:
        ours = publisher(tmp_path, default_database, announce)
        try:
            with pytest.raises(ConfigError, match="contradicts"):
                await ours.publish(with_text("one"))
            assert ours.generation == 0
        finally:
            ours.close()

    asyncio.run(run())
    assert read_manifest(tmp_path)[0] is None


def test_a_killed_compile_process_is_replaced_unnoticed(
    tmp_path: Path, default_database: Path
) -> None:
    async def announce(generation: int) -> None:
        accept(tmp_path)

    async def run() -> None:
        ours = publisher(tmp_path, default_database, announce)
        try:
            await ours.publish(with_text("one"))
            os.kill(compile_process(), signal.SIGKILL)
            assert await ours.publish(with_text("two")) == 2
        finally:
            ours.close()

    asyncio.run(run())


def compile_process() -> int:
    mine = map(int, filter(str.isdigit, os.listdir("/proc")))
    ours = (pid for pid in mine if parent_of(pid) == os.getpid())
    return next(pid for pid in ours if b"geodns.snapshot.compiler" in command_of(pid))

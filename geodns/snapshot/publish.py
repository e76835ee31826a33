"""From configurations to generations: coalesced, compiled beside the server, then announced.

Writing is the publisher's part up to ``manifest.next``; whether that becomes the current
manifest is decided by who serves it (`accept` below): never publish worse.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from geodns.errors import GeodnsError, Unavailable
from geodns.model.config import Config
from geodns.snapshot.compile_process import CompileProcess
from geodns.snapshot.manifest import (
    NEXT,
    SNAPSHOT_DIR,
    Manifest,
    read_manifest,
    write_durably,
)
from geodns.snapshot.order import Order, Point
from geodns.snapshot.section import content_hash

COALESCE_S = 0.02
"""Changes this close together become one generation: at most 50 a second."""

log = logging.getLogger("geodns.snapshot")

Announce = Callable[[int], Awaitable[None]]
"""Tell who serves that ``manifest.next`` holds a generation; raises GeodnsError if refused."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays the same from generation to generation."""

    data_dir: Path
    geo_db: Path
    default_location: Point | None
    slots: int
    view_budget: int
    asn_db: Path | None = None


@dataclass(slots=True)
class _Wanted:
    config: Config
    forced: str | None
    done: list[asyncio.Future[int]]


class Publisher:
    """Publishes the newest configuration it was given; one compile at a time."""

    def __init__(self, plan: Plan, announce: Announce, acknowledged: Callable[[], int]) -> None:
        """``acknowledged`` is the oldest generation that any worker may still serve."""
        self._plan = plan
        self._announce = announce
        self._acknowledged = acknowledged
        self._current: Manifest | None = None
        self._take_stock()
        self._wanted: _Wanted | None = None
        self._forced: str | None = None
        """Why a brake was overridden by what has not been accepted yet."""
        self._task: asyncio.Task[None] | None = None
        self._compiler = CompileProcess(plan.data_dir, plan.geo_db, plan.asn_db)

    @property
    def generation(self) -> int:
        """The generation published last; 0 before the first."""
        return self._current.generation if self._current else 0

    async def publish(self, config: Config, *, forced: str | None = None) -> int:
        """The generation that holds ``config`` or what was asked for right after it.

        Errors: GeodnsError when it is refused; what was served before is served on.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._wanted is None:
            self._wanted = _Wanted(config, forced, [done])
        else:
            self._wanted.config = config
            self._wanted.forced = forced or self._wanted.forced
            self._wanted.done.append(done)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await done

    def close(self) -> None:
        """End the compile process."""
        self._compiler.close()

    async def _work(self) -> None:
        while self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._forced = wanted.forced = wanted.forced or self._forced
            try:
                generation = await self._make(wanted)
                self._forced = None
            except Exception as error:
                for done in wanted.done:
                    if not done.done():
                        done.set_exception(_for_people(error))
            else:
                for done in wanted.done:
                    if not done.done():
                        done.set_result(generation)
            await asyncio.sleep(COALESCE_S)

    async def _make(self, wanted: _Wanted) -> int:
        try:
            return await self._try(wanted)
        except GeodnsError:
            # What was refused may have been made from a damaged file, or after a generation
            # that we do not know of because its acceptance came too late.
            if not await asyncio.to_thread(self._take_stock):
                raise
            return await self._try(wanted)

    def _take_stock(self) -> bool:
        """Look at what is on disk; whether it is other than we thought.

        Sections that are lost or damaged are forgotten, so that they are made anew.
        """
        manifest, faults = read_manifest(self._plan.data_dir)
        for fault in faults:
            log.error("%s", fault)
        sound = remove_damaged(self._plan.data_dir)
        if manifest is not None:
            whole = tuple(entry for entry in manifest.sections if entry.hash in sound)
            manifest = replace(manifest, sections=whole)
        changed = manifest != self._current
        self._current = manifest
        return changed

    async def _try(self, wanted: _Wanted) -> int:
        served = self._acknowledged()  # later than ours if somebody put an old manifest there
        order = Order(
            config=wanted.config,
            generation=max(self.generation, served) + 1,
            default_location=self._plan.default_location,
            slots=self._plan.slots,
            view_budget=self._plan.view_budget,
            acknowledged=served,
            forced=wanted.forced,
        )
        made = await self._compiler.compile(order, self._current)
        if (
            self._current is not None
            and made.sections == self._current.sections
            and served <= self.generation
        ):
            return self.generation
        await asyncio.to_thread(write_next, self._plan.data_dir, made)
        await self._announce(made.generation)
        self._current, before = made, self._current
        await asyncio.to_thread(remove_unused, self._plan.data_dir, made, before)
        return made.generation


def write_next(data_dir: Path, manifest: Manifest) -> None:
    """Put a generation where it waits to be judged. Errors: Unavailable."""
    try:
        write_durably(data_dir / NEXT, manifest.encode())
    except OSError as error:
        raise Unavailable(f"Generation cannot be written: {error}.") from None


def remove_damaged(data_dir: Path) -> set[str]:
    """Delete the section files that are not what their names say; the names of the others."""
    sound = set()
    for path in _section_files(data_dir):
        try:
            if content_hash(path.read_bytes()) == path.name:
                sound.add(path.name)
                continue
            path.unlink()
            log.error("section %s was damaged: deleted, to be made anew", path)
        except OSError as error:
            log.error("section %s cannot be read or deleted: %s", path, error)
    return sound


def remove_unused(data_dir: Path, current: Manifest, before: Manifest | None) -> None:
    """Delete the section files that neither of the two good manifests names."""
    kept = {entry.hash for entry in current.sections}
    kept |= {entry.hash for entry in before.sections} if before else set()
    for path in _section_files(data_dir):
        if path.name not in kept:
            with suppress(OSError):  # the next generation's turn
                path.unlink()


def _section_files(data_dir: Path) -> list[Path]:
    """All that is in the directory of sections; nothing if it cannot be read."""
    try:
        return list((data_dir / SNAPSHOT_DIR).iterdir())
    except OSError as error:
        log.error("sections cannot be looked at: %s", error)
        return []


def _for_people(error: Exception) -> GeodnsError:
    if isinstance(error, GeodnsError):
        return error
    log.error("publishing failed", exc_info=error)
    return Unavailable(f"Publishing failed: {type(error).__name__}: {error}.")

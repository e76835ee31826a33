"""The health process: ``python -m geodns.health.process``, run by the supervisor.

The link is a stream of JSON lines (`requests`). In: ``{"generation": N}`` when N was accepted;
``{"push": {"monitor", "node", "address", "state", "lease_s", "reason"}}`` for a verdict from
outside; ``{"beat": {"node", "load"}}`` for a sign of life; ``{"control": true or false}`` when
the control process, through which all of these come, has started or ended; ``{"ask": {"id",
"targets": [[address, monitor], …]}}``. Out: ``{"ready": true, "generation": N}`` once, after the
first verdicts; ``{"heartbeat": true, "generation": N}`` every second that checks are being
started, N being what is watched, and with it ``{"counted": {…}}``; ``{"journal": N}`` when the
journal has new records, N being the next one's number; ``{"told": {"id", "targets": […]}}``.
When the link ends, so does this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from geodns.errors import GeodnsError
from geodns.health import garbage
from geodns.health.aside import aside
from geodns.health.board import Board
from geodns.health.dispatch import IN_FLIGHT_MAX
from geodns.health.floodgate import FloodGate
from geodns.health.journal import FILE_NAME as JOURNAL_FILE
from geodns.health.journal import Journal, open_journal
from geodns.health.memory import Memory, recall, remember
from geodns.health.monitor import Watcher
from geodns.health.probes.local import ApiPorts, Local
from geodns.health.probes.make import ProbeMaker
from geodns.health.requests import Request
from geodns.health.schedule import Ticker
from geodns.health.targets import read_watchlist
from geodns.settings import logs
from geodns.snapshot.drains import FILE_NAME as DRAINS_FILE
from geodns.snapshot.drains import read_drains, stamp_of

STATUS_FILE = "status"

DOORBELL_S = 0.02
"""The journal's new records are told of so often at most. Source: no reference; changes come in
storms."""

HEARTBEAT_S = 1.0
"""Source: no reference; the supervisor's unit of patience."""

FIRST_ROUND_MAX_S = 10.0
"""Ready at the latest so long after the first generation. Source: no reference; serving with
some verdicts unknown (which count as up) beats not serving."""

COALESCE_S = 1.0
"""Verdicts that change within so long share one write. Source: no reference; one fsync a
second at most."""

SAVE_INTERVALS = 5
"""Unchanged verdicts are confirmed on disk so often, so that they are never stale after a
crash. Source: half of STALE_INTERVALS."""

SAVE_MAX_S = 60.0
"""The same for slow monitors. Source: no reference."""

LOOK_AGAIN_S = 1.0
"""How soon a generation that cannot be read, or is not there, is looked for again. Source: no
reference; a disk that comes back is noticed about as soon as a node that falls."""

DRAINS_LOOK_S = 0.25
"""How often the file of drains is looked for. Source: no reference; obeyed within a second."""

SPARE_FILES = 64
"""Descriptors kept for everything but probes. Source: no reference; some 20 are in use."""

log = logging.getLogger("geodns.health")


async def run(data_dir: Path, runtime_dir: Path, link: socket.socket, local: Local) -> None:
    """Watch until SIGTERM or the end of the link.

    Errors: Unavailable when there is no status table.
    """
    await _Process(data_dir, runtime_dir, local).run(link)


class _Process:
    def __init__(self, data_dir: Path, runtime_dir: Path, local: Local) -> None:
        self._data_dir = data_dir
        board = Board(runtime_dir / STATUS_FILE, writable=True)
        self._journal = _journal(runtime_dir)
        self._watcher = Watcher(
            board,
            _recall(data_dir),
            probe=ProbeMaker(local),
            journal=self._journal,
            in_flight_max=_room_for_probes(),
            behind=local.turns.behind,
        )
        self._new_generation = asyncio.Event()
        self._saving = asyncio.Lock()
        self._save_failed = False

    async def run(self, link: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=link)
        terminated = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, terminated.set)
        ticker = Ticker(self._watcher.sweep)
        ticker.start()
        self._new_generation.set()
        listening = asyncio.create_task(self._listen(reader, writer))
        ending = asyncio.create_task(terminated.wait())
        working = asyncio.gather(
            self._follow(),
            self._beat(writer),
            self._announce(writer),
            self._ring(writer),
            self._follow_drains(),
            self._keep(),
        )
        ends: list[asyncio.Future[Any]] = [listening, ending, working]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if working.done():  # only by a bug: the supervisor starts us anew, words stay
                working.result()
            if not listening.done():  # else another process may be writing already
                await self._save()
        finally:
            ticker.stop()
            self._watcher.close()
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the supervisor is gone."""
        with suppress(OSError, ValueError):  # ValueError: a line without end
            while line := await reader.readline():
                try:
                    request = Request.model_validate_json(line)
                except ValueError:
                    log.warning("not understood on the link: %.80r", line)
                else:
                    self._answer(request, writer)

    def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.generation is not None:
            self._new_generation.set()
        if request.control is not None:
            self._watcher.pushable(request.control)
        if request.push is not None:
            self._watcher.push(request.push.push())
        if request.beat is not None:
            self._watcher.overrides.beat(request.beat.node, request.beat.load)
        if request.ask is not None:
            targets = self._watcher.told(request.ask.targets)
            _send(writer, {"told": {"id": request.ask.id, "targets": targets}})

    async def _follow(self) -> None:
        """Load generations as they come; what cannot be read now is tried again."""
        told: object = None
        while True:
            await self._new_generation.wait()
            self._new_generation.clear()
            said = await self._load()
            if said not in (None, told):
                log.error("%s", said)
            told = said
            if self._watcher.generation is None or said is not None:
                asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._new_generation.set)

    async def _load(self) -> str | None:
        """Watch the current generation, if it is newer; what keeps us from reading it."""
        try:
            watchlist, faults = await aside(lambda: read_watchlist(self._data_dir))
        except GeodnsError as error:
            return f"the generation cannot be watched, going on with the last: {error}"
        if watchlist is not None and watchlist.generation > (self._watcher.generation or 0):
            garbage.spare(self._watcher.load(watchlist))
        return "; ".join(map(str, faults)) or None

    async def _follow_drains(self) -> None:
        """Obey the file of drains as it changes; one that is damaged changes nothing."""
        seen: object = None
        while True:
            stamp = stamp_of(self._data_dir / DRAINS_FILE)
            if stamp != seen:
                seen = stamp
                try:
                    self._watcher.overrides.drain(await aside(lambda: read_drains(self._data_dir)))
                except GeodnsError as error:
                    log.error("drains stay as they were: %s", error)
            await asyncio.sleep(DRAINS_LOOK_S)

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while True:
            # Only while sweeps go on: a heart that beats in a stalled process would lie.
            if time.monotonic() - self._watcher.swept_s < 2 * HEARTBEAT_S:
                _send(writer, {"heartbeat": True, "generation": self._watcher.generation})
                _send(writer, {"counted": self._watcher.counts})
            await asyncio.sleep(HEARTBEAT_S)

    async def _announce(self, writer: asyncio.StreamWriter) -> None:
        await self._watcher.loaded.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ROUND_MAX_S):
                await self._watcher.first_round.wait()
        _send(writer, {"ready": True, "generation": self._watcher.generation})

    async def _ring(self, writer: asyncio.StreamWriter) -> None:
        """Tell that the journal has grown. A reader that is behind finds out by the number."""
        told = self._journal.next if self._journal else 0
        while self._journal is not None:
            await asyncio.sleep(DOORBELL_S)
            if self._journal.next != told:
                told = self._journal.next
                _send(writer, {"journal": told})

    async def _keep(self) -> None:
        """Save verdicts when they change, and now and then when they do not."""
        while True:
            every_s = SAVE_INTERVALS * self._watcher.shortest_interval_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(every_s, SAVE_MAX_S)):
                    await self._watcher.changed.wait()
            await asyncio.sleep(COALESCE_S)
            self._watcher.changed.clear()
            await self._save()

    async def _save(self) -> None:
        if self._watcher.generation is None:  # nothing was watched, the file knows more
            return
        verdicts = self._watcher.verdicts()
        try:
            async with self._saving:
                await aside(lambda: remember(self._data_dir, verdicts))
        except OSError as error:
            if not self._save_failed:
                log.error("verdicts cannot be saved, checks go on: %s", error)
            self._save_failed = True
        else:
            self._save_failed = False


def _send(writer: asyncio.StreamWriter, message: dict[str, object]) -> None:
    if writer.transport.get_write_buffer_size() < 65_536:  # else nobody reads
        writer.write(json.dumps(message).encode() + b"\n")


def _recall(data_dir: Path) -> Memory:
    try:
        return recall(data_dir)
    except GeodnsError as error:
        log.error("%s", error)
        return {}


def _journal(runtime_dir: Path) -> Journal | None:
    """Where changes are written down; checks go on without."""
    try:
        return open_journal(runtime_dir / JOURNAL_FILE)
    except GeodnsError as error:
        log.error("%s", error)
        return None


def _room_for_probes() -> int:
    """How many probes may be under way, once as many files as allowed are asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IN_FLIGHT_MAX + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(IN_FLIGHT_MAX, soft - SPARE_FILES))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 told to end, 2 bad arguments, 4 no status table."""
    parser = argparse.ArgumentParser(prog="geodns.health.process")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--link-fd", type=int, required=True)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--log-format", default=logs.FORMATS[0], choices=logs.FORMATS)
    parser.add_argument("--scripts-dir", type=Path)
    options = parser.parse_args(arguments)
    logs.set_up("health", options.log_level, options.log_format, [FloodGate()])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor to pass on
    try:
        link = socket.socket(fileno=options.link_fd)
    except OSError as error:
        parser.error(f"--link-fd {options.link_fd} is not a socket: {error}")
    try:
        local = Local(options.scripts_dir, ApiPorts(options.data_dir))
        asyncio.run(run(options.data_dir, options.runtime_dir, link, local))
    except GeodnsError as error:
        log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

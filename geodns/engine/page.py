"""A worker's page: what one worker shows the others, in shared memory.

Layout: 64-bit words: magic, pid, generation served, heartbeat (monotonic nanoseconds), then
the counters in the order of COUNTERS; from words 64 and 128 on the same counters as the native
engine's two threads raise them. Each word has one writer; the worker's successor counts on.
"""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from geodns.errors import Unavailable

MAGIC = int.from_bytes(b"GEODNSW1", "little")
PAGE_HEAD = MAGIC.to_bytes(8, "little")
PAGE_SIZE = 4096
_PID, _GENERATION, _HEARTBEAT, _COUNTERS = 1, 2, 3, 4
_NATIVE = (64, 128)
_BLOCKS = (_COUNTERS, *_NATIVE)

RCODES = ("noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "other")
COUNTERS = ("udp", "tcp", "dropped", "truncated", *RCODES, "tcp_open", "tcp_closed")
"""Queries by transport, those not answered, replies by what they said, connections."""

_RCODE_AT = _COUNTERS + COUNTERS.index("noerror")
_INDEX = {name: _COUNTERS + number for number, name in enumerate(COUNTERS)}


class WorkerPage:
    """One page, mapped. A reader sees whole words, not necessarily of one instant."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Errors: Unavailable when the page cannot be made or is not one."""
        try:
            if create:
                # Never truncated: another process may be reading the page we take over.
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
                os.posix_fallocate(descriptor, 0, PAGE_SIZE)
                os.close(descriptor)
            with path.open("r+b" if create else "rb") as file:
                access = mmap.ACCESS_WRITE if create else mmap.ACCESS_READ
                self._map = mmap.mmap(file.fileno(), PAGE_SIZE, access=access)
        except (OSError, ValueError) as error:
            raise Unavailable(f"Worker page {path} cannot be mapped: {error}.") from None
        self._words = memoryview(self._map).cast("Q")
        if create:
            self._words[0] = MAGIC
        elif self._words[0] != MAGIC:
            raise Unavailable(f"{path} is not a worker's page.")

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._words[_PID]

    @property
    def generation(self) -> int:
        """The generation this worker serves; 0 before its first."""
        return self._words[_GENERATION]

    def age_s(self) -> float:
        """Seconds since the worker last showed that it is alive."""
        return (time.monotonic_ns() - self._words[_HEARTBEAT]) / 1e9

    def counters(self) -> dict[str, int]:
        """All counters by name."""
        words = self._words
        return {
            name: sum(words[block + number] for block in _BLOCKS)
            for number, name in enumerate(COUNTERS)
        }

    def native_counters(self) -> list[memoryview]:
        """The counters that the native engine's threads raise, for UDP and for TCP."""
        return [self._words[at : at + len(COUNTERS)] for at in _NATIVE]

    def claim(self, pid: int) -> None:
        """Take the page for a worker that starts."""
        self._words[_PID] = pid
        self._words[_GENERATION] = 0
        opened, closed = COUNTERS.index("tcp_open"), COUNTERS.index("tcp_closed")
        for block in _BLOCKS:  # what a predecessor that was killed had open is closed
            self._words[block + closed] = self._words[block + opened]
        self.beat()

    def beat(self) -> None:
        """Show that the worker is alive."""
        self._words[_HEARTBEAT] = time.monotonic_ns()

    def acknowledge(self, generation: int) -> None:
        """Show which generation every further reply comes from."""
        self._words[_GENERATION] = generation

    def add(self, name: str, count: int = 1) -> None:
        """Raise a counter."""
        self._words[_INDEX[name]] += count

    def count_reply(self, transport: str, reply: bytes | None) -> None:
        """Count one query and what became of it."""
        words = self._words
        words[_INDEX[transport]] += 1
        if reply is None:
            words[_INDEX["dropped"]] += 1
            return
        words[_RCODE_AT + min(reply[3] & 15, 6)] += 1
        if reply[2] & 2:  # TC
            words[_INDEX["truncated"]] += 1

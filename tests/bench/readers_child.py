"""Many readers of an API: ``python -m tests.bench.readers_child PORT TOKEN READERS STREAMS``.

Opens all streams of events and keeps a connection for each reader, says so with a line, then has
every reader ask twice every ten seconds, at times of its own, from a line on stdin to the next.
When stdin ends it tells what came of it, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter

PATHS = ("/api/v1/nodes/n1", "/api/v1/pools/web", "/api/v1/zones/example.test", "/readyz")
EVERY_S = 5.0
PATIENCE_S = 30.0


class Readers:
    """All of them, in one loop."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._at_work = asyncio.Event()
        self._slept_s = random.Random(1)
        self.done: Counter[str] = Counter()

    async def run(self, readers: int, streams: int) -> None:
        """Obey stdin until it ends."""
        tasks = []
        for number in range(streams + readers):
            connected = await asyncio.open_connection("127.0.0.1", self._port)
            if number < streams:
                await self._begin_stream(*connected)
                tasks.append(asyncio.create_task(self._follow(*connected)))
            else:
                tasks.append(asyncio.create_task(self._read(*connected)))
        sys.stdout.write("open\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            if self._at_work.is_set():
                self._at_work.clear()
            else:
                self._at_work.set()
        for task in tasks:
            task.cancel()

    async def _begin_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(f"GET /api/v1/events HTTP/1.1\r\n{self._head}".encode())
        status = await reader.readline()
        self.done["streams" if b" 200 " in status else "streams refused"] += 1

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert not writer.is_closing()  # held, or the stream would be closed
        while line := await reader.readline():
            self.done["events"] += line.startswith(b"event: ")
        self.done["streams ended"] += 1

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(self._slept_s.uniform(0, 2 * EVERY_S))
            await self._at_work.wait()
            path = self._slept_s.choice(PATHS)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
                async with asyncio.timeout(PATIENCE_S):
                    status = await _reply(reader)
                self.done["read" if status == 200 else f"status {status}"] += 1
            except (OSError, EOFError, TimeoutError):
                self.done["connections ended"] += 1
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)


async def _reply(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
    return int(head.split()[1])


if __name__ == "__main__":
    port, token, readers, streams = sys.argv[1:]
    crowd = Readers(int(port), token)
    asyncio.run(crowd.run(int(readers), int(streams)))
    sys.stdout.write(json.dumps(crowd.done) + "\n")
    sys.stdout.flush()

"""Whether a TCP port accepts a connection."""

from __future__ import annotations

import asyncio
import time

from geodns.health.observation import Observation, failure, words_of
from geodns.model.monitor import Monitor


class TcpProbe:
    """Connects and hangs up; what the other side sends is not read."""

    def __init__(self, address: str, monitor: Monitor) -> None:
        self._address = address
        self._port = monitor.port_or_default()
        self._timeout_s = monitor.timeout_s

    async def observe(self) -> Observation:
        """Passed when the connection stands within the monitor's timeout."""
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connect()
        except TimeoutError:
            return failure(f"no connection in {self._timeout_s:g} s")
        except OSError as error:
            return failure(words_of(error))
        return Observation(True, "connected", (time.monotonic() - started_s) * 1000)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, self._address, self._port)
        transport.abort()

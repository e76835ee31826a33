"""Whether a TCP port accepts a connection, and says what is expected."""

from __future__ import annotations

from contextlib import closing

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Progress, bounded
from geodns.health.probes.content import Body, Content
from geodns.health.probes.line import Line
from geodns.health.probes.local import Local
from geodns.model.monitor import Monitor


class TcpProbe:
    """Connects, sends what there is to send, and reads until it has seen what is expected."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local
        self._content = Content(monitor.expect)

    async def observe(self) -> Observation:
        """Passed when the connection stands and what is expected has come."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        with closing(Line(self._local.turns)) as line:
            await line.connect(self._local, self._address, self._monitor.port_or_default())
            if self._monitor.payload:
                progress.missing = "not all could be sent"
                await line.send(self._monitor.payload)
            if not self._content:
                return Finding(True, "connected")
            return await self._read(line, progress)

    async def _read(self, line: Line, progress: Progress) -> Finding:
        body = Body(self._content)
        progress.missing = "no reply"
        while piece := await line.receive():
            settled = body.feed(piece)
            progress.missing = f"the reply lacks {body.missing}"
            if settled:
                break
        else:
            body.whole()
        if body.missing:
            return Finding(False, f"the reply lacks {body.missing}")
        return Finding(True, "replied as expected")

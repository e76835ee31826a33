"""Whether a UDP service replies, and to what it says."""

from __future__ import annotations

from contextlib import closing

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Progress, bounded
from geodns.health.probes.content import Content
from geodns.health.probes.datagrams import Datagrams
from geodns.health.probes.local import Local
from geodns.model.expect import BODY_MAX_BYTES
from geodns.model.monitor import Monitor


class UdpProbe:
    """Sends one datagram and judges the first that comes back."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local
        self._content = Content(monitor.expect)

    async def observe(self) -> Observation:
        """Passed when a reply with what is expected has come."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        with closing(Datagrams(self._local)) as datagrams:
            progress.missing = "no reply"
            await datagrams.connect(self._address, self._monitor.port_or_default())
            datagrams.send(self._monitor.payload)
            missing = self._content.missing(await datagrams.receive(BODY_MAX_BYTES))
        if missing:
            return Finding(False, f"the reply lacks {missing}")
        return Finding(True, "replied as expected" if self._content else "replied")

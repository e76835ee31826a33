"""Whether a name server answers a question as it should."""

from __future__ import annotations

import random
from contextlib import closing

from geodns.dns.check import REPLY_MAX_OCTETS, NotAReply, Question, Said
from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Misbehaviour, Progress, bounded
from geodns.health.probes.datagrams import Datagrams
from geodns.health.probes.line import Line
from geodns.health.probes.local import Local
from geodns.model.monitor import Monitor

SHOWN_ANSWERS = 4
"""Source: no reference; as many as fit a line."""


class DnsProbe:
    """Asks by UDP, and by TCP if the reply was truncated (RFC 7766 §5)."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local
        self._port = monitor.port_or_default()
        self._question = Question(monitor.query or ".", monitor.expect.answer)

    async def observe(self) -> Observation:
        """Passed when response code and answer are as expected."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        progress.missing = "no reply"
        # RFC 5452 §9.2: an ID that cannot be guessed; the port is the system's random choice.
        number = random.SystemRandom().getrandbits(16)
        try:
            said = await self._by_udp(number)
            if said.truncated:
                progress.missing = "truncated, and no reply by TCP"
                said = await self._by_tcp(number)
        except NotAReply as error:
            raise Misbehaviour(str(error)) from None
        return self._judged(said)

    async def _by_udp(self, number: int) -> Said:
        with closing(Datagrams(self._local)) as datagrams:
            await datagrams.connect(self._address, self._port)
            datagrams.send(self._question.octets(number))
            return self._question.read(number, await datagrams.receive(REPLY_MAX_OCTETS))

    async def _by_tcp(self, number: int) -> Said:
        with closing(Line(self._local.turns)) as line:
            await line.connect(self._local, self._address, self._port)
            query = self._question.octets(number)
            await line.send(len(query).to_bytes(2, "big") + query)
            octets = bytearray()
            while len(octets) < 2 or len(octets) < _announced(octets):
                piece = await line.receive()
                if not piece:
                    raise NotAReply("connection closed before the reply was whole")
                octets += piece
            return self._question.read(number, bytes(octets[2 : _announced(octets)]))

    def _judged(self, said: Said) -> Finding:
        expect = self._monitor.expect
        if said.rcode != expect.rcode:
            return Finding(False, f"{said.rcode}, wanted {expect.rcode}")
        wanted = self._question.wanted
        if wanted is not None and wanted not in said.answers:
            shown = ", ".join(said.answers[:SHOWN_ANSWERS]) or "nothing"
            return Finding(False, f"{said.rcode}, but the answer is {shown}, wanted {wanted}")
        return Finding(True, said.rcode)


def _announced(octets: bytearray) -> int:
    """How long the message is with its length before it (RFC 1035 §4.2.2), as far as it is
    read."""
    return 2 + min(int.from_bytes(octets[:2], "big"), REPLY_MAX_OCTETS)

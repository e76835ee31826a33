"""Whether a machine answers an echo request (RFC 792, RFC 4443 §4.1).

By Linux's ping sockets, which need no privilege but the group's: the kernel sees to identifier
and checksum and hands over only replies to this socket.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import closing

from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Progress, bounded
from geodns.health.probes.datagrams import Datagrams
from geodns.health.probes.local import Local, Unable
from geodns.model.monitor import Monitor

_REQUEST4, _REPLY4 = 8, 0
_REQUEST6, _REPLY6 = 128, 129
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
_NONCE_OCTETS = 16


class IcmpProbe:
    """Sends one echo request."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local

    async def observe(self) -> Observation:
        """Passed when the reply with our octets has come."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        progress.missing = "no reply"
        address = await self._local.admitted(self._address, 0)
        six = ":" in address
        request, reply = (_REQUEST6, _REPLY6) if six else (_REQUEST4, _REPLY4)
        protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
        nonce = os.urandom(_NONCE_OCTETS)
        with closing(Datagrams(self._local)) as datagrams:
            try:
                datagrams.open(address, 0, protocol)
            except PermissionError:
                raise Unable(_not_allowed()) from None
            datagrams.send(_HEADER.pack(request, 0, 0, 0, 1) + nonce)
            while True:
                octets = await datagrams.receive(1024)
                if octets[:1] == bytes([reply]) and octets[_HEADER.size :] == nonce:
                    return Finding(True, "echo reply")


def _not_allowed() -> str:
    group = os.getegid()
    return (
        f"ICMP is not allowed to group {group}: "
        f"sysctl -w net.ipv4.ping_group_range='{group} {group}' (IPv6 too)"
    )

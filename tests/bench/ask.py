"""Asking one server the same question very often: packets by hand, because polls are frequent."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network

POLL_S = 0.001
"""Pause between two questions while waiting for a change."""

PATIENCE_S = 0.2
"""A reply that takes longer is given up; the question is asked again."""


def query(name: str, subnet: str | None = None) -> bytes:
    """A question for A with EDNS, and with the client's subnet if one is given."""
    labels = [label.encode() for label in name.strip(".").split(".")]
    qname = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    option = b""
    if subnet is not None:
        network = ip_network(subnet)
        octets = network.network_address.packed[: (network.prefixlen + 7) // 8]
        option = struct.pack(">HHHBB", 8, 4 + len(octets), 1, network.prefixlen, 0) + octets
    header = struct.pack(">HHHHHH", 0x1234, 0, 1, 0, 0, 1)
    opt = struct.pack(">BHHIH", 0, 41, 1232, 0, len(option))
    return header + qname + struct.pack(">HH", 1, 1) + opt + option


class Asker:
    """One question to one server, over one socket."""

    def __init__(self, endpoint: tuple[str, int], name: str, subnet: str | None = None) -> None:
        self._packet = query(name, subnet)
        self._answer_at = 12 + len(name.strip(".")) + 2 + 4 + 12
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(endpoint)
        self._socket.settimeout(PATIENCE_S)

    def address(self) -> str | None:
        """The first A record of the answer; None for no answer, or one without."""
        try:
            self._socket.send(self._packet)
            reply = self._socket.recv(2048)
        except OSError:  # no reply in time, or nobody listens yet
            return None
        at = self._answer_at
        if reply[3] & 15 or not reply[7] or reply[at - 10 : at - 8] != b"\0\1":
            return None
        return str(ip_address(reply[at : at + 4]))

    def until(self, wanted: Callable[[str | None], bool], timeout_s: float = 10.0) -> float:
        """Ask until the answer is as wanted; returns when that reply had come.

        Units: seconds of time.monotonic(). Errors: TimeoutError.
        """
        end_s = time.monotonic() + timeout_s
        while True:
            address = self.address()
            now_s = time.monotonic()
            if wanted(address):
                return now_s
            if now_s > end_s:
                raise TimeoutError(f"the answer is still {address}")
            time.sleep(POLL_S)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

"""Queries at a steady pace, whatever becomes of the server meanwhile."""

from __future__ import annotations

import socket
import threading
import time
from itertools import pairwise

import dns.message

from support.server import Server


class Load:
    """Queries at a steady pace from one socket; which of them were answered, and when."""

    def __init__(self, server: Server, pace_s: float = 0.001) -> None:
        self._target = ("127.0.0.1", server.dns_port)
        self._pace_s = pace_s
        self._wire = dns.message.make_query("static.example.test", "TXT").to_wire()[2:]
        self.sent_s: dict[int, float] = {}
        self.got_s: dict[int, float] = {}
        self._stop = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.2)
        self._threads = [threading.Thread(target=run) for run in (self._send, self._receive)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    @property
    def lost(self) -> int:
        return len(self.sent_s) - len(self.got_s)

    def longest_gap_s(self) -> float:
        """The longest time without any reply."""
        times = sorted(self.got_s.values())
        return max(later - earlier for earlier, later in pairwise(times))

    def _send(self) -> None:
        for number in range(65_536):
            if self._stop.wait(self._pace_s):
                return
            self.sent_s[number] = time.monotonic()
            self._socket.sendto(number.to_bytes(2, "big") + self._wire, self._target)

    def _receive(self) -> None:
        while not self._stop.is_set() or self.lost:
            try:
                reply = self._socket.recv(4096)
            except TimeoutError:
                if self._stop.is_set():
                    return
            else:
                self.got_s[int.from_bytes(reply[:2], "big")] = time.monotonic()

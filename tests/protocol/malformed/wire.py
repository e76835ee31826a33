"""A packet to a real server, and what comes back; or silence, which takes patience to see."""

from __future__ import annotations

import socket
from contextlib import suppress

from .octets import query

HOST = "127.0.0.1"
PATIENCE_S = 2.0
CONTROL_ID = b"\xab\xcd"
CONTROL = CONTROL_ID + query()[2:]
"""A plain query of another ID: a server that answers it is alive."""

GRACE_S = 0.15
"""How long a reply may come after the one to a later query. Source: no reference; servers with
one thread answer in order, BIND nearly."""


class Dead(Exception):
    """The server answers nothing any more."""


def ask_udp(port: int, packet: bytes, grace_s: float = GRACE_S) -> bytes | None:
    """The reply; None for silence, which a later query's reply proves. Errors: Dead."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect((HOST, port))
        sock.send(packet)
        sock.send(CONTROL)
        replies: list[bytes] = []
        while not any(reply[:2] == CONTROL_ID for reply in replies):
            try:
                replies.append(sock.recv(65_535))
            except OSError as error:
                raise Dead from error
        with suppress(TimeoutError, BlockingIOError):
            if len(replies) == 1:
                sock.settimeout(grace_s)
                replies.append(sock.recv(65_535))
        return next((reply for reply in replies if reply[:2] != CONTROL_ID), None)


def ask_tcp(port: int, packet: bytes) -> bytes | None:
    """The reply; None for silence or a connection closed without one. Errors: Dead."""
    try:
        with socket.create_connection((HOST, port), PATIENCE_S) as sock:
            sock.sendall(_framed(packet) + _framed(CONTROL))
            with suppress(OSError, EOFError):
                first = _read_message(sock)
                if first[:2] != CONTROL_ID:
                    return first
    except OSError as error:
        raise Dead from error
    if not serves(port):
        raise Dead
    return None


def serves(port: int) -> bool:
    """Whether the control query brings its answer."""
    try:
        with socket.create_connection((HOST, port), PATIENCE_S) as sock:
            sock.sendall(_framed(CONTROL))
            reply = _read_message(sock)
    except (OSError, EOFError):
        return False
    return reply[:2] == CONTROL_ID and reply[3] & 15 == 0


def _framed(packet: bytes) -> bytes:
    return len(packet).to_bytes(2, "big") + packet


def _read_message(sock: socket.socket) -> bytes:
    return _read(sock, int.from_bytes(_read(sock, 2), "big"))


def _read(sock: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = sock.recv(size - len(octets))
        if not more:
            raise EOFError
        octets += more
    return octets

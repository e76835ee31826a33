"""A link between the supervisor and one of its processes: lines of JSON, both ways."""

from __future__ import annotations

import json
import socket
from typing import Any

LINE_MAX = 1 << 20
"""Octets of one line. Source: no reference; messages are a few hundred octets."""

Message = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends; ours does not block, the child's is its own affair."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    return ours, theirs


class LineReader:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> list[Message]:
        """The messages that are whole now. A line that is no JSON object is passed over."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        self._rest = self._rest[-LINE_MAX:]
        return [message for line in lines if (message := _message(line)) is not None]


def _message(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def line(message: Message) -> bytes:
    """A message as it travels."""
    return json.dumps(message).encode() + b"\n"

"""HTTP and HTTPS probes: what they ask and how a reply is judged, whatever carries it.

Every check opens its own connection, as the next user would: a server that keeps old
connections alive but accepts no new ones is down, and no stale connection can cry wolf.
Redirects are not followed: the status says that there was one, and a healthy node's page
answers for itself. So no reply can send a probe anywhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from geodns import __version__
from geodns.health.probes.bounded import Finding, Misbehaviour
from geodns.health.probes.content import Body, Content
from geodns.model.monitor import DEFAULT_PORT, Monitor

HEAD_MAX_OCTETS = 32_768
"""How long the head of a reply may be, interim replies included. Source: nginx sends and takes
8 times 4 or 8 kB at most; with 25 octets a line, reading it costs 20 ms of CPU."""

BODY_RAW_MAX_OCTETS = 2 * 65_536
"""How much is read of a body that is looked through, framing included. Source: no reference;
64 kB in chunks of 10 octets and more."""

PIECES_MAX = 1024
"""How many chunks a body may come in. Source: no reference; 64 kB in chunks of 64 octets, some
20 ms of CPU."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, the same at every check."""

    method: str
    target: bytes
    headers: tuple[tuple[str, str], ...]


def request_of(address: str, monitor: Monitor) -> Request:
    """The request for a monitor at an address: the node's own, for the service's name."""
    return Request(
        monitor.method,
        monitor.path.encode("ascii"),  # as written, not normalised
        tuple(_headers(address, monitor).items()),
    )


class Pieces(Protocol):
    """A reply's body as it comes in."""

    async def next(self) -> bytes:
        """The next piece, not decompressed; empty at the end."""


class Judge:
    """Judges replies by a monitor's expectations."""

    def __init__(self, monitor: Monitor) -> None:
        self._expect = monitor.expect
        self.content = Content(monitor.expect)

    def by_status(self, status: int) -> Finding | None:
        """What is found already without the body; None if that must be seen."""
        if not self._expect.status_matches(status):
            wanted = ", ".join(self._expect.status)
            return Finding(False, f"HTTP {status}, wanted {wanted}")
        if self.content and status == 101:
            return Finding(False, "HTTP 101, after which comes another protocol")
        return None if self.content else Finding(True, f"HTTP {status}")

    async def by_body(self, status: int, pieces: Pieces) -> Finding:
        """What the first 64 kB of the body show."""
        body, count = Body(self.content), 0
        while piece := await pieces.next():
            count += 1
            if body.feed(piece) or count >= PIECES_MAX:
                break
        body.whole()
        return self.found(status, body)

    def found(self, status: int, body: Body) -> Finding:
        """What a body that has been looked through says."""
        if body.missing:
            return Finding(False, f"HTTP {status}, but its body lacks {body.missing}")
        return Finding(True, f"HTTP {status}")


def waiting_for_body(status: int) -> str:
    """What is missing when time runs out now."""
    return f"HTTP {status}, but no whole body"


def protocol_words(text: str) -> str:
    """h11's complaint in the operator's words."""
    if "without sending a response" in text or "without sending complete" in text:
        return "connection closed before the reply was whole"
    return f"not HTTP: {text}"


def too_long() -> Misbehaviour:
    """A head that does not end."""
    return Misbehaviour(f"not HTTP: the head of the reply has over {HEAD_MAX_OCTETS} octets")


def _headers(address: str, monitor: Monitor) -> dict[str, str]:
    """The monitor's fields over ours. RFC 9110 §7.2: Host carries a port that is not the
    scheme's own."""
    host = monitor.host or (f"[{address}]" if ":" in address else address)
    if not re.fullmatch(r"[\x21-\x7e]+", host):  # a name of odd octets, which no field can hold
        host = "invalid"
    port = monitor.port_or_default()
    ours = {
        "host": host if port == DEFAULT_PORT[monitor.type] else f"{host}:{port}",
        "user-agent": f"geodns/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    return ours | {name.lower(): value for name, value in monitor.headers.items()}

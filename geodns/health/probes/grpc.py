"""Whether a gRPC server says SERVING: grpc.health.v1.Health/Check over HTTP/2.

By the library h2, an optional dependency; the two messages are a field each and written here.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from geodns import __version__
from geodns.health.observation import Observation
from geodns.health.probes.bounded import Finding, Misbehaviour, Progress, bounded, expiry
from geodns.health.probes.line import Line
from geodns.health.probes.local import Local, Unable
from geodns.health.probes.tls import context_of
from geodns.model.monitor import Monitor

PATH = "/grpc.health.v1.Health/Check"
REPLY_MAX_OCTETS = 32_768
"""How much is read in all. Source: no reference; a reply takes some 200, the settings of a
server some 100; 3,600 empty frames take 0.1 s of CPU."""

PORTION_OCTETS = 2048
"""How much of it in a turn. Source: no reference; 6 ms of empty frames."""

STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
"""HealthCheckResponse.ServingStatus of the gRPC health checking protocol."""

CODES = {"5": "unknown service", "12": "it has no health service", "14": "unavailable"}
"""The gRPC status codes that a health check meets, in words."""

NO_LIBRARY = "gRPC checks need h2: pip install 'geodns[grpc]'"


class GrpcProbe:
    """Asks for the state of a service, or of the whole server."""

    def __init__(self, address: str, monitor: Monitor, local: Local) -> None:
        self._address = address
        self._monitor = monitor
        self._local = local
        self._port = monitor.port_or_default()

    async def observe(self) -> Observation:
        """Passed when the state is SERVING."""
        return await bounded(self._monitor, self._look)

    async def _look(self, progress: Progress) -> Finding:
        with closing(Line(self._local.turns)) as line:
            await line.connect(self._local, self._address, self._port)
            if self._monitor.tls:
                progress.missing = "no TLS handshake"
                context = context_of(self._monitor.verify, self._monitor.ca, "h2")
                await line.handshake(context, self._monitor.host)
            progress.missing = "no reply"
            reply = await _call(line, self._headers(), _request(self._monitor.service))
            found = _judged(reply)
            if not found.passed:
                return found
            return Finding(True, found.reason, *expiry(line.tls))

    def _headers(self) -> list[tuple[str, str]]:
        host = f"[{self._address}]" if ":" in self._address else self._address
        return [
            (":method", "POST"),
            (":scheme", "https" if self._monitor.tls else "http"),
            (":path", PATH),
            (":authority", f"{self._monitor.host or host}:{self._port}"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", f"geodns/{__version__}"),
        ]


class _Reply:
    """What has come of the reply: header fields, trailers among them, and the message."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.octets = bytearray()
        self.ended = False

    def take(self, event: Any) -> None:
        """Take an event of h2's; those of other subjects say nothing."""
        import h2.events

        if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            self.fields |= {_text(name): _text(value) for name, value in event.headers or ()}
        elif isinstance(event, h2.events.DataReceived):
            self.octets += event.data or b""
        elif isinstance(event, h2.events.StreamEnded):
            self.ended = True
        elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
            raise Misbehaviour(f"HTTP/2: ended with error code {event.error_code}")


async def _call(line: Line, headers: list[tuple[str, str]], message: bytes) -> _Reply:
    try:
        import h2.connection
        import h2.exceptions
    except ImportError:
        raise Unable(NO_LIBRARY) from None
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    connection.send_headers(1, headers)
    connection.send_data(1, message, end_stream=True)
    reply, left = _Reply(), REPLY_MAX_OCTETS
    while not reply.ended:
        await line.send(connection.data_to_send())
        octets = await line.receive(min(PORTION_OCTETS, left))
        left -= len(octets)
        if not octets:
            raise Misbehaviour("connection closed before the reply was whole")
        if octets.startswith(b"HTTP/1."):
            raise Misbehaviour("not HTTP/2: HTTP/1 is spoken here")
        try:
            events = connection.receive_data(octets)
        except h2.exceptions.ProtocolError as error:
            raise Misbehaviour(f"not HTTP/2: {error}") from None
        for event in events:
            reply.take(event)
        if left <= 0:
            raise Misbehaviour(f"the reply has over {REPLY_MAX_OCTETS} octets")
    return reply


def _judged(reply: _Reply) -> Finding:
    status = reply.fields.get(":status", "")
    if status != "200":
        return Finding(False, f"HTTP {status}, wanted 200")
    code = reply.fields.get("grpc-status", "")
    if code != "0":
        words = CODES.get(code, reply.fields.get("grpc-message", ""))
        return Finding(False, f"gRPC status {code or 'missing'}{': ' if words else ''}{words}")
    state = _state(bytes(reply.octets))
    name = STATES[state] if state < len(STATES) else f"state {state}"
    return Finding(name == "SERVING", name)


def _request(service: str) -> bytes:
    """HealthCheckRequest with its field 1, in a gRPC frame. ``service`` is at most 255 octets."""
    octets = service.encode()
    message = b"\x0a" + _varint(len(octets)) + octets if octets else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def _state(frame: bytes) -> int:
    """Field 1 of the HealthCheckResponse in a gRPC frame; 0, UNKNOWN, if it is not there."""
    message = frame[5 : 5 + int.from_bytes(frame[1:5], "big")]
    if frame[:1] == b"\x01":
        raise Misbehaviour("the reply is compressed, which was not asked for")
    if not message:
        return 0
    # The protocol has this one field: tag 1, a varint, whose known values are below 128.
    if message[0] != 0x08 or len(message) < 2:
        raise Misbehaviour("the reply is no HealthCheckResponse")
    return message[1]


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])


def _text(octets: bytes | str) -> str:
    return octets if isinstance(octets, str) else octets.decode("latin-1")

"""The native engine's part in a worker: UDP is served by a thread of its own, without Python.

The worker keeps what is rare: TCP, the link, the heartbeat, and debug names, which the thread
hands over as questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geodns.engine.page import WorkerPage
from geodns.engine.sockets import Listener
from geodns.errors import ConfigError, Unavailable
from geodns.snapshot.section import VERSIONS, Kind
from geodns.snapshot.status import StatusTable

if TYPE_CHECKING:
    from geodns._native import Around, Question, UdpServer

Sections = Sequence[tuple[int, str, memoryview]]
"""Kind, name and memory of each section of a generation."""

QUESTIONS_BURST = 16
"""Questions answered before other sockets get their turn."""


def is_built() -> bool:
    """Whether this installation has the native engine."""
    try:
        import geodns._native  # noqa: F401
    except ImportError:
        return False
    return True


def reads_snapshots() -> bool:
    """Whether the native engine that is built here reads snapshots as they are written now."""
    import geodns._native

    return getattr(geodns._native, "SNAPSHOT_VERSION", 1) == VERSIONS[Kind.VIEW]


class NativeUdp:
    """The UDP sockets of one worker, served by the native engine."""

    def __init__(
        self, listeners: Sequence[Listener], status: StatusTable, page: WorkerPage, around: Around
    ) -> None:
        self._sockets = [(listener.udp.fileno(), listener.wildcard) for listener in listeners]
        self._words = status.words
        self._counters = page.native_counters
        self._around = around
        self._server: UdpServer | None = None
        self._pulse = -1

    def load(self, sections: Sections) -> None:
        """Serve a generation from now on, and start with it.

        Errors: ConfigError when it must not be served; Unavailable when it is not taken.
        """
        try:
            if self._server is None:
                self._start(sections)
            else:
                self._server.load(sections)
        except ValueError as error:
            raise ConfigError(f"The native engine refuses the generation: {error}") from None
        except OSError as error:
            raise Unavailable(f"The native engine does not take the generation: {error}") from None

    def start(self) -> int:
        """Serve, if it does not yet; returns a descriptor that is readable when there are
        questions to take."""
        return (self._server or self._start(None)).fileno()

    def is_well(self) -> bool:
        """Whether the thread has shown life since this was last asked."""
        before = self._pulse
        self._pulse = self._server.pulse() if self._server else before
        return self._pulse != before

    def take(self) -> Question | None:
        """A question for the reference engine; None if there is none left."""
        return self._server.take() if self._server else None

    def answer(self, question: Question, reply: bytes) -> None:
        """Send the reply to a question."""
        if self._server is not None:
            self._server.answer(question, reply)

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _start(self, sections: Sections | None) -> UdpServer:
        from geodns._native import UdpServer

        self._server = UdpServer(self._sockets, self._words, self._counters, self._around, sections)
        return self._server

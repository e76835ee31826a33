"""The native engine's part in a worker: threads of its own serve DNS, without Python.

The worker keeps what is rare: the link, the heartbeat, and debug names, which the threads hand
over as questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from geodns.engine.page import WorkerPage
from geodns.engine.sockets import Listener
from geodns.engine.tally import Tally
from geodns.engine.tcp import CONNECTIONS_MAX, IDLE_S
from geodns.errors import ConfigError, Unavailable
from geodns.snapshot.section import VERSIONS, Kind
from geodns.snapshot.status import StatusTable

if TYPE_CHECKING:
    from geodns._native import Around, Question, Server

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


class NativeServer:
    """The sockets of one worker, served by the native engine."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        status: StatusTable,
        page: WorkerPage,
        around: Around,
        tally: Tally | None = None,
    ) -> None:
        """Without a ``tally`` nothing is counted but what the page has room for."""
        self._udp = [(listener.udp.fileno(), listener.wildcard) for listener in listeners]
        self._tcp = [listener.tcp.fileno() for listener in listeners]
        self._words = status.table
        self._counters = page.native_counters()
        self._tally = tally
        self._around = around
        self._server: Server | None = None
        self._pulses = (-1, -1)

    def load(self, sections: Sections, rows: Mapping[bytes, int] | None = None) -> None:
        """Serve a generation from now on, and start with it.

        Shape:  ``rows`` are where the queries of each zone are counted, by apex.
        Errors: ConfigError when it must not be served; Unavailable when it is not taken.
        """
        try:
            if self._server is None:
                self._start(sections, rows)
            else:
                self._server.load(sections, rows)
        except ValueError as error:
            raise ConfigError(f"The native engine refuses the generation: {error}") from None
        except OSError as error:
            raise Unavailable(f"The native engine does not take the generation: {error}") from None

    def start(self) -> int:
        """Serve, if it does not yet; returns a descriptor that is readable when there are
        questions to take."""
        return (self._server or self._start(None)).fileno()

    def is_well(self) -> bool:
        """Whether all threads have shown life since this was last so."""
        if self._server is None:
            return False
        pulses = self._server.pulses()
        well = all(now != before for now, before in zip(pulses, self._pulses, strict=True))
        if well:
            self._pulses = pulses
        return well

    def take(self) -> Question | None:
        """A question for the reference engine; None if there is none left."""
        return self._server.take() if self._server else None

    def answer(self, question: Question, reply: bytes | None) -> None:
        """Send the reply to a question; None is silence."""
        if self._server is not None:
            self._server.answer(question, reply)

    def faults(self) -> list[str]:
        """What the threads' faults have to say that was not taken yet, for the log."""
        from geodns._native import faults

        return faults()

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _start(self, sections: Sections | None, rows: Mapping[bytes, int] | None = None) -> Server:
        from geodns._native import Server

        self._server = Server(
            self._udp,
            self._tcp,
            self._words,
            self._counters,
            self._around,
            sections,
            connections=CONNECTIONS_MAX,
            idle_s=IDLE_S,
            counts=self._tally.blocks[:2] if self._tally else None,
            rows=rows,
        )
        return self._server

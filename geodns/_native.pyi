"""The native engine, built from ``geodns/native``. Absent where Rust was not there to build it."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from types import NotImplementedType
from typing import final

from typing_extensions import Buffer

# The module has one, and the stub check compares.
__all__ = [
    "SNAPSHOT_VERSION",
    "Around",
    "Engine",
    "Question",
    "Server",
    "__version__",
    "faults",
    "mix",
]

SNAPSHOT_VERSION: int
"""The version of views, pools and geo that it reads."""

__version__: str

_Prefix = tuple[IPv4Address | IPv6Address, int]
"""A network: an address and how many of its bits count."""

def mix(key: int, value: int) -> int:
    """Spread ``value`` over 64 bits under ``key``.

    Errors: OverflowError for a key or value outside 0 … 2^64 - 1.
    """

def faults() -> list[str]:
    """What faults of the serving threads have to say that was not taken yet, for the log."""

@final
class Around:
    """What surrounds the lookup, as `geodns.engine.responder.Surroundings`.

    Shape: without ``debug_sources`` there are no debug names; without ``trusted`` everybody's
           client subnet counts. Units: ``keepalive`` in 100 ms.
    """

    def __new__(
        cls,
        *,
        nsid: bytes = ...,
        cookie_secrets: Sequence[bytes] = ...,
        debug_sources: Sequence[_Prefix] | None = None,
        identity: bool = False,
        trusted: Sequence[_Prefix] | None = None,
        keepalive: int = 100,
    ) -> Around: ...

@final
class Engine:
    """Answers packets from one generation and the live status words.

    Shape: ``sections`` are kind, name and memory, which must be read-only and never change;
           ``words`` is the ``table`` of `geodns.snapshot.status.StatusTable`; ``rows`` are where
           the queries of each zone are counted, by apex.
    Errors: ValueError for a generation that must not be served.
    """

    def __new__(
        cls,
        sections: Sequence[tuple[int, str, Buffer]],
        words: Buffer,
        around: Around | None = None,
        rows: Mapping[bytes, int] | None = None,
    ) -> Engine: ...
    def respond(
        self, packet: bytes, resolver: str, *, tcp: bool = False, now_s: int = 0
    ) -> bytes | NotImplementedType | None:
        """The reply to a packet; None for silence, NotImplemented for the reference engine.

        Errors: ValueError for a resolver that is no address.
        """

    def seen(self) -> tuple[int, int, int, list[int]]:
        """What is counted of the packet answered last: the row of its zone, its family and type
        (`geodns.engine.counts`), why its nodes were chosen, and their slots."""

@final
class Question:
    """A question that the reference engine answers: packet and the address it came from."""

    @property
    def packet(self) -> bytes: ...
    @property
    def resolver(self) -> str: ...
    @property
    def tcp(self) -> bool: ...

@final
class Server:
    """Two threads, for UDP and for TCP; without sections all queries are REFUSED.

    Shape: ``udp`` are descriptors and whether replies must say which address was asked, ``tcp``
           those of listening sockets; none may block, all are duplicated here. ``counters`` are
           those of `geodns.engine.page`, from ``udp`` on, for each thread its own; ``counts`` are
           blocks of `geodns.engine.counts`, likewise, and ``rows`` as for `Engine`.
    Errors: OSError without descriptors or threads; ValueError as `Engine`.
    """

    def __new__(
        cls,
        udp: Sequence[tuple[int, bool]],
        tcp: Sequence[int],
        words: Buffer,
        counters: Sequence[Buffer],
        around: Around,
        sections: Sequence[tuple[int, str, Buffer]] | None = None,
        *,
        connections: int = 256,
        idle_s: float = 10.0,
        counts: Sequence[Buffer] | None = None,
        rows: Mapping[bytes, int] | None = None,
    ) -> Server: ...
    def load(
        self,
        sections: Sequence[tuple[int, str, Buffer]],
        rows: Mapping[bytes, int] | None = None,
    ) -> None:
        """Serve another generation; once this returns, every further reply comes from it.

        Errors: ValueError as `Engine`; OSError when a thread does not take it in time.
        """

    def fileno(self) -> int:
        """A descriptor that is readable when there are questions to take."""

    def take(self) -> Question | None:
        """The next question for the reference engine; None if there is none left."""

    def answer(self, question: Question, reply: bytes | None) -> None:
        """Send the reply to a question; None for silence, which ends a connection."""

    def pulses(self) -> tuple[int, int]:
        """Numbers that go up while the threads are well, some times a second."""

    def stop(self) -> None:
        """Stop serving; nothing else may be called afterwards."""

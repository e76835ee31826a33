"""What a monitor expects a reply to contain."""

from __future__ import annotations

from typing import Any

from geodns.health.probes.local import Unable
from geodns.model.expect import BODY_MAX_BYTES, Expect
from geodns.model.pattern import NoPatterns, compiled

EVERY_PIECE = 64
"""So many pieces are each followed by a look. Source: no reference; a look at 64 kB takes 10 µs,
with a pattern up to 3 ms."""


class Content:
    """The texts, octets and pattern that must all stand in a reply."""

    def __init__(self, expect: Expect) -> None:
        self._octets: list[tuple[bytes, str]] = []
        if expect.body is not None:
            self._octets.append((expect.body.encode(), repr(expect.body)))
        if expect.body_hex is not None:
            self._octets.append((bytes.fromhex(expect.body_hex), expect.body_hex.lower()))
        self._pattern = expect.regex
        self._compiled: Any = None

    def __bool__(self) -> bool:
        return bool(self._octets) or self._pattern is not None

    def missing(self, reply: bytes | bytearray) -> str:
        """The first that the reply lacks, in words; empty if it lacks nothing.

        Errors: Unable when there is no library for the pattern.
        """
        for octets, words in self._octets:
            if octets not in reply:
                return words
        if self._pattern is not None and self._regex().search(bytes(reply)) is None:
            return f"a match of {self._pattern!r}"
        return ""

    def _regex(self) -> Any:
        if self._compiled is None:
            try:
                self._compiled = compiled(self._pattern or "")
            except (NoPatterns, ValueError) as error:
                raise Unable(str(error)) from None
        return self._compiled


class Body:
    """The first 64 kB of a reply as it comes in. After many pieces it is looked through again
    only when it has grown by a half, so that pieces without end cost bounded time."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._octets = bytearray()
        self._pieces = 0
        self._next = 0
        self.missing = ""

    def feed(self, piece: bytes | bytearray | memoryview) -> bool:
        """Take a piece; whether that settles it: all is found, or 64 kB lack something."""
        self._octets += piece[: BODY_MAX_BYTES - len(self._octets)]
        self._pieces += 1
        full = len(self._octets) >= BODY_MAX_BYTES
        if not full and self._pieces > EVERY_PIECE and len(self._octets) < self._next:
            return False
        self._next = len(self._octets) * 3 // 2
        return self.whole() or full

    def whole(self) -> bool:
        """Look through what is there; whether nothing is missing."""
        self.missing = self._content.missing(self._octets)
        return not self.missing

"""Who asks: bearer tokens (RFC 6750), and patience with those who guess."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from geodns.api.pace import source_of
from geodns.api.problems import HttpError
from geodns.store.base import Token

TOKEN_MAX_BYTES = 4096
"""Longest token looked at. Source: no reference; ours have under 100."""

FREE_FAILURES = 5
FAILURE_INTERVAL_S = 0.5
WAIT_MAX_S = 3.0
"""After 5 failures at once a source gets two answers a second, and at most 6 wait for theirs.
Source: no reference; a person who mistypes does not notice, a guesser gets nowhere."""

SOURCES_MAX = 4096
"""Sources remembered. Source: no reference; some 600 kB."""

COMPLAINT_S = 60.0
"""Between two log lines on slowed sources. Source: no reference; a guesser must not fill a disk."""

log = logging.getLogger("geodns.api")


class Gate:
    """Tells who a request comes from. Only failures are slowed: whoever has a good token is
    never shut out by a neighbour behind the same address who has none."""

    def __init__(
        self,
        verify: Callable[[str], Token | None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._verify = verify
        self._clock = clock
        self._sleep = sleep
        self._next_failure_s: OrderedDict[str, float] = OrderedDict()
        self._complained_s = float("-inf")

    async def actor(self, authorization: Iterable[bytes], address: str) -> Token:
        """The token that the Authorization fields carry.

        Errors: HttpError 401, after a wait, if it is nobody's; 429 if too many wait already.
        """
        token = _bearer_token(list(authorization))
        actor = self._verify(token) if token else None
        if actor is not None:
            return actor
        await self._slow_down(source_of(address))
        raise _unauthorized(bool(token))

    async def _slow_down(self, source: str) -> None:
        now_s = self._clock()
        burst_s = (FREE_FAILURES - 1) * FAILURE_INTERVAL_S
        turn_s = max(self._next_failure_s.get(source, 0.0), now_s - burst_s)
        if turn_s - now_s > WAIT_MAX_S:
            raise _too_many()
        self._next_failure_s[source] = turn_s + FAILURE_INTERVAL_S
        self._next_failure_s.move_to_end(source)
        if len(self._next_failure_s) > SOURCES_MAX:
            self._next_failure_s.popitem(last=False)
        if turn_s > now_s:
            self._complain(source, now_s)
            await self._sleep(turn_s - now_s)

    def _complain(self, source: str, now_s: float) -> None:
        if now_s - self._complained_s > COMPLAINT_S:
            self._complained_s = now_s
            log.warning("sign-ins from %s fail and are slowed down, perhaps others' too", source)


def _bearer_token(fields: list[bytes]) -> str | None:
    # RFC 9110 §11.6.2: one credential; two could be read differently by two readers.
    if len(fields) != 1 or len(fields[0]) > TOKEN_MAX_BYTES:
        return None
    scheme, _, token = fields[0].partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token.isascii():
        return None
    return token.decode("ascii") or None


def _unauthorized(presented: bool) -> HttpError:
    # RFC 6750 §3: error="invalid_token" only if a token was presented.
    challenge = 'Bearer realm="geodns"' + (', error="invalid_token"' if presented else "")
    return HttpError(
        401,
        "unauthorized",
        "Not authorized",
        "This token is not known." if presented else "This needs a token.",
        hint="Send Authorization: Bearer TOKEN; the first one is in admin.token in the data "
        "directory.",
        headers={"WWW-Authenticate": challenge},
    )


def _too_many() -> HttpError:
    return HttpError(
        429,
        "too_many_failures",
        "Too many failures",
        "Too many requests without a good token came from this address.",
        headers={"Retry-After": "3"},
    )

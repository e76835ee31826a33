"""What one probe saw. A failed probe is a value, never an exception."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

REASON_MAX_CHARS = 160
"""Source: no reference; a line of a log, and more than a note of the status table holds."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One probe of one target. ``reason`` is shown to the operator as it is.

    Shape: ``unable`` says that this machine could not probe (something is not installed or not
           allowed, no descriptors are left): nothing is known about the target, ``passed`` is
           False and says nothing. ``warning`` is about a target that passed, such as a
           certificate that ends soon; ``certificate_days`` how long a verified one is good for.
    Units: milliseconds; ``elapsed_ms`` is None when there was no reply to time.
    """

    passed: bool
    reason: str
    elapsed_ms: float | None
    warning: str = ""
    certificate_days: int | None = None
    unable: bool = False


class Probe(Protocol):
    """Looks at one address in one way, as often as asked, also several times at once."""

    async def observe(self) -> Observation:
        """Total: any misbehaviour of the other side is an observation, in bounded time."""


def failure(reason: str) -> Observation:
    """A probe that got no usable reply. What a node sent may stand in ``reason``."""
    return Observation(False, clean(reason), None)


def unable(reason: str) -> Observation:
    """A probe that could not be made; the reason says what to do about it."""
    return Observation(False, clean(reason), None, unable=True)


OWN_FAULTS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
    }
)
"""System errors that tell of this machine and not of the target."""


def clean(text: str) -> str:
    """One bounded printable line: a node's octets must not forge log lines."""
    text = text[:REASON_MAX_CHARS]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


def words_of(error: BaseException) -> str:
    """The root of an error in the operator's words: "connection refused"."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_words(cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
        if isinstance(cause, socket.gaierror):
            return str(cause.strerror).lower()
        if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
            return os.strerror(cause.errno).lower()
    return str(error).rstrip(".") or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, to a bounded depth, groups entered at their first."""
    current: BaseException | None = error
    for _ in range(16):
        if current is None:
            return
        yield current
        if isinstance(current, BaseExceptionGroup):
            current = current.exceptions[0]
        else:
            current = current.__cause__ or current.__context__


def _certificate_words(message: str) -> str:
    """OpenSSL's "Hostname mismatch, certificate is not valid for 'x'." starts too early."""
    text = message.rstrip(".")
    at = text.find("certificate is ")
    return text[at:] if at >= 0 else f"certificate: {text}"

"""One kept connection to an HTTP server, on the standard library alone.

A command that asks one question would spend half its time on loading anything else.
"""

from __future__ import annotations

import http.client
import select
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

from geodns.errors import ConfigError, Unavailable

CONNECT_TIMEOUT_S = 3.0
"""Source: one lost SYN is sent again after 1 s (RFC 6298 §2); a second after 3."""

CHUNK_OCTETS = 2**16
"""Source: no reference; a long body is told of a hundred times while it goes out."""

LINE_MAX_OCTETS = 2**20
"""Source: no reference; an event has some hundred octets."""

NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING")
"""What OpenSSL says of a peer that answers a handshake with something else, or not at all."""

Sent = Callable[[int, int], None]
"""Is told how many octets have gone out, and of how many."""


class Connection:
    """Made when first needed, kept while the server keeps it. Proxies are not used, redirects
    not followed: what is sent holds a token."""

    def __init__(self, base_url: str, trust: Callable[[], ssl.SSLContext]) -> None:
        """``trust`` is asked when there is TLS to be had. Errors: ConfigError."""
        self._base_url = base_url
        self._url = _checked(base_url)
        self._trust = trust
        self._kept: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """End the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    @contextmanager
    def exchange(
        self,
        method: str,
        target: str,
        content: bytes | None,
        headers: Mapping[str, str],
        timeout_s: float,
        sent: Sent | None,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request; what came back can be read while inside.

        Errors: Unavailable in words, for whatever the network does.
        """
        connection = self._connected()
        try:
            assert connection.sock is not None
            connection.sock.settimeout(timeout_s)
            body = content if content is None else _parts(content, sent)
            fields = dict(headers)
            if content is not None:
                fields["Content-Length"] = str(len(content))
            # Who is refused in the middle of a body finds the reason in the reply.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, f"{self._url.path.rstrip('/')}{target}", body, fields)
            yield connection.getresponse()
        except TimeoutError:
            self.close()
            raise Unavailable(
                f"{self._base_url} did not answer {method} {target.partition('?')[0]} in time; "
                "whether it was done is not known"
            ) from None
        except (http.client.HTTPException, OSError) as error:
            self.close()
            told = str(error) or type(error).__name__
            if isinstance(error, http.client.RemoteDisconnected) and self._url.scheme == "http":
                told += "; does it want https?"
            raise Unavailable(f"{self._base_url} broke off: {told}") from None
        except BaseException:  # the rest of the reply is not read
            self.close()
            raise

    def _connected(self) -> http.client.HTTPConnection:
        kept = self._kept
        if kept is not None and kept.sock is not None and not _is_over(kept):
            return kept
        self.close()
        host, port = self._url.hostname or "", self._url.port
        try:
            if self._url.scheme == "https":
                made: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, port, timeout=CONNECT_TIMEOUT_S, context=self._trust()
                )
            else:
                made = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_S)
            made.connect()
        except ssl.SSLError as error:
            if error.reason in NO_TLS:
                raise Unavailable(f"{self._base_url} does not speak TLS: is it http?") from None
            why = getattr(error, "verify_message", "") or error.reason or str(error)
            raise Unavailable(f"{self._base_url} cannot be trusted: {why}") from None
        except (OSError, ValueError) as error:  # ValueError: a host that is none
            raise Unavailable(
                f"cannot reach {self._base_url} ({error}): is `geodns serve` running?"
            ) from None
        self._kept = made
        return made


def lines(reply: http.client.HTTPResponse) -> Iterator[str]:
    """The lines of a reply, as they come."""
    while octets := reply.readline(LINE_MAX_OCTETS):
        yield octets.decode("utf-8", "replace").rstrip("\r\n")


def _is_over(kept: http.client.HTTPConnection) -> bool:
    """Whether the server has closed it: then it can be read, and holds nothing."""
    assert kept.sock is not None
    look = select.poll()  # select() knows no descriptor above 1023
    look.register(kept.sock, select.POLLIN)
    return bool(look.poll(0))


def _parts(content: bytes, sent: Sent | None) -> bytes | Iterable[bytes]:
    if sent is None:
        return content

    def parts() -> Iterator[bytes]:
        for start in range(0, len(content), CHUNK_OCTETS):
            yield content[start : start + CHUNK_OCTETS]
            sent(min(start + CHUNK_OCTETS, len(content)), len(content))

    return parts()


def _checked(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_whole = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a URL: {error}") from None
    is_plain = text.isprintable() and " " not in text and not (url.query or url.fragment)
    if url.scheme not in ("http", "https") or not is_whole or not is_plain:
        raise ConfigError(f"{text!r} is not the URL of an API; write it like http://127.0.0.1:8053")
    return url

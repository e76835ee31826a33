"""The one HTTP client, for those who talk to the admin API, and for webhooks.

It turns problem documents (RFC 9457) back into the errors they came from, so that a command
fails in the same words and with the same exit code wherever the fault was found.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode

from geodns import __version__
from geodns.errors import (
    ConfigError,
    Conflict,
    GeodnsError,
    NotFound,
    Reason,
    Stale,
    Unavailable,
    UnsafePlan,
)
from geodns.net.connection import Connection, Sent, lines
from geodns.net.trust import trust_of

if TYPE_CHECKING:
    from http.client import HTTPResponse

ANSWER_TIMEOUT_S = 30.0
"""Source: no reference; ?wait=true takes 5 s, a document of 16 MB some more."""

ANSWER_MAX_BYTES = 64 * 2**20
"""Source: no reference; a document is at most 16 MB when it comes in, more when indented."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is no error. ``body`` is parsed JSON, else text; None if there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Client:
    """Talks to one API. Proxies and credentials of the environment are not used."""

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        trust: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """``trust`` makes the context of TLS, if not as the environment says (`net.trust`).

        Errors: ConfigError.
        """
        self._base_url = base_url
        self._answer_timeout_s = answer_timeout_s
        self._headers = {
            "Accept": "application/json, application/problem+json;q=0.9, */*;q=0.1",
            "User-Agent": f"geodns/{__version__}",
        }
        if token:
            self._headers["Authorization"] = f"Bearer {_checked(token)}"
        self._connection = Connection(base_url, trust or trust_of(os.environ))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        sent: Sent | None = None,
    ) -> Answer:
        """One request; ``body`` goes out as JSON, or as it is if it is octets, whose Content-Type
        is then among ``headers``. ``sent`` is told how many octets have gone out, and of how many.

        Errors: the error tree as the server reported it, with all its reasons; Unavailable if
                nobody answers.
        """
        fields = {**self._headers, **(headers or {})}
        content = body if isinstance(body, bytes) else None
        if body is not None and content is None:
            content = json.dumps(body, allow_nan=False).encode()
            fields.setdefault("Content-Type", "application/json")
        target = f"{path}?{urlencode(params)}" if params else path
        patience_s = self._answer_timeout_s
        with self._connection.exchange(method, target, content, fields, patience_s, sent) as reply:
            return self._answer(reply)

    def lines(
        self, path: str, headers: Mapping[str, str] | None = None, *, quiet_s: float
    ) -> Iterator[str]:
        """The lines of a reply that goes on, as they come.

        Errors: as `request`; Unavailable also when nothing comes for ``quiet_s``.
        """
        fields = {**self._headers, **(headers or {})}
        try:
            with self._connection.exchange("GET", path, None, fields, quiet_s, None) as reply:
                if reply.status != 200:
                    self._answer(reply)
                yield from lines(reply)
        finally:
            self._connection.close()

    def _answer(self, reply: HTTPResponse) -> Answer:
        """Errors: what the reply tells of."""
        headers = cast(Mapping[str, str], reply.headers)  # whose names have no case
        answer = Answer(reply.status, _parsed(self._bounded(reply), headers), headers)
        if not 200 <= answer.status < 300:
            raise error_from(answer, self._base_url)
        return answer

    def _bounded(self, reply: HTTPResponse) -> bytes:
        octets = reply.read(ANSWER_MAX_BYTES + 1)
        if len(octets) > ANSWER_MAX_BYTES:
            raise Unavailable(f"{self._base_url} answers more than {ANSWER_MAX_BYTES} octets")
        if reply.length:
            raise Unavailable(f"{self._base_url} broke off: {reply.length} octets are missing")
        if not octets and reply.length is None and not reply.chunked:
            raise Unavailable(f"{self._base_url} broke off in the head of its reply")
        return octets


async def post(url: str, address: str, octets: bytes, headers: Mapping[str, str]) -> int:
    """The status of the reply to one POST; the rest of the reply is not read.

    Shape:  ``address`` is connected to, whatever the URL's name stands for by now; the name is
            still what is asked for and whom the certificate must be for.
    Errors: Unavailable in words that do not tell the URL. Time is the caller's to bound.
    """
    import httpx

    # It logs each request with its whole URL, which may be a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    target = httpx.URL(url)
    fields = {**headers, "Host": target.netloc.decode("ascii"), "User-Agent": "geodns"}
    try:
        async with httpx.AsyncClient(
            verify=_trusted(), trust_env=False, follow_redirects=False, timeout=None
        ) as client:
            request = client.build_request(
                "POST",
                target.copy_with(host=address),
                content=octets,
                headers=fields,
                extensions={"sni_hostname": target.host},
            )
            reply = await client.send(request, stream=True)
            await reply.aclose()
            return reply.status_code
    except (httpx.TransportError, OSError) as error:
        raise Unavailable(f"{error or type(error).__name__}") from None


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The authorities, read once: that takes longer than a request."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def error_from(answer: Answer, base_url: str) -> GeodnsError:
    """The error a reply tells of, with the server's own reasons if it gives any."""
    body = answer.body if isinstance(answer.body, dict) else {}
    kind = _kind(answer.status, str(body.get("type", "")))
    reasons = _reasons(body)
    if reasons:
        return kind(reasons)
    detail = body.get("detail")
    if isinstance(detail, str) and detail:
        return kind(detail)
    return kind(f"{base_url} answered {answer.status}; is this the API of geodns?")


def _kind(status: int, problem_type: str) -> type[GeodnsError]:
    if status == 409:
        return UnsafePlan if problem_type == "/problems/brake" else Conflict
    if status >= 500 or status == 429:
        return Unavailable
    return {404: NotFound, 412: Stale}.get(status, ConfigError)


def _reasons(body: dict[str, Any]) -> list[Reason]:
    listed = body.get("reasons")
    return [_reason(item) for item in listed if isinstance(item, dict)] if listed else []


def _reason(item: dict[str, Any]) -> Reason:
    return Reason(
        str(item.get("pointer", "")),
        str(item.get("code", "error")),
        str(item.get("detail", "")),
        item.get("value"),
        str(item.get("hint", "")),
    )


def _parsed(octets: bytes, headers: Mapping[str, str]) -> Any:
    if not octets:
        return None
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            return json.loads(octets)
        except (ValueError, RecursionError):
            raise Unavailable("the reply says it is JSON and is not") from None
    return octets.decode("utf-8", "replace")


def _checked(token: str) -> str:
    # RFC 6750 §2.1: visible ASCII. A line end here would start a header of its own.
    if not all("!" <= character <= "~" for character in token):
        raise ConfigError("the token holds characters that no token has")
    return token

"""The one HTTP client, for those who talk to the admin API, and for webhooks.

It turns problem documents (RFC 9457) back into the errors they came from, so that a command
fails in the same words and with the same exit code wherever the fault was found.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import httpx

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

CONNECT_TIMEOUT_S = 3.0
"""Source: one lost SYN is sent again after 1 s (RFC 6298 §2); a second after 3."""

ANSWER_TIMEOUT_S = 30.0
"""Source: no reference; ?wait=true takes 5 s, a document of 16 MB some more."""

CHUNK_OCTETS = 2**16
"""Source: no reference; a long body is told of a hundred times while it goes out."""

ANSWER_MAX_BYTES = 64 * 2**20
"""Source: no reference; a document is at most 16 MB when it comes in, more when indented."""

# It logs each request with its whole URL, which may be a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


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
        transport: httpx.BaseTransport | None = None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._base_url = base_url
        headers = {"Accept": "application/json, application/problem+json;q=0.9, */*;q=0.1"}
        if token:
            headers["Authorization"] = f"Bearer {_checked(token)}"
        self._http = httpx.Client(
            base_url=_base(base_url),
            headers=headers,
            # Without TLS no list of authorities is read, which takes longer than a request.
            verify=base_url.startswith("https:"),
            timeout=httpx.Timeout(answer_timeout_s, connect=CONNECT_TIMEOUT_S),
            trust_env=False,
            follow_redirects=False,  # the token must not follow to somewhere else
            transport=transport,
        )

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
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        sent: Callable[[int, int], None] | None = None,
    ) -> Answer:
        """One request; ``body`` goes out as JSON, or as it is if it is octets, whose Content-Type
        is then among ``headers``. ``sent`` is told how many octets have gone out, and of how many.

        Errors: the error tree as the server reported it, with all its reasons; Unavailable if
                nobody answers.
        """
        fields = dict(headers or {})
        content = body if isinstance(body, bytes) else None
        if body is not None and content is None:
            content = json.dumps(body, allow_nan=False).encode()
            fields.setdefault("Content-Type", "application/json")
        parts = content if content is None or sent is None else _parts(content, fields, sent)
        status, reply_headers, octets = self._exchange(method, path, parts, params, fields)
        answer = Answer(status, _parsed(octets, reply_headers), reply_headers)
        if not 200 <= status < 300:
            raise error_from(answer, self._base_url)
        return answer

    def lines(
        self, path: str, headers: Mapping[str, str] | None = None, *, quiet_s: float
    ) -> Iterator[str]:
        """The lines of a reply that goes on, as they come.

        Errors: as `request`; Unavailable also when nothing comes for ``quiet_s``.
        """
        patience = httpx.Timeout(quiet_s, connect=CONNECT_TIMEOUT_S)
        with (
            self._told("GET", path),
            self._http.stream("GET", path, headers=headers, timeout=patience) as reply,
        ):
            if not reply.is_success:
                octets = self._bounded(reply)
                answer = Answer(reply.status_code, _parsed(octets, reply.headers), reply.headers)
                raise error_from(answer, self._base_url)
            yield from reply.iter_lines()

    def _exchange(
        self,
        method: str,
        path: str,
        content: bytes | Iterator[bytes] | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> tuple[int, httpx.Headers, bytes]:
        with (
            self._told(method, path),
            self._http.stream(
                method, path, content=content, params=params, headers=headers
            ) as reply,
        ):
            return reply.status_code, reply.headers, self._bounded(reply)

    @contextmanager
    def _told(self, method: str, path: str) -> Iterator[None]:
        """Errors: Unavailable in words, for whatever the network does."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(
                f"cannot reach {self._base_url} ({error}): is `geodns serve` running?"
            ) from None
        except httpx.TimeoutException:
            raise Unavailable(
                f"{self._base_url} did not answer {method} {path} in time; "
                "whether it was done is not known"
            ) from None
        except httpx.TransportError as error:
            raise Unavailable(f"{self._base_url} broke off: {error}") from None

    def _bounded(self, reply: httpx.Response) -> bytes:
        octets = bytearray()
        for chunk in reply.iter_bytes():
            octets += chunk
            if len(octets) > ANSWER_MAX_BYTES:
                raise Unavailable(f"{self._base_url} answers more than {ANSWER_MAX_BYTES} octets")
        return bytes(octets)


def _parts(
    content: bytes, headers: dict[str, str], sent: Callable[[int, int], None]
) -> Iterator[bytes]:
    """The octets in parts; their length is told, or they would go out without one."""
    headers["Content-Length"] = str(len(content))

    def parts() -> Iterator[bytes]:
        for start in range(0, len(content), CHUNK_OCTETS):
            yield content[start : start + CHUNK_OCTETS]
            sent(min(start + CHUNK_OCTETS, len(content)), len(content))

    return parts()


async def post(url: str, address: str, octets: bytes, headers: Mapping[str, str]) -> int:
    """The status of the reply to one POST; the rest of the reply is not read.

    Shape:  ``address`` is connected to, whatever the URL's name stands for by now; the name is
            still what is asked for and whom the certificate must be for.
    Errors: Unavailable in words that do not tell the URL. Time is the caller's to bound.
    """
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


def _parsed(octets: bytes, headers: httpx.Headers) -> Any:
    if not octets:
        return None
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            return json.loads(octets)
        except (ValueError, RecursionError):
            raise Unavailable("the reply says it is JSON and is not") from None
    return octets.decode("utf-8", "replace")


def _base(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"{text!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"{text!r} is not the URL of an API; write it like http://127.0.0.1:8053")
    return url


def _checked(token: str) -> str:
    # RFC 6750 §2.1: visible ASCII. A line end here would start a header of its own.
    if not all("!" <= character <= "~" for character in token):
        raise ConfigError("the token holds characters that no token has")
    return token

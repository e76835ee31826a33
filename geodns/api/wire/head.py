"""The head of a request: what two readers could read differently is refused (RFC 9112 §11.2)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import h11

from geodns.api.problems import HttpError

HEAD_MAX_OCTETS = 16_384
"""Request line and fields. Source: no reference; Apache's default for one line is 8 kB, ours is
for all of them, and every connection may hold so much."""

FIELDS_MAX = 100
"""Source: Apache HTTP Server, LimitRequestFields."""

TARGET_MAX_OCTETS = 8_000
"""Source: RFC 9112 section 3, the least that should be supported."""

EMPTY_LINES_MAX = 2
"""Before a request line. Source: RFC 9112 section 2.2, at least one should be ignored."""

# Bare LF and bare CR (RFC 9112 §2.2), NUL, and folded lines (§5.2): each has smuggled requests.
_DOUBTFUL = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\0|\r\n[ \t]")
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:", re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

Scope = dict[str, Any]


class Head:
    """Gathers the octets of one head as they arrive."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._seen = 0
        self._empty_lines = 0

    def __bool__(self) -> bool:
        return bool(self._octets)

    def feed(self, octets: bytes) -> bytes | None:
        """All octets so far, once the head among them is whole.

        Errors: HttpError 400 for what no request begins with, 431 if it is too long.
        """
        self._octets += octets
        self._skip_empty_lines()
        if not self._octets or self._octets == b"\r":
            return None
        _check_beginning(self._octets[0])
        end = self._octets.find(b"\r\n\r\n", max(0, self._seen - 3))
        self._check(max(0, self._seen - 2), len(self._octets) if end < 0 else end + 4)
        self._seen = len(self._octets)
        if end < 0:
            return None
        return bytes(self._octets)

    def _skip_empty_lines(self) -> None:
        while self._octets.startswith(b"\r\n"):
            del self._octets[:2]
            self._empty_lines += 1
            if self._empty_lines > EMPTY_LINES_MAX:
                raise bad_request("There are empty lines where a request should begin.")

    def _check(self, start: int, end: int) -> None:
        if end > HEAD_MAX_OCTETS:
            detail = f"The request line and the fields are larger than {HEAD_MAX_OCTETS} octets."
            raise HttpError(431, "head_too_large", "Request header fields too large", detail)
        doubtful = _DOUBTFUL.search(self._octets, start, end)
        if doubtful:
            raise bad_request(
                "Lines end with CR and LF together, are not continued on the next, and hold no NUL."
            )


def _check_beginning(octet: int) -> None:
    if octet == 0x16:  # the content type of a TLS handshake (RFC 8446 §5.1)
        raise bad_request("Here HTTP is spoken without TLS; use http://.")
    if not 0x21 <= octet <= 0x7E:
        raise bad_request("This is not HTTP.")


def read_head(connection: h11.Connection, octets: bytes) -> h11.Request:
    """The request whose head is in ``octets``, which ``connection`` has received.

    Errors: HttpError 400, 414, 431, 501, 505.
    """
    try:
        request = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise unreadable(error) from None
    assert isinstance(request, h11.Request), "the head was whole"
    _check_version(request)
    _check_fields(request)
    _check_framing(request, octets)
    return request


def scope_of(request: h11.Request) -> Scope:
    """What an ASGI application is told of the request itself. Errors: HttpError 400, 405, 414."""
    raw_path, _, query = _origin_form(request).partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.http_version.decode("ascii"),
        "method": request.method.decode("ascii"),
        "root_path": "",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": list(request.headers),
    }


def _origin_form(request: h11.Request) -> bytes:
    """Path and query, from any form of target (RFC 9112 §3.2)."""
    target = bytes(request.target)
    if len(target) > TARGET_MAX_OCTETS:
        detail = f"The target of a request is at most {TARGET_MAX_OCTETS} octets."
        raise HttpError(414, "target_too_long", "URI too long", detail)
    if request.method == b"CONNECT":
        detail = "CONNECT is not possible here."
        headers = {"Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
        raise HttpError(405, "method_not_allowed", "Method not allowed", detail, headers=headers)
    absolute = _ABSOLUTE.match(target)
    if absolute:
        rest = target[absolute.end() :]
        target = rest if rest.startswith(b"/") else b"/" + rest
    if target == b"*" and request.method == b"OPTIONS":
        return b"/*"
    if not target.startswith(b"/") or b"#" in target:
        raise bad_request("The target of a request is a path that begins with a slash.")
    return target


def _check_version(request: h11.Request) -> None:
    if request.http_version not in (b"1.0", b"1.1"):
        detail = "HTTP/1.1 is spoken here."
        raise HttpError(505, "version_not_supported", "HTTP version not supported", detail)


def _check_fields(request: h11.Request) -> None:
    if len(request.headers) > FIELDS_MAX:
        detail = f"A request has at most {FIELDS_MAX} header fields."
        raise HttpError(431, "too_many_fields", "Request header fields too large", detail)
    hosts = [bytes(value) for name, value in request.headers if name == b"host"]
    if not all(map(_HOST.fullmatch, hosts)):
        raise bad_request("The field Host is a name or an address, perhaps with a port.")


def _check_framing(request: h11.Request, octets: bytes) -> None:
    """RFC 9112 §6.1, §6.3: a message with two lengths may be an attempt at smuggling."""
    # h11 makes one of two that agree; who is in front of us might not.
    lengths = len(_LENGTH.findall(octets, 0, octets.index(b"\r\n\r\n")))
    is_chunked = any(name == b"transfer-encoding" for name, _ in request.headers)
    if lengths and is_chunked:
        raise bad_request("A request has Content-Length or Transfer-Encoding, not both.")
    if lengths > 1:
        raise bad_request("A request has one Content-Length.")
    if is_chunked and request.http_version == b"1.0":
        raise bad_request("HTTP/1.0 has no Transfer-Encoding.")


def unreadable(error: h11.RemoteProtocolError) -> HttpError:
    """What h11 found wrong, in our words: its own may repeat what was sent."""
    if error.error_status_hint == 501:
        detail = "The only Transfer-Encoding here is chunked."
        return HttpError(501, "not_implemented", "Not implemented", detail)
    if error.error_status_hint == 431:
        return HttpError(
            431, "head_too_large", "Request header fields too large", "A line is too long."
        )
    return bad_request("The request is not HTTP/1.1 as RFC 9112 has it.")


def bad_request(detail: str) -> HttpError:
    """What was sent cannot be understood."""
    return HttpError(400, "bad_request", "Bad request", detail)

"""Address hints of SVCB and HTTPS records that follow steering: ``ipv4hint=auto``.

In the wire data that we keep, a hint to be filled in is one of length 0, which no operator can
write (RFC 9460 section 7.3: a hint lists at least one address). Pure Python: the packet path
fills them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

TYPE_SVCB, TYPE_HTTPS = 64, 65
HINTED_TYPES = frozenset({TYPE_SVCB, TYPE_HTTPS})

IPV4HINT, IPV6HINT = 4, 6  # RFC 9460 section 14.3.2
_NAMES = {"4": IPV4HINT, "6": IPV6HINT}
_AUTO = re.compile(r'(?<=\s)ipv([46])hint=(?:auto|"auto")(?=\s|$)')


def take_auto(text: str) -> tuple[str, frozenset[int]]:
    """The record's text without its automatic hints, and which hints they are."""
    keys = frozenset(_NAMES[digit] for digit in _AUTO.findall(text))
    return _AUTO.sub("", text).strip(), keys


def with_auto(text: str, keys: frozenset[int]) -> str:
    """The opposite of `take_auto`."""
    return " ".join([text, *(f"ipv{key}hint=auto" for key in sorted(keys))])


def auto_hints(rdata: bytes) -> frozenset[int]:
    """Which hints of a record are to be filled in."""
    return frozenset(key for key, value in _params(rdata) if key in (4, 6) and not value)


def fill(rdata: bytes, hints: Mapping[int, Sequence[bytes]]) -> bytes:
    """The record with these hints set; one without addresses is left out.

    Shape: ``hints`` has packed addresses by key. With empty address lists of length 1,
    ``{4: [b""]}``, it makes the hints automatic.
    """
    params = {key: value for key, value in _params(rdata) if key not in hints}
    params |= {key: b"".join(addresses) for key, addresses in hints.items() if addresses}
    # RFC 9460 section 2.2: keys appear in increasing order, once each.
    written = (
        key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
        for key, value in sorted(params.items())
    )
    return rdata[: _params_at(rdata)] + b"".join(written)


def _params(rdata: bytes) -> Iterator[tuple[int, bytes]]:
    at = _params_at(rdata)
    while at + 4 <= len(rdata):
        key, size = int.from_bytes(rdata[at : at + 2], "big"), rdata[at + 2] << 8 | rdata[at + 3]
        yield key, rdata[at + 4 : at + 4 + size]
        at += 4 + size


def _params_at(rdata: bytes) -> int:
    """Where the parameters start: behind the priority and the uncompressed target name."""
    at = 2
    while at < len(rdata) and rdata[at]:
        at += rdata[at] + 1
    return at + 1

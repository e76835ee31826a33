"""DNS cookies: a sign that a client really is where its packets say (RFC 7873, RFC 9018).

The server cookie is the interoperable one, so that servers of one anycast address that share
a secret accept one another's, whatever their make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hmac import compare_digest
from ipaddress import ip_address
from typing import NamedTuple

from siphash24 import siphash24

from geodns.dns.message import OPTION_COOKIE

CLIENT_OCTETS = 8

SECRET_OCTETS = 16

VALID_S = 3600
"""A cookie is honoured for an hour. Source: RFC 9018 section 4.3."""

FUTURE_S = 300
"""Clocks may differ so much. Source: RFC 9018 section 4.3."""

RENEW_S = 1800
"""A cookie older than half an hour is answered with a new one. Source: RFC 9018 section 4.3."""

REMEMBERED_MAX = 10_000
"""Cookies judged before. Source: no reference; some 300 octets each. A resolver sends the
same one for half an hour, so most need no hash at all."""

_OPTION = (OPTION_COOKIE << 16 | CLIENT_OCTETS + 16).to_bytes(4, "big")
_HEAD = b"\x01\x00\x00\x00"  # RFC 9018 section 4.1: version 1, three reserved octets


class Cookie(NamedTuple):
    """Shape: ``option`` is the whole option of the reply; ``valid`` says that the client
    could only have its own from us."""

    option: bytes
    valid: bool


class CookieJar:
    """Makes and judges cookies."""

    def __init__(self, secrets: Sequence[bytes], clock: Callable[[], float]) -> None:
        """The first secret signs, all verify: that is how one is rolled over (RFC 9018
        section 5). Units: ``clock`` gives Unix seconds.

        Errors: ValueError for a secret that has not 16 octets.
        """
        if not secrets or any(len(secret) != SECRET_OCTETS for secret in secrets):
            raise ValueError(f"a cookie secret has {SECRET_OCTETS} octets")
        self._secrets = tuple(secrets)
        self._clock = clock
        self._known: dict[tuple[bytes, str], tuple[int, Cookie]] = {}

    def judge(self, option: bytes, client: str) -> Cookie | None:
        """The verdict on a COOKIE option; None if its length is not one (FORMERR).

        RFC 7873 section 5.2.2: the option is 8 octets, or 16 to 40.
        """
        now = int(self._clock())
        if len(option) == CLIENT_OCTETS:  # a first cookie: seldom met twice, so not remembered
            return Cookie(_OPTION + option + self._fresh(option, now, _packed(client)), False)
        if not 16 <= len(option) <= 40:
            return None
        key = (option, client)
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        cookie, until = self._judge(option, client, now)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[key] = (until, cookie)
        return cookie

    def _judge(self, option: bytes, client: str, now: int) -> tuple[Cookie, int]:
        mine, theirs = option[:CLIENT_OCTETS], option[CLIENT_OCTETS:]
        address = _packed(client)
        valid = len(theirs) == 16 and self._is_valid(mine, theirs, address, now)
        if valid:
            made = int.from_bytes(theirs[4:8], "big")
            if _age(now, made) < RENEW_S and theirs == self._fresh(mine, made, address):
                return Cookie(_OPTION + option, True), made + RENEW_S
        # The verdict may change with the next second; one that is not valid never becomes so.
        return Cookie(_OPTION + mine + self._fresh(mine, now, address), valid), now + 1

    def _is_valid(self, client_cookie: bytes, theirs: bytes, address: bytes, now: int) -> bool:
        # RFC 9018 section 4.2: reserved octets are hashed as they came, whatever they are.
        head = theirs[:8]
        return (
            head[:1] == _HEAD[:1]
            and -FUTURE_S <= _age(now, int.from_bytes(head[4:], "big")) <= VALID_S
            and any(
                compare_digest(theirs, _server(secret, client_cookie, head, address))
                for secret in self._secrets
            )
        )

    def _fresh(self, client_cookie: bytes, made: int, address: bytes) -> bytes:
        """What we would issue."""
        head = _HEAD + (made & 0xFFFF_FFFF).to_bytes(4, "big")
        return _server(self._secrets[0], client_cookie, head, address)


def _age(now: int, made: int) -> int:
    """Seconds since a cookie was made. RFC 9018 section 4.3: serial arithmetic, for the time
    stamp has 32 bits."""
    return (now - made + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


@lru_cache(REMEMBERED_MAX)
def _packed(client: str) -> bytes:
    """The client's address; an IPv4 client on a dual-stack socket is the same client."""
    address = ip_address(client.partition("%")[0])
    mapped = address.ipv4_mapped if address.version == 6 else None
    return (mapped or address).packed


def _server(secret: bytes, client_cookie: bytes, head: bytes, address: bytes) -> bytes:
    """The server cookie of RFC 9018 section 4: head (with time stamp), then SipHash-2-4."""
    digest: bytes = siphash24(client_cookie + head + address, key=secret).digest()
    return head + digest

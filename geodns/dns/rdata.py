"""Record data: master-file text ↔ wire, and the names inside it. The door to dnspython.

What users write is checked here once and kept as uncompressed wire data; case is kept as given.
Only the control side needs this: dnspython takes some 85 ms to import.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from geodns.dns import svcb
from geodns.dns.names import ROOT, excerpt, from_text
from geodns.dns.rrtypes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_NS,
    TYPES,
    type_to_text,
)
from geodns.errors import ConfigError, Reason

# Source: RFC 1035 §3.2.1, RDLENGTH has 16 bits.
RDATA_MAX_OCTETS = 0xFFFF
# Source: no reference; what fills RDLENGTH when each octet is one character.
TEXT_MAX_CHARACTERS = 0xFFFF

_EXPECTED: dict[str, str] = {
    "A": "an IPv4 address, like 192.0.2.1",
    "NS": "a name, like ns1.example.com.",
    "CNAME": "a name, like www.example.com.",
    "PTR": "a name, like host.example.com.",
    "HINFO": 'two strings, like "RFC8482" ""',
    "MX": "preference and exchange, like 10 mail.example.com.",
    "TXT": 'quoted strings of at most 255 octets each, like "v=spf1 -all"',
    "RP": "mailbox and text as names, like admin.example.com. .",
    "AAAA": "an IPv6 address, like 2001:db8::1",
    "LOC": "latitude, longitude, altitude, like 52 22 23.000 N 4 53 32.000 E -2.00m",
    "SRV": "priority, weight, port, target, like 0 5 5060 sip.example.com.",
    "NAPTR": 'order, preference, "flags", "service", "regexp", replacement, '
    'like 100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .',
    "DNAME": "a name, like example.net.",
    "DS": "key tag, algorithm, digest type, digest in hex, like 60485 13 2 D4B7D520…",
    "SSHFP": "algorithm, type, fingerprint in hex, like 4 2 123456789ABCDEF6…",
    "TLSA": "usage, selector, matching type, data in hex, like 3 1 1 D2ABDE24…",
    "SVCB": "priority, target, parameters, like 1 svc.example.com. alpn=h2 port=8443",
    "HTTPS": "priority, target, parameters, like 1 . alpn=h2,h3 ipv4hint=192.0.2.1",
    "URI": 'priority, weight, "target", like 10 1 "https://www.example.com/"',
    "CAA": 'flags, tag, "value", like 0 issue "ca.example.net"',
}
_GENERIC = r"octets in hex as of RFC 3597 §5, like \# 4 C0000201"

# A master file's words (RFC 1035 §5.1), only to see which are quoted and where comments start.
_WORD: Final = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<comment>;)|(?P<bare>(?:[^\s"\\;()]|\\.)+)|[\s()]+'
)


def rdata_from_text(rtype: int, text: str, origin: bytes) -> bytes:
    """The wire data of one record of class IN, written as in a master file.

    Shape:  names are relative to ``origin`` unless they end in a dot; names on the wire are
            neither compressed nor lowered. ``\\# LENGTH HEX`` (RFC 3597 §5) works for every type.
    Errors: ConfigError "bad_rdata" with the type, the value and what is expected.
    """
    common = _COMMON.get(rtype)
    if common is not None and common[0].fullmatch(text):
        try:
            return common[1](text, origin)
        except (OSError, ConfigError):  # the library says what is wrong
            pass
    _check_text(rtype, text)
    plain, auto = svcb.take_auto(text) if rtype in svcb.HINTED_TYPES else (text, frozenset())
    try:
        wire = _parse(rtype, plain, _to_library(origin))
        if auto:
            wire = svcb.fill(wire, {key: [b""] for key in auto})
    except Exception as error:  # Whatever a parser of foreign text raises: the text is at fault.
        raise _bad(rtype, text, _library_words(error)) from None
    if len(wire) > RDATA_MAX_OCTETS:
        detail = f"it makes {len(wire)} octets; at most {RDATA_MAX_OCTETS}."
        raise _bad(rtype, text, detail)
    return wire


_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_COMMON: dict[int, tuple[re.Pattern[str], Callable[[str, bytes], bytes]]] = {
    TYPE_A: (re.compile(r"[0-9.]{7,15}"), lambda text, _: inet_pton(AF_INET, text)),
    TYPE_AAAA: (re.compile(r"[0-9A-Fa-f:]{2,39}"), lambda text, _: inet_pton(AF_INET6, text)),
    TYPES["TXT"]: (
        re.compile(r'"[ !#-\[\]-~]{1,255}"'),
        lambda text, _: bytes((len(text) - 2,)) + text[1:-1].encode("ascii"),
    ),
    **dict.fromkeys((TYPE_NS, TYPE_CNAME, TYPE_DNAME, TYPES["PTR"]), (_NAME, from_text)),
}
"""The plainest form of the commonest types, by which a zone of 100,000 of them is read in a tenth
of the time. Whatever has another form is the library's."""

COMMON_TYPES = frozenset(_COMMON)


def rdata_to_text(rtype: int, wire: bytes, origin: bytes | None = None) -> str:
    """The master-file text from which `rdata_from_text` makes the same octets again.

    Shape: names under ``origin`` are relative to it; ``\\# LENGTH HEX`` where the type has no
           text of its own or its text would lose something.
    """
    common = _common_text(rtype, wire, origin)
    if common is not None:
        return common
    auto = svcb.auto_hints(wire) if rtype in svcb.HINTED_TYPES else frozenset()
    if auto:
        plain = svcb.fill(wire, {key: [] for key in auto})
        return svcb.with_auto(rdata_to_text(rtype, plain, origin), auto)
    try:
        text = _own_text(rtype, wire, ROOT if origin is None else origin)
    except Exception:  # A library that fails on octets it has accepted must not stop an export.
        text = None
    return text or rf"\# {len(wire)} {wire.hex()}".rstrip()


_PLAIN_STRING = re.compile(rb"[ !#-\[\]-~]{1,255}")


def _common_text(rtype: int, wire: bytes, origin: bytes | None) -> str | None:
    """The text of data in its plainest form; None of all other."""
    if rtype == TYPE_A and len(wire) == 4:
        return inet_ntop(AF_INET, wire)
    if rtype == TYPE_AAAA and len(wire) == 16 and any(wire[:10]):
        return inet_ntop(AF_INET6, wire)
    if rtype == TYPES["TXT"] and wire and wire[0] == len(wire) - 1:
        return f'"{wire[1:].decode("ascii")}"' if _PLAIN_STRING.fullmatch(wire[1:]) else None
    return None


# The fields that name a host or an alias, whose addresses somebody has to find.
_TARGETS: dict[str, str] = {
    "NS": "target",
    "CNAME": "target",
    "PTR": "target",
    "MX": "exchange",
    "SRV": "target",
    "NAPTR": "replacement",
    "DNAME": "target",
    "SVCB": "target",
    "HTTPS": "target",
}


def names_in(rtype: int, wire: bytes) -> tuple[bytes, ...]:
    """The names that a record points to, absolute and as they were written.

    Shape: without the root, which stands for "none" or "this owner" wherever it is allowed
           (RFC 2782, RFC 3403 §4.1, RFC 7505 §3, RFC 9460 §2.5).
    """
    field = _TARGETS.get(type_to_text(rtype))
    if field is None:
        return ()
    name: dns.name.Name = getattr(_from_wire(rtype, wire), field)
    target = _to_wire(name)
    return () if target == ROOT else (target,)


def soa_rdata(
    mname: bytes,
    rname: bytes,
    serial: int,
    refresh: int,
    retry: int,
    expire: int,
    minimum: int,
) -> bytes:
    """The wire data of an SOA (RFC 1035 §3.3.13).

    Units:  seconds, but for the serial.
    Errors: struct.error for a number beyond 32 bits.
    """
    return mname + rname + struct.pack("!5I", serial, refresh, retry, expire, minimum)


def _check_text(rtype: int, text: str) -> None:
    """Refuse what the library would read differently from how it looks."""
    if len(text) > TEXT_MAX_CHARACTERS:
        detail = f"it has {len(text)} characters; at most {TEXT_MAX_CHARACTERS}."
        raise _bad(rtype, text, detail)
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        # The library stops at a line's end and drops the rest in silence.
        detail = "it has a line break or another control character."
        raise _bad(rtype, text, detail, r"Write one record a value, odd octets as \DDD.")
    if not text.isascii() and rtype != TYPES["TXT"]:
        # The library would turn names into A-labels by a rule of its own (IDNA 2003).
        detail = "it has characters beyond ASCII."
        raise _bad(rtype, text, detail, r"Write names as A-labels (xn--…), other octets as \DDD.")
    words = [match.lastgroup for match in _WORD.finditer(text) if match.lastgroup]
    if "comment" in words:
        hint = r'Quote the text, or write "\;" for a semicolon.'
        raise _bad(rtype, text, "a semicolon starts a comment; a value has none.", hint)
    generic = text.lstrip().startswith("\\#")
    if rtype == TYPES["TXT"] and len(words) > 1 and "bare" in words and not generic:
        hint = f'Quote it: "{excerpt(text)}".' if "quoted" not in words else "Quote every string."
        raise _bad(rtype, text, "several words without quotes.", hint)


def _own_text(rtype: int, wire: bytes, origin: bytes) -> str | None:
    """The text in the type's own form, or None if it does not lead back to the same octets."""
    base = _to_library(origin)
    text = _from_wire(rtype, wire).to_text(origin=base, relativize=origin != ROOT)
    if text.startswith("\\#"):
        return None
    _check_text(rtype, text)
    return text if _parse(rtype, text, base) == wire else None


def _parse(rtype: int, text: str, origin: dns.name.Name) -> bytes:
    return _to_wire(
        dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), text, origin, relativize=False
        )
    )


def _from_wire(rtype: int, wire: bytes) -> dns.rdata.Rdata:
    if rtype in svcb.HINTED_TYPES:  # the library refuses the empty hints that we fill in
        wire = svcb.fill(wire, {key: [] for key in svcb.auto_hints(wire)})
    return dns.rdata.from_wire(
        dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), wire, 0, len(wire)
    )


def _to_library(name: bytes) -> dns.name.Name:
    return dns.name.from_wire(name, 0)[0]


def _to_wire(found: dns.rdata.Rdata | dns.name.Name) -> bytes:
    wire = found.to_wire()
    assert wire is not None  # None is for writing into a file, which nobody asked for.
    return wire


def _library_words(error: Exception) -> str:
    """What dnspython itself complains of; Python's words underneath would puzzle the author."""
    cause, said = error.__cause__ or error, str(error)
    own = isinstance(cause, dns.exception.DNSException) or type(cause) is ValueError
    python = "int()" in said or "sys." in said
    return excerpt(said) if own and said and not python else "it cannot be read."


def _bad(rtype: int, text: str, detail: str, hint: str = "") -> ConfigError:
    name, shown = type_to_text(rtype), excerpt(text)
    expected = f"Expected {_EXPECTED.get(name, _GENERIC)}"
    detail = f'{name} "{shown}": {detail.rstrip(".")}.'
    return ConfigError([Reason("", "bad_rdata", detail, shown, f"{hint} {expected}".lstrip())])

"""The words of an entry: what they mean, and whose fault it is if they mean nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

from geodns.dns.names import excerpt
from geodns.dns.rdata import rdata_from_text
from geodns.dns.rrtypes import TYPE_SOA, TYPE_TXT, type_from_text
from geodns.dns.zonefile.entries import Word, entries
from geodns.dns.zonefile.records import Soa
from geodns.errors import ConfigError, Reason

P = ParamSpec("P")
T = TypeVar("T")

TTL_MAX = 2**31 - 1
"""Source: RFC 2181 §8."""

_TTL: Final = re.compile(r"[0-9]{1,10}|(?:[0-9]{1,10}[WDHMSwdhms])+")
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}  # as BIND 9

_TTL_MAX_CHARACTERS = 64  # Source: no reference; five units take 55.


class Fault(Exception):
    """What is wrong at an offset of the text."""

    def __init__(self, at: int, error: ConfigError) -> None:
        self.at = at
        self.error = error


def complaint(code: str, detail: str, value: object = None, hint: str = "") -> ConfigError:
    """An error of one reason; what somebody wrote is shown short."""
    shown = excerpt(value) if isinstance(value, str) else value
    return ConfigError([Reason("", code, detail, shown, hint)])


def read_at(word: Word, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``read`` returns; what it complains of is the fault of this word."""
    try:
        return read(*args, **kwargs)
    except ConfigError as error:
        raise Fault(word.at, error) from None


def only(directive: Word, words: Sequence[Word]) -> Word:
    """The one word that stands behind a directive."""
    if len(words) == 1 and not words[0].quoted:
        return words[0]
    detail = f"Expected one word behind {directive.text}, found {len(words)}."
    raise Fault(directive.at, complaint("bad_directive", detail))


def ttl_from_text(text: str) -> int:
    """Seconds, or BIND's ``1h30m``.

    Errors: ConfigError "bad_ttl".
    """
    fits = len(text) <= _TTL_MAX_CHARACTERS and _TTL.fullmatch(text)
    parts = re.findall(r"([0-9]+)([a-z]?)", text.lower()) if fits else []
    ttl = sum(int(number) * _SECONDS[unit or "s"] for number, unit in parts)
    if not parts or ttl > TTL_MAX:
        hint = f"Write seconds up to {TTL_MAX}, or units: 1h30m, 2d."
        raise complaint("bad_ttl", f'"{excerpt(text)}" is no TTL.', text, hint)
    return ttl


def rtype_from_text(text: str) -> int:
    """The type of a record in a master file: those an operator may write, and SOA.

    Errors: ConfigError "unknown_type", "type_not_allowed".
    """
    return TYPE_SOA if text.upper() in ("SOA", f"TYPE{TYPE_SOA}") else type_from_text(text)


def data_text(rtype: int, words: Sequence[Word]) -> str:
    """The record's data on one line, as `rdata_from_text` reads it."""
    if rtype == TYPE_TXT and words[0].text != r"\#":
        # There a value of several words must be quoted; in a master file each is a string.
        return " ".join(word.text if word.quoted else f'"{word.text}"' for word in words)
    return "".join(word.text if word.glued else f" {word.text}" for word in words).lstrip()


def soa_from_text(text: str, origin: bytes) -> Soa:
    """The fields of an SOA.

    Errors: ConfigError "bad_rdata".
    """
    try:
        wire = rdata_from_text(TYPE_SOA, text, origin)
    except ConfigError as error:
        hint = "Expected primary, mailbox, serial, refresh, retry, expire, minimum."
        raise complaint("bad_rdata", error.reasons[0].detail, text, hint) from None
    numbers = (
        int.from_bytes(wire[at : at + 4], "big") for at in range(len(wire) - 20, len(wire), 4)
    )
    cut = _name_octets(wire)
    return Soa(wire[:cut], wire[cut:-20], *numbers)


def _name_octets(wire: bytes) -> int:
    at = 0
    while wire[at]:
        at += 1 + wire[at]
    return at + 1


def unquoted(words: Sequence[Word]) -> Sequence[Word]:
    """The data of ``$GENERATE``: BIND 9 takes one word, and reads what its quotes hold.

    Errors: ConfigError "bad_generate".
    """
    if len(words) > 1 or not words[0].quoted:
        return words
    held = re.sub(r"\\(.)", lambda match: '"' if match[1] == '"' else match[0], words[0].text[1:-1])
    found = [word for entry in entries(held) if not entry.fault for word in entry.words]
    if not found or found[-1].at + len(found[-1].text) < len(held.rstrip()):
        hint = r"Escape a quote as \" and a semicolon as \;."
        raise complaint("bad_generate", f"{excerpt(held)} is no data.", held, hint)
    return [word._replace(at=words[0].at) for word in found]

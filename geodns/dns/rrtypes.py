"""The types of resource records: which we hold, their names and numbers.

Pure Python, so that the packet path can name a type without a library.
"""

from __future__ import annotations

import difflib
import re

from geodns.dns.names import excerpt
from geodns.errors import ConfigError, Reason

# Source: the IANA registry "Resource Record (RR) TYPEs". What an operator may write into a zone;
# any other data type is written as TYPE### (RFC 3597).
TYPES: dict[str, int] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "DNAME": 39,
    "DS": 43,
    "SSHFP": 44,
    "TLSA": 52,
    "SVCB": 64,
    "HTTPS": 65,
    "URI": 256,
    "CAA": 257,
}

TYPE_A, TYPE_NS, TYPE_CNAME, TYPE_SOA, TYPE_TXT = 1, 2, 5, 6, 16
TYPE_AAAA, TYPE_DNAME, TYPE_OPT, TYPE_DS, TYPE_ANY = 28, 39, 41, 43, 255

_SIGNED = "records of DNSSEC are made when a zone is signed"
_QUESTION = "it exists in questions and messages, not in zones (RFC 6895 §3.1)"
# Types that no operator may write, and why.
_REFUSED: dict[str, tuple[int, str]] = {
    "SOA": (6, "it is made from the zone's own fields: nameservers, contact, negative_ttl"),
    "OPT": (41, _QUESTION),
    "RRSIG": (46, _SIGNED),
    "NSEC": (47, _SIGNED),
    "DNSKEY": (48, _SIGNED),
    "NSEC3": (50, _SIGNED),
    "NSEC3PARAM": (51, _SIGNED),
    "TKEY": (249, _QUESTION),
    "TSIG": (250, _QUESTION),
    "IXFR": (251, _QUESTION),
    "AXFR": (252, _QUESTION),
    "MAILB": (253, _QUESTION),
    "MAILA": (254, _QUESTION),
    "ANY": (255, _QUESTION),
}
_WHY_REFUSED = dict(_REFUSED.values())
_NAMES = {number: name for name, number in TYPES.items()} | {
    number: name for name, (number, _) in _REFUSED.items()
}


def type_from_text(text: str) -> int:
    """The number of a type that an operator may write, by mnemonic or as ``TYPE###``.

    Errors: ConfigError "unknown_type", "type_not_allowed".
    Source: RFC 3597 §5 for TYPE###.
    """
    name = text.upper() if text.isascii() else text
    number = TYPES.get(name) or _REFUSED.get(name, (None,))[0] or _generic(name)
    if number is None:
        raise _unknown(text, name)
    why = _why_refused(number)
    if why:
        shown = type_to_text(number)
        detail = f"Records of type {shown} cannot be written: {why}."
        raise ConfigError([Reason("", "type_not_allowed", detail, excerpt(text))])
    return number


def type_to_text(rtype: int) -> str:
    """The mnemonic, else ``TYPE###``; any number of 16 bits, question types too."""
    return _NAMES.get(rtype) or f"TYPE{rtype}"


def _generic(name: str) -> int | None:
    match = re.fullmatch("TYPE([0-9]{1,5})", name)
    return int(match[1]) if match else None


def _why_refused(number: int) -> str | None:
    # RFC 6895 §3.1: 0 and 65535 are reserved, 128 to 255 are for questions and meta-data.
    if number == 0 or number >= 0xFFFF:
        return "type numbers run from 1 to 65534"
    return _WHY_REFUSED.get(number) or (_QUESTION if 128 <= number <= 255 else None)


def _unknown(text: str, name: str) -> ConfigError:
    near = difflib.get_close_matches(name[:20], TYPES, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Write types without a name here as TYPE###."
    detail = f'"{excerpt(text)}" is no type of records; known are {", ".join(TYPES)}.'
    return ConfigError([Reason("", "unknown_type", detail, excerpt(text), hint)])

"""Random record data as master-file text."""

from __future__ import annotations

import random
from collections.abc import Callable


def draw_rdata(rng: random.Random, rtype: str, name: Callable[[], str]) -> str:
    """One record of a type; ``name`` draws the names in it."""
    return _DRAWS[rtype](rng, name)


Draw = Callable[[random.Random, Callable[[], str]], str]


def _hex(rng: random.Random, octets: int) -> str:
    return rng.randbytes(octets).hex()


def _service(rng: random.Random, name: Callable[[], str]) -> str:
    if rng.random() < 0.3:
        return f"0 {name()}"
    wanted = rng.sample(
        ("alpn=h2,h3", "port=8443", "ipv4hint=192.0.2.1", "ipv6hint=2001:db8::1"), 2
    )
    return f"{rng.randint(1, 9)} {name()} {' '.join(wanted)}"


_DRAWS: dict[str, Draw] = {
    "A": lambda rng, name: f"192.0.2.{rng.randrange(256)}",
    "AAAA": lambda rng, name: f"2001:db8::{rng.randrange(1, 65_536):x}",
    "MX": lambda rng, name: f"{rng.randrange(100)} {name()}",
    "TXT": lambda rng, name: f'"{rng.randrange(1000)}" "\\\\ \\" \\200 ;"',
    "SRV": lambda rng, name: f"{rng.randrange(9)} 5 5060 {name()}",
    "CAA": lambda rng, name: f'0 issue "ca{rng.randrange(99)}.test"',
    "PTR": lambda rng, name: name(),
    "NAPTR": lambda rng, name: (
        f'{rng.randrange(99)} 10 "U" "E2U+sip" "!^.*$!sip:i@x.test!" {name()}'
    ),
    "TLSA": lambda rng, name: f"3 1 1 {_hex(rng, 32)}",
    "SSHFP": lambda rng, name: f"4 2 {_hex(rng, 32)}",
    "SVCB": _service,
    "HTTPS": _service,
    "DS": lambda rng, name: f"{rng.randrange(65_536)} 13 2 {_hex(rng, 32)}",
    "LOC": lambda rng, name: f"{rng.randrange(90)} 22 23.000 N 4 53 32.000 E -2.00m 1m 10m 10m",
    "URI": lambda rng, name: f'{rng.randrange(99)} 1 "https://www.example.com/"',
    "HINFO": lambda rng, name: f'"cpu{rng.randrange(99)}" "os"',
    "RP": lambda rng, name: f"{name()} {name()}",
    "TYPE65280": lambda rng, name: f"\\# 3 {_hex(rng, 3)}",
}

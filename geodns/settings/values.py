"""What the text of a setting may say: readers, which raise ValueError with the bound."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port to listen on; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoint(text: str) -> Endpoint:
    """An address and port such as 127.0.0.1:5300 or [::]:53.

    Errors: ValueError with the bound.
    """
    form = "must be ADDRESS:PORT like 127.0.0.1:5300 or [::]:53, the port within 0 and 65535"
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise ValueError(form)
    try:
        host: object = ipaddress.IPv6Address(match[1]) if match[1] else None
        return Endpoint(str(host or ipaddress.IPv4Address(match[2])), int(match[3]))
    except ValueError:
        raise ValueError(form) from None


def location(text: str) -> tuple[float, float]:
    """Latitude and longitude such as 50.1,8.7.

    Errors: ValueError with the bound.
    """
    form = "must be LAT,LON like 50.1,8.7; within -90 and 90, -180 and 180"
    number = r"\s*([-+]?[0-9]{1,3}(?:\.[0-9]{0,15})?)\s*"
    match = re.fullmatch(f"{number},{number}", text)
    if match is None or abs(float(match[1])) > 90 or abs(float(match[2])) > 180:
        raise ValueError(form)
    return float(match[1]), float(match[2])


def network(text: str) -> Network:
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        raise ValueError("must be subnets like 192.0.2.0/24 or 2001:db8::/32") from None
    if found.ip != found.network.network_address:
        raise ValueError(f"must be subnets without host bits; did you mean {found.network}?")
    return found.network


def path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("must be a path")
    return Path(os.path.abspath(os.path.expanduser(text)))


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number within {low} and {high}")
        return int(text)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return read


def short(text: str) -> str:
    # RFC 1035 §3.3: a character-string, as id.server answers, holds 255 octets.
    if len(text.encode(errors="replace")) > 255 or not text.isprintable():
        raise ValueError("must be printable and at most 255 octets")
    return text

"""One zone with everything in it, its names read: what the rules for zones look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from geodns.dns.names import from_url, to_url
from geodns.dns.rrtypes import type_from_text, type_to_text
from geodns.document.resources import Key, pointer
from geodns.errors import ConfigError, Reason
from geodns.model.config import Config
from geodns.model.zone import RRset, Steer, Zone

P = ParamSpec("P")
T = TypeVar("T")

At = str | Callable[[], str]
"""A pointer, or what makes it when there is a fault: nearly always there is none."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A zone and its owners by absolute name in wire form, lower case; types by number."""

    name: str
    zone: Zone
    origin: bytes
    steers: dict[bytes, Steer] = field(default_factory=dict)
    rrsets: defaultdict[bytes, dict[int, RRset]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def pointer(self) -> str:
        return pointer("zone", (self.name,))

    def steer_pointer(self, owner: bytes) -> str:
        return pointer("steer", (self.name, to_url(owner, self.origin)))

    def rrset_pointer(self, owner: bytes, rtype: int) -> str:
        return pointer("rrset", (self.name, to_url(owner, self.origin), type_to_text(rtype)))


def read_contents(config: Config, faults: list[Reason]) -> dict[bytes, Contents]:
    """Zones by name in wire form; what cannot be read is left out and its fault appended."""
    by_key: dict[str, Contents] = {}
    for name, zone in config.zones.items():
        origin = _read_name("zone", (name,), name, None, faults)
        if origin is not None:
            by_key[name] = Contents(name, zone, origin)
    _read_steers(config, by_key, faults)
    _read_rrsets(config, by_key, faults)
    return {contents.origin: contents for contents in by_key.values()}


def _read_steers(config: Config, zones: Mapping[str, Contents], faults: list[Reason]) -> None:
    for key, steer in config.steers.items():
        contents = zones.get(key[0])
        owner = _read_owner("steer", key, contents, faults)
        if contents is not None and owner is not None:
            contents.steers[owner] = steer


def _read_rrsets(config: Config, zones: Mapping[str, Contents], faults: list[Reason]) -> None:
    for key, rrset in config.rrsets.items():
        contents = zones.get(key[0])
        owner = _read_owner("rrset", key, contents, faults)
        rtype = _read_type(key, faults)
        if contents is not None and owner is not None and rtype is not None:
            contents.rrsets[owner][rtype] = rrset


def _read_owner(
    kind: str, key: Key, contents: Contents | None, faults: list[Reason]
) -> bytes | None:
    if contents is None:
        return None
    return _read_name(kind, key, key[1], contents.origin, faults)


def _read_name(
    kind: str, key: Key, text: str, origin: bytes | None, faults: list[Reason]
) -> bytes | None:
    """The name a key stands for; a key has one spelling, so that no two mean one name."""
    name = attempt(lambda: pointer(kind, key), faults, from_url, text, origin)
    if name is not None and to_url(name, origin) != text:
        shown, at = to_url(name, origin), pointer(kind, key)
        faults.append(Reason(at, "bad_name", f'Name "{text}": its spelling here is "{shown}".'))
        return None
    return name


def _read_type(key: Key, faults: list[Reason]) -> int | None:
    text = key[2]
    rtype = attempt(lambda: pointer("rrset", key), faults, type_from_text, text)
    if rtype is not None and type_to_text(rtype) != text:
        detail = f'Type "{text}": its spelling here is "{type_to_text(rtype)}".'
        faults.append(Reason(pointer("rrset", key), "unknown_type", detail, text))
        return None
    return rtype


def attempt(
    at: At, faults: list[Reason], parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    """What ``parse`` returns, or None and its reasons appended at this pointer."""
    try:
        return parse(*args, **kwargs)
    except ConfigError as error:
        where = at if isinstance(at, str) else at()
        faults.extend(replace(reason, pointer=where) for reason in error.reasons)
        return None

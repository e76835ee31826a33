"""What a token limited to zones and nodes may see and change.

A write is judged by what it would change, so that one rule holds for a resource, a master file and
a whole document. Pools, monitors, networks, latencies and webhooks are shared by all zones: a
limited token reads them and changes none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from geodns.api.kinds import ZONE, read_key
from geodns.dns.names import canonical, from_text, label_offsets, to_url
from geodns.document.changes import Touched, touched
from geodns.document.resources import Key, pointer, whole_body
from geodns.errors import ConfigError, GeodnsError, Reason
from geodns.model.base import Resource
from geodns.model.config import Config
from geodns.model.override import Override
from geodns.store.base import Token

READING = frozenset({"GET", "HEAD", "OPTIONS"})

LIMITED_ROLES = frozenset({"operator", "reader"})
"""An agent's nodes are those it may speak for (`roles`), which is less."""

IN_ZONES = frozenset({"zone", "steer", "rrset"})

PAST = frozenset({"audit", "revisions"})
"""Holds the bodies of everything, also of what a token does not cover."""

_PATH_PREFIX = "/api/v1/"


class Forbidden(GeodnsError):
    """The token does not cover it, whether it exists or not."""

    status = 403
    title = "Forbidden"

    @classmethod
    def code(cls) -> str:
        return "forbidden"


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns of zones and nodes, * and ? standing for any; a scope without any is everything."""

    zones: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()

    @classmethod
    def of(cls, token: Token) -> Scope:
        """What a token is limited to."""
        return cls(token.zones, token.nodes) if token.role in LIMITED_ROLES else EVERYTHING

    @property
    def is_limited(self) -> bool:
        return bool(self.zones or self.nodes)

    def sees(self, kind: str, key: Key) -> bool:
        """Whether it may be read: zones that are covered, nodes unless others are named."""
        if kind in IN_ZONES:
            return self._covers_zone(key[0])
        return kind != "node" or not self.nodes or _matches(key[0], self.nodes)

    def covers(self, change: Touched) -> bool:
        """Whether it may be changed so."""
        if not self.is_limited or change.kind in IN_ZONES:
            return self._covers_zone(change.key[0])
        if change.kind == "node":
            return _matches(change.key[0], self.nodes)
        if change.kind == "override":
            return all(self._drains(each) for each in (change.before, change.after) if each)
        return False

    def require(self, before: Config, after: Config) -> None:
        """Errors: Forbidden with every change that is not covered."""
        if not self.is_limited:
            return
        beyond = [change for change in _changed(before, after) if not self.covers(change)]
        if beyond:
            raise Forbidden([_beyond(pointer(each.kind, each.key)) for each in beyond])

    def seen(self, config: Config) -> Config:
        """What may be read of a Config."""
        if not self.is_limited:
            return config
        sees: Any = self.sees
        return replace(
            config,
            zones={at: each for at, each in config.zones.items() if sees("zone", (at,))},
            steers={at: each for at, each in config.steers.items() if sees("steer", at)},
            rrsets={at: each for at, each in config.rrsets.items() if sees("rrset", at)},
            nodes={at: each for at, each in config.nodes.items() if sees("node", (at,))},
        )

    def require_name(self, name: str, zones: Iterable[str]) -> None:
        """Errors: Forbidden if a name is in a zone that is not covered, or in none at all."""
        if self.is_limited and not self._covers_zone(_zone_of(name, frozenset(zones))):
            raise Forbidden([_beyond("", name)])

    def require_path(self, method: str, path: str) -> None:
        """What method and path tell already, before anything is said of what is there.

        Errors: Forbidden.
        """
        if self.is_limited and not self._allows(method in READING, path):
            raise Forbidden([_beyond("", path)])

    def _allows(self, reads: bool, path: str) -> bool:
        word, *rest = path.removeprefix(_PATH_PREFIX).split("/")
        match word, rest:
            case "zones", [zone, *_]:
                return self._covers_zone(_spelt(zone))
            case "nodes", [node, *_]:
                return self.sees("node", (node,)) if reads else _matches(node, self.nodes)
            case "monitors", [_, "verdicts", node]:
                return _matches(node, self.nodes)
            case "zones", []:
                return reads or bool(self.zones)
            case (("nodes" | "overrides"), _):
                return reads or bool(self.nodes)
            case (("document" | "plan"), _):
                return True
        return reads and word not in PAST

    def _covers_zone(self, zone: str) -> bool:
        return not self.is_limited or _matches(zone, self.zones)

    def _drains(self, override: Resource) -> bool:
        """Whether an override names nodes, and no other than those covered."""
        nodes = override.match.nodes if isinstance(override, Override) else None
        return bool(nodes) and all(_matches(node, self.nodes) for node in nodes or ())


EVERYTHING = Scope()


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _changed(before: Config, after: Config) -> Iterable[Touched]:
    """What an edit changes in content, as the store would see it."""
    for each in touched(before, after):
        old, new = each.before, each.after
        if old is None or new is None or (old != new and whole_body(old) != whole_body(new)):
            yield each


def _spelt(zone: str) -> str:
    """A zone's name in its one spelling; as it is if it is none, which the route will tell."""
    try:
        return read_key(ZONE, (zone,))[0]
    except ConfigError:
        return zone


def _zone_of(name: str, zones: frozenset[str]) -> str:
    """The zone that a name is in; "" if there is none."""
    try:
        wire = canonical(from_text(name))
    except ConfigError:
        return ""
    above = (to_url(wire[at:]) for at in label_offsets(wire))
    return next((zone for zone in above if zone in zones), "")


def _beyond(at: str, value: str | None = None) -> Reason:
    detail = "This token is limited to other zones or nodes."
    return Reason(at, "forbidden", detail, value, "GET /api/v1/tokens tells an admin its limits.")
